//! One line of the echo that tells which settings are in force.

use std::fmt;

/// A setting that is in force, its value as the environment takes it, and who chose it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Setting {
    pub(crate) name: &'static str,
    pub(crate) value: String,
    pub(crate) source: Source,
}

/// Who chose a setting. A value that the code sets to the default is told as the default.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Source {
    Default,
    Code,
    Environment,
    /// The code chose too, and the environment wins.
    CodeOverriddenByEnvironment,
}

impl fmt::Display for Setting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let source = match self.source {
            Source::Default => "default",
            Source::Code => "set in code",
            Source::Environment => "environment",
            Source::CodeOverriddenByEnvironment => "environment, which wins over the code",
        };
        write!(f, "{}={} ({source})", self.name, self.value)
    }
}
