//! The variables that there are.

use std::ffi::OsStr;
use std::num::NonZeroU32;
use std::path::{Path, PathBuf, is_separator};

use super::{AgeLimit, Config, DirectMemoryLimit, FrameLimit, ReportTo, Symbols, Walker};
use crate::level::ParseLevelError;

/// A variable: its name, what it accepts, and its place in a [`Config`].
#[derive(Debug)]
pub(super) struct Variable {
    pub(super) name: &'static str,
    pub(super) accepted: &'static str,
    /// Puts the value of a trimmed text into the configuration; `None` when the text has no meaning.
    pub(super) set: fn(Config, &str) -> Option<Config>,
    /// The value that the configuration has, as the variable would take it.
    pub(super) show: fn(&Config) -> String,
}

/// What the name of each of our variables starts with.
const PREFIX: &str = "LEAK_DETECTION_";

/// Read by whoever chooses the walker of the process, too.
pub(super) const WALKER: &str = "LEAK_DETECTION_WALKER";

/// Every variable of this version, in the order in which they are read and echoed.
pub(super) static ALL: [Variable; 11] = [
    Variable {
        name: "LEAK_DETECTION_LEVEL",
        accepted: ParseLevelError::ACCEPTED,
        set: |config, text| Some(config.level(text.parse().ok()?)),
        show: |config| config.configured_level().to_string(),
    },
    Variable {
        name: "LEAK_DETECTION_SAMPLING_INTERVAL",
        accepted: "whole numbers from 1 to 4294967295",
        set: |config, text| Some(config.sampling_interval(NonZeroU32::new(number(text)?)?)),
        show: |config| config.configured_sampling_interval().to_string(),
    },
    Variable {
        name: "LEAK_DETECTION_TARGET_RECORDS",
        accepted: "whole numbers from 0 to 4294967295",
        set: |config, text| Some(config.target_records(number(text)?)),
        show: |config| config.configured_target_records().to_string(),
    },
    Variable {
        name: "LEAK_DETECTION_MAX_FRAMES",
        accepted: "whole numbers from 1 to 128",
        set: |config, text| Some(config.max_frames(FrameLimit::new(number(text)?.try_into().ok()?)?)),
        show: |config| config.configured_max_frames().to_string(),
    },
    Variable {
        name: DirectMemoryLimit::VARIABLE,
        accepted: "-1 for half of what the process may have, 0 for no limit, or bytes such as 64k, 512m or 2GiB",
        set: |config, text| Some(config.max_direct_memory(DirectMemoryLimit::parse(text)?)),
        show: |config| config.configured_max_direct_memory().to_string(),
    },
    Variable {
        name: "LEAK_DETECTION_REPORT",
        accepted: "auto, log, stderr, off in any case",
        set: |config, text| Some(config.report(ReportTo::from_name(text)?)),
        show: |config| config.configured_report().to_string(),
    },
    Variable {
        name: "LEAK_DETECTION_HELD_TOO_LONG",
        accepted: "off, or a number with a unit such as 500ms, 30s, 5m, 2h or 1d",
        set: |config, text| Some(config.held_too_long(AgeLimit::parse(text)?)),
        show: |config| config.configured_held_too_long().to_string(),
    },
    Variable {
        name: WALKER,
        accepted: "auto, rules, frame-pointer, backtrace, none in any case",
        set: |config, text| Some(config.walker(Walker::from_name(text)?)),
        show: |config| config.configured_walker().to_string(),
    },
    Variable {
        name: "LEAK_DETECTION_REPORT_FILE",
        accepted: "a path with a slash in it, such as /tmp/x or ./x, or off",
        set: |config, text| Some(config.with_report_file(path(text)?)),
        show: |config| shown(config.configured_report_file()),
    },
    Variable {
        name: "LEAK_DETECTION_SYMBOLS",
        accepted: "on, off in any case",
        set: |config, text| Some(config.symbols(Symbols::from_name(text)?)),
        show: |config| config.configured_symbols().to_string(),
    },
    Variable {
        name: "LEAK_DETECTION_CONTROL_FILE",
        accepted: "a path with a slash in it, such as /tmp/x or ./x, or off",
        set: |config, text| Some(config.with_control_file(path(text)?)),
        show: |config| shown(config.configured_control_file()),
    },
];

/// The names of [`ALL`], for a message; a test holds the two together.
pub(super) const NAMES: &str = "LEAK_DETECTION_LEVEL, LEAK_DETECTION_SAMPLING_INTERVAL, LEAK_DETECTION_TARGET_RECORDS, \
                                LEAK_DETECTION_MAX_FRAMES, LEAK_DETECTION_MAX_DIRECT_MEMORY, LEAK_DETECTION_REPORT, \
                                LEAK_DETECTION_HELD_TOO_LONG, LEAK_DETECTION_WALKER, LEAK_DETECTION_REPORT_FILE, \
                                 LEAK_DETECTION_SYMBOLS, LEAK_DETECTION_CONTROL_FILE";

/// The word for no file.
const NO_FILE: &str = "off";

/// A path, or the word for none. A path has a separator in it: a bare word is more often another setting's value than a file
/// in whatever folder the program is started in.
fn path(text: &str) -> Option<Option<PathBuf>> {
    if text.eq_ignore_ascii_case(NO_FILE) { Some(None) } else { text.contains(is_separator).then(|| Some(text.into())) }
}

