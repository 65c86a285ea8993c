//! What a scope is meant to overlook.

use crate::report::{Site, SiteStats};

/// What a test has said about what may stay.
#[derive(Debug, Default)]
pub(super) struct Rules {
    pub(super) expected_live: u64,
    ignored: Vec<Ignored>,
}

#[derive(Debug)]
struct Ignored {
    what: What,
    reason: String,
}

/// What is overlooked.
#[derive(Debug)]
pub(super) enum What {
    /// A resource of that name, wherever it is made.
    Resource(String),
    /// What is made there: a file, or a file and a line, or a column too; the path, or its last parts.
    Site(String),
}

impl Rules {
    pub(super) fn ignore(&mut self, what: What, reason: &str) {
        self.ignored.push(Ignored { what, reason: reason.to_owned() });
    }

    /// Why a row is overlooked; nothing for one that is not.
    pub(super) fn reason(&self, row: &SiteStats) -> Option<&str> {
        self.ignored.iter().find(|ignored| ignored.what.covers(row)).map(|ignored| &*ignored.reason)
    }
}

impl What {
    fn covers(&self, row: &SiteStats) -> bool {
        match self {
            What::Resource(name) => name == row.resource(),
            What::Site(place) => is_at(place, row.site()),
        }
    }
}

fn is_at(place: &str, site: &Site) -> bool {
    let with_line = format!("{}:{}", site.file(), site.line());
    let with_column = format!("{with_line}:{}", site.column());
    [site.file(), &with_line, &with_column].into_iter().any(|text| {
        // Whole parts of a path: `pool.rs` is no place in `spool.rs`.
        text.strip_suffix(place).is_some_and(|before| before.is_empty() || before.ends_with('/'))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_a_file_a_line_or_a_column_and_may_leave_out_the_first_folders() {
        let site = Site { file: "src/db/pool.rs".into(), line: 41, column: 9 };
        for place in ["src/db/pool.rs", "pool.rs", "db/pool.rs:41", "src/db/pool.rs:41:9"] {
            assert!(is_at(place, &site), "{place}");
        }
        for place in ["ool.rs", "pool.rs:4", "pool.rs:41:8", "src/db", "pool.rs:1", "41"] {
            assert!(!is_at(place, &site), "{place}");
        }
    }
}
