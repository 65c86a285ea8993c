//! The place in the source that made a handle.

use std::fmt;
use std::panic::Location;
use std::sync::Arc;

use super::escape::Escaped;
use super::path::normalise;

/// The place in the source that made a handle: file, line and column of the call.
///
/// Paths are the same on every machine that builds the same source: crates of a registry begin with
/// `<crate>-<version>/`, the standard library's with `std/`, and the workspace's are relative.
/// `Display` is `src/filters.rs:41:22`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Site {
    pub(crate) file: Arc<str>,
    /// From 1; 0 in the one row that stands for all sites over the cap, whose `file` says so.
    pub(crate) line: u32,
    /// From 1; 0 where the line is.
    pub(crate) column: u32,
}

impl Site {
    /// The site of a caller, its path normalised.
    pub(crate) fn from_location(location: &'static Location<'static>) -> Site {
        Site { file: normalise(location.file()).into(), line: location.line(), column: location.column() }
    }

    /// The file, normalised and with `/` on every platform. Not escaped.
    pub fn file(&self) -> &str {
        &self.file
    }

    /// The line, from 1. It is 0 in the one row that stands for all sites over the cap.
    pub fn line(&self) -> u32 {
        self.line
    }

    /// The column, from 1. It is 0 where the line is.
    pub fn column(&self) -> u32 {
        self.column
    }
}

impl fmt::Display for Site {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            0 => write!(f, "{}", Escaped(&self.file)),
            // Escaped as a whole: the colon is part of what a forger could use.
            line => write!(f, "{}", Escaped(&format!("{}:{line}:{}", self.file, self.column))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_location_becomes_its_text() {
        let location = Location::caller();
        let site = Site::from_location(location);

        assert!(site.file().ends_with("src/report/site.rs"), "{}", site.file());
        assert_eq!((site.line(), site.column()), (location.line(), location.column()));
        assert_eq!(site.to_string(), format!("{}:{}:{}", site.file(), location.line(), location.column()));
    }

    #[test]
    fn no_file_begins_a_line_of_ours() {
        let site = Site { file: "LEAK".into(), line: 1, column: 2 };
        assert_eq!(site.to_string(), r"LEAK\u{3a}1:2");
    }

    #[test]
    fn the_row_for_all_other_sites_has_no_line() {
        let others = Site { file: "(other sites)".into(), line: 0, column: 0 };
        assert_eq!(others.to_string(), "(other sites)");
    }
}