/// A path as one line of a log: its name is anybody's text.
fn shown(path: Option<&Path>) -> String {
    path.map_or(NO_FILE.to_owned(), |path| path.to_string_lossy().escape_debug().to_string())
}

/// Digits only: `u32::from_str` would take a plus sign too.
fn number(text: &str) -> Option<u32> {
    if text.bytes().all(|byte| byte.is_ascii_digit()) { text.parse().ok() } else { None }
}

/// Whether a name is meant for us: it starts with `LEAK_DETECTION_`, in any case, so that a name in small letters,
/// which Unix takes for another one, is told and not passed over.
pub(super) fn is_ours(name: &OsStr) -> bool {
    name.as_encoded_bytes().get(..PREFIX.len()).is_some_and(|start| start.eq_ignore_ascii_case(PREFIX.as_bytes()))
}

impl Variable {
    /// Whether the operating system takes `name` for this variable's.
    pub(super) fn is_named(&self, name: &OsStr) -> bool {
        if cfg!(windows) { name.eq_ignore_ascii_case(self.name) } else { name == self.name }
    }
}

/// The known name that an unknown one was probably meant to be, if one is near.
pub(super) fn nearest(unknown: &OsStr) -> Option<&'static str> {
    // No name of ours is half as long, and the distance costs the product of the lengths.
    const MAX_BYTES: usize = 64;
    let unknown = unknown.to_str().filter(|name| name.len() <= MAX_BYTES)?.to_ascii_uppercase();
    let unknown = unknown.strip_prefix(PREFIX)?;
    let distances = ALL.iter().map(|known| {
        let suffix = &known.name[PREFIX.len()..];
        (edit_distance(unknown, suffix), suffix.len(), known.name)
    });
    // More than half of it written anew is another word.
    distances.min().filter(|&(distance, length, _)| distance <= length / 2).map(|(_, _, name)| name)
}

/// How many bytes have to be put in, taken out or changed to make one text of the other (Levenshtein).
fn edit_distance(from: &str, to: &str) -> usize {
    let mut row: Vec<usize> = (0..=to.len()).collect();
    for (i, a) in from.bytes().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, b) in to.bytes().enumerate() {
            let changed = diagonal + usize::from(a != b);
            diagonal = row[j + 1];
            row[j + 1] = changed.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[to.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_message_lists_every_name() {
        assert_eq!(NAMES, ALL.each_ref().map(|variable| variable.name).join(", "));
    }

    #[test]
    fn every_variable_starts_with_the_prefix_and_reads_back_what_it_shows() {
        for variable in &ALL {
            assert!(is_ours(OsStr::new(variable.name)));
            let shown = (variable.show)(&Config::new());
            assert_eq!((variable.set)(Config::new(), &shown), Some(Config::new()), "{}={shown}", variable.name);
        }
    }

    #[test]
    fn every_variable_is_documented_with_its_default_and_what_it_accepts() {
        let page = include_str!("../../docs/CONFIGURATION.md");
        for variable in &ALL {
            let row = page.lines().find(|line| line.starts_with(&format!("| `{}`", variable.name)));
            let row = row.unwrap_or_else(|| panic!("{} has no row", variable.name));
            let default = (variable.show)(&Config::new());
            assert!(row.contains(&format!("| `{default}` |")), "{default} is the default, the page says {row}");
        }
        let documented = page.lines().filter(|line| line.starts_with("| `LEAK_DETECTION_")).count();
        assert_eq!(documented, ALL.len(), "the page has a row for a variable that there is not");
    }

    #[test]
    fn the_nearest_name_is_near() {
        let nearest = |name: &str| nearest(OsStr::new(name));
        assert_eq!(nearest("LEAK_DETECTION_LVL"), Some("LEAK_DETECTION_LEVEL"));
        assert_eq!(nearest("leak_detection_level"), Some("LEAK_DETECTION_LEVEL"));
        assert_eq!(nearest("LEAK_DETECTION_TARGET_RECORD"), Some("LEAK_DETECTION_TARGET_RECORDS"));
        assert_eq!(nearest("LEAK_DETECTION_MAX_DIRECT_MEM"), Some("LEAK_DETECTION_MAX_DIRECT_MEMORY"));
        assert_eq!(nearest("LEAK_DETECTION_"), None);
        assert_eq!(nearest("LEAK_DETECTION_COLOUR"), None);
        assert_eq!(nearest(&format!("LEAK_DETECTION_{}", "LEVEL".repeat(1000))), None);
    }

    #[test]
    fn the_distance_is_the_known_one() {
        for (from, to, distance) in
            [("", "", 0), ("", "abc", 3), ("abc", "", 3), ("kitten", "sitting", 3), ("ab", "ba", 2)]
        {
            assert_eq!(edit_distance(from, to), distance, "{from} {to}");
            assert_eq!(edit_distance(to, from), distance, "{to} {from}");
        }
    }

    #[test]
    fn numbers_are_digits() {
        assert_eq!(number("0"), Some(0));
        assert_eq!(number("4294967295"), Some(u32::MAX));
        for text in ["", "-1", "+1", "1.0", "1 0", "4294967296", "99999999999999999999", "٣"] {
            assert_eq!(number(text), None, "{text:?}");
        }
    }
}
