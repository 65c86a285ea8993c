//! What is wrong with a variable.

use std::ffi::OsStr;
use std::fmt;

use super::variable;

/// A `LEAK_DETECTION_*` variable that is not understood, and what is used instead of it.
///
/// Its text is one line that can be logged as it is: what was read is escaped and cut, so it can forge nothing.
///
/// # Examples
///
/// ```
/// use leaktrail::Config;
///
/// // What a program that must not start with a mistyped setting does. The lossy twin goes on and returns the errors.
/// match Config::from_env() {
///     Ok(config) => assert!(config.configured_sampling_interval().get() > 0),
///     Err(error) => eprintln!("{error}"),
/// }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigError {
    variable: String,
    found: String,
    accepted: &'static str,
    used: String,
    fault: Fault,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fault {
    Value,
    Name { nearest: Option<&'static str> },
}

impl ConfigError {
    pub(super) fn bad_value(
        variable: &'static str,
        found: &OsStr,
        accepted: &'static str,
        used: String,
    ) -> ConfigError {
        ConfigError { variable: variable.to_owned(), found: shown(found), accepted, used, fault: Fault::Value }
    }

    pub(super) fn unknown_name(name: &OsStr, value: &OsStr, nearest: Option<&'static str>) -> ConfigError {
        ConfigError {
            variable: shown(name),
            found: shown(value),
            accepted: variable::NAMES,
            used: "nothing".to_owned(),
            fault: Fault::Name { nearest },
        }
    }

    /// True for a variable that there is not: its name is what is wrong.
    pub(super) fn is_unknown_name(&self) -> bool {
        matches!(self.fault, Fault::Name { .. })
    }

    /// The variable's name, escaped and cut if it is none of ours.
    #[must_use]
    pub fn variable(&self) -> &str {
        &self.variable
    }

    /// The value that was read, with what cannot be printed escaped, cut after about 80 bytes.
    #[must_use]
    pub fn found(&self) -> &str {
        &self.found
    }

    /// What the variable accepts, in words; for an unknown variable the names that there are.
    #[must_use]
    pub fn accepted(&self) -> &str {
        self.accepted
    }

    /// The value that is used instead.
    #[must_use]
    pub fn used(&self) -> &str {
        &self.used
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ConfigError { variable, found, accepted, used, fault } = self;
        match fault {
            Fault::Value => {
                write!(f, "{variable}=\"{found}\" is not understood: accepted are {accepted}; {used} is used")
            }
            Fault::Name { nearest: Some(nearest) } => {
                write!(f, "{variable} is unknown to this version and ignored; the nearest known name is {nearest}")
            }
            Fault::Name { nearest: None } => {
                write!(f, "{variable} is unknown to this version and ignored; known are {accepted}")
            }
        }
    }
}

impl std::error::Error for ConfigError {}

/// Escaped by `OsStr`'s `Debug`, which also shows the bytes that are not UTF-8, and cut.
fn shown(text: &OsStr) -> String {
    const MAX_BYTES: usize = 80;
    // Cut before it is escaped too: an environment may hold a megabyte.
    let bytes = text.as_encoded_bytes();
    let whole = bytes.len() <= MAX_BYTES;
    let quoted =
        if whole { format!("{text:?}") } else { format!("{:?}", String::from_utf8_lossy(&bytes[..MAX_BYTES])) };
    let mut shown = quoted[1..quoted.len() - 1].to_owned();
    if !whole || shown.len() > MAX_BYTES {
        let mut end = shown.len().min(MAX_BYTES);
        while !shown.is_char_boundary(end) {
            end -= 1;
        }
        shown.truncate(end);
        shown.push('…');
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_shown_is_one_short_line() {
        for text in [
            "\n".repeat(1000),
            "ä".repeat(1000),
            format!("x{}", "ä".repeat(1000)),
            "\u{202e}\u{1b}".repeat(1000),
            "x".repeat(81),
        ] {
            let shown = shown(OsStr::new(&text));
            assert!(shown.ends_with('…') && shown.len() <= 83, "{shown}");
            assert!(!shown.contains(['\n', '\u{1b}', '\u{202e}']), "{shown}");
        }
        assert_eq!(shown(OsStr::new("")), "");
        assert_eq!(shown(OsStr::new("a \"b\"\t")), "a \\\"b\\\"\\t");
        assert_eq!(shown(OsStr::new(&"x".repeat(80))), "x".repeat(80));
    }

    #[test]
    fn a_bad_value_is_told_with_what_is_used() {
        let error =
            ConfigError::bad_value("LEAK_DETECTION_REPORT", OsStr::new("x\n"), "this or that", "auto".to_owned());
        assert_eq!(
            error.to_string(),
            r#"LEAK_DETECTION_REPORT="x\n" is not understood: accepted are this or that; auto is used"#
        );
        assert_eq!((error.variable(), error.found()), ("LEAK_DETECTION_REPORT", r"x\n"));
        assert_eq!((error.accepted(), error.used()), ("this or that", "auto"));
    }
}
