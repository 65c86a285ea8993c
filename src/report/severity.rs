//! How loudly a line is said.

use std::fmt;

/// How loudly a line is said; sinks map it to the levels of their log.
///
/// The order is that of urgency: `Error` is the smallest, as in the `log` crate.
///
/// # Examples
///
/// ```
/// use leaktrail::Severity;
///
/// assert_eq!(Severity::Warn.to_string(), "WARN");
/// assert!(Severity::Error < Severity::Debug);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// Something was lost.
    Error,
    /// Something deserves a look.
    Warn,
    /// For the record.
    Info,
    /// For who is looking into leaktrail itself.
    Debug,
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Severity::Error => "ERROR",
            Severity::Warn => "WARN",
            Severity::Info => "INFO",
            Severity::Debug => "DEBUG",
        })
    }
}
