//! The report of a limit that comes near.

use super::{Severity, SiteStats};
use crate::level::Level;

/// What has a limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "snake_case"))]
#[non_exhaustive]
pub enum Limited {
    /// A budget of buffers: what goes over it is refused.
    Budget,
    /// The memory of the control group that the process is in: what goes over it is killed.
    ControlGroup,
}

impl Limited {
    /// The words that its line begins with: `budget`, `control group`.
    pub fn words(self) -> &'static str {
        match self {
            Limited::Budget => "budget",
            Limited::ControlGroup => "control group",
        }
    }
}

/// The report of a limit that comes near: how much of it is used, and who holds what, while there is time to say so.
///
/// From the ledger alone: no symbols, no stacks. `Display` is its `LIVE:` lines, without a newline at the end.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Pressure {
    pub(crate) of: Limited,
    /// In percent: what was passed.
    pub(crate) mark: u8,
    pub(crate) used: u64,
    pub(crate) limit: u64,
    /// The largest first.
    pub(crate) holders: Vec<SiteStats>,
    /// What the process has in memory, where that can be told.
    pub(crate) resident: Option<u64>,
    pub(crate) level: Level,
}

impl Pressure {
    /// What has the limit.
    pub fn of(&self) -> Limited {
        self.of
    }

    /// The mark that was passed, in percent of the limit.
    pub fn mark(&self) -> u8 {
        self.mark
    }

    /// How many bytes were used when it was passed.
    pub fn used(&self) -> u64 {
        self.used
    }

    /// How many there are.
    pub fn limit(&self) -> u64 {
        self.limit
    }

    /// Who holds what, the largest first.
    pub fn holders(&self) -> &[SiteStats] {
        &self.holders
    }

    /// What the process has in memory in all, in bytes, where the system tells.
    pub fn resident(&self) -> Option<u64> {
        self.resident
    }

    /// The level in force.
    pub fn level(&self) -> Level {
        self.level
    }

    /// How loudly it is said: a warning, and from nine tenths on, when these may be last words, an error.
    pub fn severity(&self) -> Severity {
        if self.mark >= 90 { Severity::Error } else { Severity::Warn }
    }
}
