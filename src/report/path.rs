//! Paths of source files, the same on every machine.

use std::borrow::Cow;
use std::env;

use once_cell::race::OnceBox;

/// The path of a site as reports show it, the same on every machine that builds the same source.
///
/// | what the compiler says | becomes |
/// |---|---|
/// | `/home/u/.cargo/registry/src/registry-1949cf8c6b5b557f/hyper-1.12.0/src/lib.rs` | `hyper-1.12.0/src/lib.rs` |
/// | `/home/u/.cargo/git/checkouts/tower-8d4b2c0e/1f3a9b7/tower/src/lib.rs` | `tower-1f3a9b7/tower/src/lib.rs` |
/// | `/rustc/<hash>/library/core/src/ops/function.rs`, or the same in an installed `rust-src` | `std/core/src/ops/function.rs` |
/// | `/rustc/<hash>/library/std/src/thread/mod.rs` | `std/src/thread/mod.rs` |
/// | `/rust/deps/hashbrown-0.15.5/src/raw.rs` | `hashbrown-0.15.5/src/raw.rs` |
/// | a file below the directory that the program was started in | relative to it |
/// | anything else | unchanged, with `/` for `\` |
pub(crate) fn normalise(path: &str) -> Cow<'_, str> {
    normalise_below(path, started_in())
}

/// As [`normalise`], but the program's own files stay as they are. For frames, whose files debug information gives in
/// full: [`relate`](super::relate) makes them relative once a whole trail is there to tell to what.
pub(crate) fn normalise_foreign(path: &str) -> Cow<'_, str> {
    normalise_below(path, None)
}

/// As [`normalise_foreign`], and a file below this directory is shown relative to it.
pub(super) fn normalise_below<'a>(path: &'a str, directory: Option<&str>) -> Cow<'a, str> {
    let path: Cow<'a, str> = if path.contains('\\') { path.replace('\\', "/").into() } else { path.into() };
    if let Some(known) = foreign(&path) {
        return known.into();
    }
    match directory.and_then(|directory| below(&path, directory)).map(str::len) {
        Some(kept) => tail(path, kept),
        None => path,
    }
}

/// The normalised path of a file that is not the program's own.
fn foreign(path: &str) -> Option<String> {
    if let Some((_, rest)) = path.split_once("/registry/src/") {
        let (_index, inside) = rest.split_once('/')?;
        return Some(inside.to_owned());
    }
    if let Some((_, rest)) = path.split_once("/git/checkouts/") {
        let (checkout, rest) = rest.split_once('/')?;
        let (revision, inside) = rest.split_once('/')?;
        let (name, _hash_of_url) = checkout.rsplit_once('-')?;
        return Some(format!("{name}-{revision}/{inside}"));
    }
    if let Some(inside) = path.strip_prefix("/rust/deps/") {
        return Some(inside.to_owned());
    }
    let library = match path.strip_prefix("/rustc/") {
        Some(rest) => rest.split_once("/library/")?.1,
        None => path.split_once("/lib/rustlib/src/rust/library/")?.1,
    };
    Some(match library.strip_prefix("std/") {
        Some(_) => library.to_owned(),
        None => format!("std/{library}"),
    })
}

/// What stands behind `directory/` in the path.
fn below<'a>(path: &'a str, directory: &str) -> Option<&'a str> {
    // Directories come as the system or the compiler writes them.
    let mut rest = path;
    for part in directory.trim_end_matches(['/', '\\']).split(['/', '\\']) {
        rest = rest.strip_prefix(part)?.strip_prefix('/')?;
    }
    (!rest.is_empty()).then_some(rest)
}

/// The last so many bytes of the path.
fn tail(path: Cow<'_, str>, kept: usize) -> Cow<'_, str> {
    let from = path.len() - kept;
    match path {
        Cow::Borrowed(path) => path[from..].into(),
        Cow::Owned(path) => path[from..].to_owned().into(),
    }
}

/// The directory that the program was in when this was first asked. Asked once: a program that changes its directory
/// must not change the names of its sites.
pub(super) fn started_in() -> Option<&'static str> {
    // Never blocks: a forked child would wait for a thread that only its parent has.
    static STARTED_IN: OnceBox<Option<String>> = OnceBox::new();
    let ask = || {
        let directory = env::current_dir().ok()?.into_os_string().into_string().ok()?;
        // The file system's root is above everything and would take the first slash of every path.
        (!directory.trim_matches(['/', '\\']).is_empty()).then_some(directory)
    };
    STARTED_IN.get_or_init(|| Box::new(ask())).as_deref()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_above_holds() {
        for (path, expected) in [
            ("src/filters.rs", "src/filters.rs"),
            (
                "/home/u/.cargo/registry/src/registry-1949cf8c6b5b557f/hyper-1.12.0/src/lib.rs",
                "hyper-1.12.0/src/lib.rs",
            ),
            (
                r"C:\Users\u\.cargo\registry\src\registry-1949cf8c6b5b557f\hyper-1.12.0\src\lib.rs",
                "hyper-1.12.0/src/lib.rs",
            ),
            (
                "/home/u/.cargo/git/checkouts/tower-http-8d4b2c0e/1f3a9b7/tower/src/lib.rs",
                "tower-http-1f3a9b7/tower/src/lib.rs",
            ),
            ("/rustc/59807616e1/library/core/src/ops/function.rs", "std/core/src/ops/function.rs"),
            ("/rustc/59807616e1/library/std/src/thread/mod.rs", "std/src/thread/mod.rs"),
            (
                "/home/u/.rustup/toolchains/stable-x86_64-unknown-linux-gnu/lib/rustlib/src/rust/library/alloc/src/vec/mod.rs",
                "std/alloc/src/vec/mod.rs",
            ),
            ("/rust/deps/hashbrown-0.15.5/src/raw.rs", "hashbrown-0.15.5/src/raw.rs"),
            (r"src\bin\gateway.rs", "src/bin/gateway.rs"),
            ("/elsewhere/src/lib.rs", "/elsewhere/src/lib.rs"),
            // Not quite what they look like.
            ("/rustc/59807616e1/compiler/x.rs", "/rustc/59807616e1/compiler/x.rs"),
            ("/registry/src/lib.rs", "/registry/src/lib.rs"),
            ("", ""),
        ] {
            assert_eq!(normalise(path), expected, "{path}");
        }
    }

    #[test]
    fn what_lies_below_the_directory_of_the_start_is_relative() {
        let directory = env::current_dir().expect("tests run somewhere");
        let file = directory.join("src").join("lib.rs");
        assert_eq!(normalise(file.to_str().expect("UTF-8")), "src/lib.rs");

        assert_eq!(normalise_foreign(file.to_str().expect("UTF-8")), file.to_str().expect("UTF-8").replace('\\', "/"));

        let sibling = format!("{}-2/src/lib.rs", directory.display());
        assert!(normalise(&sibling).ends_with("-2/src/lib.rs") && normalise(&sibling).len() > "-2/src/lib.rs".len());
    }
}
