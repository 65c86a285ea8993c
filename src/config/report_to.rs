//! Where reports are written.

use std::fmt;

/// Where reports are written when they are made; `LEAK_DETECTION_REPORT` has the names in lower case.
///
/// Sinks and subscribers get their reports whatever stands here, and the exact counts go on as well.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ReportTo {
    /// The log; standard error when no logger would show it and a `LEAK_DETECTION_*` variable is set. The default:
    /// who sets a variable wants to see something, and who does not gets no lines that nobody asked for.
    #[default]
    Auto,
    /// The log alone, by crate `log`, target `leaktrail`.
    Log,
    /// Standard error alone.
    Stderr,
    /// Nowhere.
    Off,
}

impl ReportTo {
    /// The name, as the environment variable takes it.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            ReportTo::Auto => "auto",
            ReportTo::Log => "log",
            ReportTo::Stderr => "stderr",
            ReportTo::Off => "off",
        }
    }

    /// What a name in any case means; `None` when it is none of the four.
    pub(super) fn from_name(name: &str) -> Option<ReportTo> {
        [ReportTo::Auto, ReportTo::Log, ReportTo::Stderr, ReportTo::Off]
            .into_iter()
            .find(|to| name.eq_ignore_ascii_case(to.name()))
    }
}

impl fmt::Display for ReportTo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::ReportTo;

    #[test]
    fn names_are_read_back_in_any_case() {
        for to in [ReportTo::Auto, ReportTo::Log, ReportTo::Stderr, ReportTo::Off] {
            assert_eq!(ReportTo::from_name(&to.to_string()), Some(to));
            assert_eq!(ReportTo::from_name(&to.to_string().to_uppercase()), Some(to));
        }
        assert_eq!(ReportTo::from_name("stdout"), None);
        assert_eq!(ReportTo::from_name(""), None);
    }
}
