//! The source line of a frame, where the source is at hand.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};

/// A larger file is no source.
const MOST_BYTES: u64 = 8 << 20;

/// Looks frames up in a folder, and crates of a registry where cargo keeps them.
///
/// A log may come from anywhere and name any file. So only what lies below these folders is read.
pub(super) struct SourceLines {
    roots: Vec<PathBuf>,
    files: HashMap<PathBuf, Option<String>>,
}

impl SourceLines {
    pub(super) fn below(folder: &Path) -> SourceLines {
        let mut roots = vec![folder.to_owned(), folder.join("src/main/java"), folder.join("src/test/java")];
        // Each registry has a folder of its own there.
        let registries = std::env::home_dir().map(|home| home.join(".cargo/registry/src"));
        roots.extend(
            registries
                .and_then(|folder| fs::read_dir(folder).ok())
                .into_iter()
                .flatten()
                .flatten()
                .map(|entry| entry.path()),
        );
        SourceLines { roots, files: HashMap::new() }
    }

    /// The line that a frame names.
    pub(super) fn of(&mut self, frame: &str) -> Option<&str> {
        let (file, line) = place(frame)?;
        let path = self.roots.iter().find_map(|root| within(root, &file))?;
        let text = self.files.entry(path).or_insert_with_key(|path| read(path));
        text.as_deref()?.lines().nth(line.checked_sub(1)?)
    }
}

/// The file below the root; nothing for one outside, by whatever way: an absolute path, `..`, a link.
fn within(root: &Path, file: &Path) -> Option<PathBuf> {
    let real = fs::canonicalize(root.join(file)).ok()?;
    (real.starts_with(fs::canonicalize(root).ok()?) && real.is_file()).then_some(real)
}

fn read(path: &Path) -> Option<String> {
    let is_small = fs::metadata(path).ok()?.len() <= MOST_BYTES;
    is_small.then(|| fs::read_to_string(path).ok())?
}

/// The file and the line that stand in the parentheses at the end: `f (src/filters.rs:57:9)`, `a.B.c(B.java:9)`.
fn place(frame: &str) -> Option<(PathBuf, usize)> {
    let frame = frame.trim();
    let (name, place) = match frame.strip_suffix(')') {
        Some(frame) => frame.rsplit_once('(')?,
        // A frame without a name is a place alone, and `created src/body.rs:19:14, released` has one too.
        None => ("", frame.split([' ', ',']).find(|word| word.contains(".rs:"))?),
    };
    let mut parts = place.split(':');
    let (file, line) = (parts.next()?, parts.next()?.parse().ok()?);
    if !file.ends_with(".java") {
        return Some((file.into(), line));
    }
    // Java names the file alone; its folder is the package. A module may stand before it.
    let class = name.rsplit('/').next()?;
    let package = class.rsplitn(3, '.').nth(2).unwrap_or_default();
    Some((Path::new(&package.replace('.', "/")).join(file), line))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn any_text_may_stand_where_a_frame_should(text in "(\\.rs:|\\.java:|[0-9]|[():,./ ]|\\PC)*") {
            if let Some((_, line)) = place(&text) {
                prop_assert!(text.contains(&line.to_string()) || text.contains(':'));
            }
        }
    }

    #[test]
    fn a_frame_names_its_line() {
        for (frame, file, line) in [
            ("gateway::filters::log_body (src/filters.rs:57:9)", "src/filters.rs", 57),
            ("<a::B<(C, D)> as e::F>::g (src/b.rs:3)", "src/b.rs", 3),
            ("src/filters.rs:57:9", "src/filters.rs", 57),
            ("created src/body.rs:19:14, released", "src/body.rs", 19),
            ("com.example.gateway.BodyCache.keep(BodyCache.java:9)", "com/example/gateway/BodyCache.java", 9),
            ("app//Probe.main(Probe.java:26)", "Probe.java", 26),
        ] {
            assert_eq!(place(frame), Some((file.into(), line)), "{frame}");
        }
        for frame in ["", "gateway+0x1f40", "(dropped +12 ms, thread worker-3)", "f (src/a.rs)", "a.B.c(Native Method)"]
        {
            assert_eq!(place(frame), None, "{frame}");
        }
    }

    #[test]
    fn only_what_lies_below_the_folder_is_read() {
        let mut lines = SourceLines::below(Path::new(env!("CARGO_MANIFEST_DIR")));
        assert_eq!(
            lines.of("x (src/lib.rs:1:1)"),
            Some("//! Finds what nobody gave back, and names the line that should have.")
        );
        let absolute = format!("x ({}/src/lib.rs:1:1)", env!("CARGO_MANIFEST_DIR"));
        assert!(lines.of(&absolute).is_some());
        for outside in [
            "x (/etc/passwd:1:1)",
            "x (../../etc/passwd:1:1)",
            "x (src/../../../etc/passwd:1:1)",
            "x (src/lib.rs:0:1)",
            "x (src/lib.rs:99999999:1)",
        ] {
            assert_eq!(lines.of(outside), None, "{outside}");
        }
    }
}
