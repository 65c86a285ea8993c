//! Why a command stops.

use std::fmt::Display;
use std::io;

/// Why a command stops early.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Failure {
    /// What was given cannot be read, or is not what it should be. Exit status 2.
    Input(String),
    /// The output was closed, as `head` does. No reason to say anything.
    NobodyListens,
}

impl Failure {
    /// Something about a file.
    pub(crate) fn of(name: &str, why: impl Display) -> Failure {
        Failure::Input(format!("{name}: {why}"))
    }
}

/// Of writing. Reading says which file it was, so it goes through [`Failure::of`].
impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Failure {
        match error.kind() {
            io::ErrorKind::BrokenPipe => Failure::NobodyListens,
            _ => Failure::of("output", error),
        }
    }
}
