//! All counts at one moment.

use std::sync::Arc;
use std::time::Duration;

use super::{Discarded, SiteStats};
use crate::level::Level;

/// All counts at one moment: exact totals, and a row for each resource and site.
///
/// Totals are the sums of the rows. Rows stand in the order of what they hold: most live bytes first, then most live
/// handles. `Display` is a table for a person.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Deserialize))]
pub struct Snapshot {
    pub(crate) level: Level,
    pub(crate) sites: Vec<SiteStats>,
    #[cfg_attr(feature = "serde", serde(rename = "uptime_ms", with = "crate::report::json::millis"))]
    pub(crate) uptime: Duration,
    pub(crate) discarded: Discarded,
    /// Absent in what an earlier version wrote.
    #[cfg_attr(feature = "serde", serde(default))]
    pub(crate) faults: u64,
    /// What the last tick has found. Absent in what an earlier version wrote.
    #[cfg_attr(feature = "serde", serde(default))]
    pub(crate) watched: Watched,
    /// What the process has in memory. Absent in what an earlier version wrote.
    #[cfg_attr(feature = "serde", serde(default))]
    pub(crate) resident: Option<u64>,
    /// Absent in what an earlier version wrote.
    #[cfg_attr(feature = "serde", serde(default))]
    pub(crate) unwritten: u64,
    /// As above.
    #[cfg_attr(feature = "serde", serde(default))]
    pub(crate) self_bytes: u64,
    /// As above.
    #[cfg_attr(feature = "serde", serde(default))]
    pub(crate) walker: Arc<str>,
}

/// How much of what is alive looks as if it would stay, as it was when the detector was last looked at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(crate) struct Watched {
    pub(crate) growing_sites: u64,
    pub(crate) held_too_long: u64,
    pub(crate) pinning: u64,
}

impl Snapshot {
    /// The level in force.
    pub fn level(&self) -> Level {
        self.level
    }

    /// How long the detector has been up.
    pub fn uptime(&self) -> Duration {
        self.uptime
    }

    /// How many handles were made.
    pub fn created(&self) -> u64 {
        self.total(SiteStats::created)
    }

    /// How many were released.
    pub fn released(&self) -> u64 {
        self.total(SiteStats::released)
    }

    /// How many were dropped without release.
    pub fn leaked(&self) -> u64 {
        self.total(SiteStats::leaked)
    }

    /// How many were let go on purpose.
    pub fn untracked(&self) -> u64 {
        self.total(SiteStats::untracked)
    }

    /// How many are alive.
    pub fn live(&self) -> u64 {
        self.total(SiteStats::live)
    }

    /// The bytes of those that are alive.
    pub fn live_bytes(&self) -> u64 {
        self.total(SiteStats::live_bytes)
    }

    /// The bytes of those that were lost.
    pub fn leaked_bytes(&self) -> u64 {
        self.total(SiteStats::leaked_bytes)
    }

    /// The rows, the largest holder first.
    pub fn sites(&self) -> &[SiteStats] {
        &self.sites
    }

    /// What the caps kept out.
    pub fn discarded(&self) -> Discarded {
        self.discarded
    }

    /// How often the detector failed by a fault of its own. The first one switched it off: what was made after it is not
    /// counted. 0 unless there is an error in this crate; please report it.
    pub fn faults(&self) -> u64 {
        self.faults
    }

    /// How many sites grow now (`GROW:`), by the ledger's windows.
    pub fn growing_sites(&self) -> u64 {
        self.watched.growing_sites
    }

    /// How many handles are held too long now (`HELD:`), of those that have a trail; 0 where no limit is set.
    pub fn held_too_long(&self) -> u64 {
        self.watched.held_too_long
    }

    /// How many small parts keep a large buffer alive now (`PINNED:`), of buffers with a trail.
    pub fn pinning(&self) -> u64 {
        self.watched.pinning
    }

    /// What the process has in memory in all, in bytes, where the system tells (Linux).
    pub fn resident(&self) -> Option<u64> {
        self.resident
    }

    /// How many lines the report file could not take; 0 without one.
    pub fn unwritten(&self) -> u64 {
        self.unwritten
    }

    /// What the detector itself takes, in bytes: trails, stacks and hints of the process, and the rows of this detector. What
    /// threads remember and what names take while reports are made is not in it.
    pub fn self_bytes(&self) -> u64 {
        self.self_bytes
    }

    /// What walks stacks in this build.
    pub fn walker(&self) -> &str {
        &self.walker
    }

    fn total(&self, figure: impl Fn(&SiteStats) -> u64) -> u64 {
        self.sites.iter().map(figure).fold(0, u64::saturating_add)
    }
}
