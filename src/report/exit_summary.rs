//! What is said at the end.

use std::time::Duration;

use super::{Discarded, Fingerprint, SiteStats};
use crate::level::Level;

/// What is said at the end of a program: what was lost, by cause, and what is still alive.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct ExitSummary {
    pub(crate) level: Level,
    #[cfg_attr(feature = "serde", serde(rename = "uptime_ms", with = "crate::report::json::millis"))]
    pub(crate) uptime: Duration,
    pub(crate) created: u64,
    pub(crate) released: u64,
    pub(crate) leaked: u64,
    pub(crate) leaked_bytes: u64,
    pub(crate) live: u64,
    pub(crate) untracked: u64,
    /// Those that lost something, the most first.
    pub(crate) causes: Vec<(Fingerprint, SiteStats)>,
    /// Those that hold something, the largest first.
    pub(crate) live_sites: Vec<SiteStats>,
    pub(crate) reports_dropped: u64,
    pub(crate) discarded: Discarded,
    /// Absent in what an earlier version wrote.
    #[cfg_attr(feature = "serde", serde(default))]
    pub(crate) faults: u64,
    /// What the process has in memory. Absent in what an earlier version wrote.
    #[cfg_attr(feature = "serde", serde(default))]
    pub(crate) resident: Option<u64>,
}

impl ExitSummary {
    /// The level in force at the end.
    pub fn level(&self) -> Level {
        self.level
    }

    /// How long the detector was up.
    pub fn uptime(&self) -> Duration {
        self.uptime
    }

    /// How many handles were made.
    pub fn created(&self) -> u64 {
        self.created
    }

    /// How many were released.
    pub fn released(&self) -> u64 {
        self.released
    }

    /// How many were dropped without release.
    pub fn leaked(&self) -> u64 {
        self.leaked
    }

    /// The bytes of those that were lost.
    pub fn leaked_bytes(&self) -> u64 {
        self.leaked_bytes
    }

    /// How many are alive.
    pub fn live(&self) -> u64 {
        self.live
    }

    /// The bytes of those that are alive.
    pub fn live_bytes(&self) -> u64 {
        self.live_sites.iter().map(SiteStats::live_bytes).fold(0, u64::saturating_add)
    }

    /// How many were let go on purpose.
    pub fn untracked(&self) -> u64 {
        self.untracked
    }

    /// The causes that lost something, with the counts of their sites; the most lost first.
    pub fn causes(&self) -> &[(Fingerprint, SiteStats)] {
        &self.causes
    }

    /// The sites that hold something, the largest first.
    pub fn live_sites(&self) -> &[SiteStats] {
        &self.live_sites
    }

    /// How many reports were made and reached no sink.
    pub fn reports_dropped(&self) -> u64 {
        self.reports_dropped
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

    /// What the process has in memory in all, in bytes, where the system tells (Linux).
    pub fn resident(&self) -> Option<u64> {
        self.resident
    }

    /// Whether nothing was lost and nothing is alive.
    pub fn is_clean(&self) -> bool {
        self.leaked == 0 && self.live == 0
    }
}
