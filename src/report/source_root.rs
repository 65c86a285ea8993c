//! Where the program's own sources were when it was built.

use std::sync::Arc;

use super::path::{normalise_below, started_in};
use super::{Access, AccessRecord, Site};

/// Makes the files of a trail's frames relative, as its site's is.
///
/// The compiler says `src/filters.rs` to the site and `/build/gateway/src/filters.rs` to the debug information. The
/// creation's stack has the site's own line, so the two together tell what to cut, wherever the program runs now:
/// in a container, or in one package of a workspace, where the current directory would be the wrong thing to cut.
/// Where that line is not among the frames (inlined away, a stripped program), the directory of the start is cut.
pub(crate) fn relate(records: &mut [AccessRecord], site: &Site) {
    let root = records
        .iter()
        .filter(|record| record.access == Access::Created)
        .flat_map(|record| &record.frames)
        .filter(|frame| frame.line == Some(site.line))
        .find_map(|frame| source_root(frame.file.as_deref()?, &site.file))
        .map(str::to_owned);
    let root = match &root {
        Some(root) => Some(root.as_str()),
        None => started_in(),
    };
    for file in records.iter_mut().flat_map(|record| &mut record.frames).filter_map(|frame| frame.file.as_mut()) {
        let relative = normalise_below(file, root);
        if *relative != **file {
            *file = Arc::from(&*relative);
        }
    }
}

/// The directory, from one file seen both ways.
fn source_root<'a>(absolute: &'a str, relative: &str) -> Option<&'a str> {
    let root = absolute.strip_suffix(relative)?.strip_suffix('/')?;
    (!root.is_empty() && !relative.is_empty()).then_some(root)
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, SystemTime};

    use super::*;
    use crate::report::Frame;

    fn record(access: Access, frames: &[(&str, u32)]) -> AccessRecord {
        let frame = |&(file, line): &(&str, u32)| Frame {
            function: None,
            file: Some(file.into()),
            line: Some(line),
            column: None,
            address: 0,
            module: None,
            offset: 0,
            build_id: None,
        };
        AccessRecord {
            access,
            hint: None,
            thread: "main".into(),
            span: None,
            after: Duration::ZERO,
            at: SystemTime::UNIX_EPOCH,
            unwinding: false,
            frames: frames.iter().map(frame).collect(),
            frames_cut: false,
        }
    }

    fn files(records: &[AccessRecord]) -> Vec<&str> {
        records.iter().flat_map(AccessRecord::frames).filter_map(Frame::file).collect()
    }

    #[test]
    fn the_creation_tells_where_it_was_built() {
        let site = Site { file: "crates/gateway/src/filters.rs".into(), line: 41, column: 22 };
        let mut records = [
            record(Access::Dropped, &[("/build/ws/crates/body/src/pool.rs", 9), ("hyper-1.12.0/src/lib.rs", 41)]),
            record(
                Access::Created,
                // The same file at another line proves nothing; a copy of the tree elsewhere is left alone.
                &[("/old/crates/gateway/src/filters.rs", 40), ("/build/ws/crates/gateway/src/filters.rs", 41)],
            ),
        ];
        relate(&mut records, &site);
        assert_eq!(
            files(&records),
            [
                "crates/body/src/pool.rs",
                "hyper-1.12.0/src/lib.rs",
                "/old/crates/gateway/src/filters.rs",
                "crates/gateway/src/filters.rs",
            ]
        );
    }

    #[test]
    fn without_its_line_the_directory_of_the_start_has_to_do() {
        let site = Site { file: "src/filters.rs".into(), line: 41, column: 22 };
        let here = std::env::current_dir().expect("tests run somewhere");
        let below = format!("{}/src/filters.rs", here.display());
        let mut records = [record(Access::Created, &[(&below, 40), ("/build/gateway/src/pool.rs", 9)])];
        relate(&mut records, &site);
        assert_eq!(files(&records), ["src/filters.rs", "/build/gateway/src/pool.rs"]);
    }

    #[test]
    fn a_root_is_a_whole_directory() {
        assert_eq!(source_root("/build/gateway/src/filters.rs", "src/filters.rs"), Some("/build/gateway"));
        for (absolute, relative) in [
            ("/build/gateway/src/filters.rs", "src/body.rs"),
            ("/build/gateway/libsrc/filters.rs", "src/filters.rs"),
            ("/src/filters.rs", "src/filters.rs"),
            ("src/filters.rs", "src/filters.rs"),
            ("/build/", ""),
        ] {
            assert_eq!(source_root(absolute, relative), None, "{absolute} {relative}");
        }
    }
}
