//! The report of a refused reservation.

use std::sync::Arc;
use std::time::Duration;

use super::{Site, SiteStats};
use crate::level::Level;

/// The report of a reservation that the budget refused: how much was missing, and who holds what.
///
/// `Display` is its `REFUSED:` lines, without a newline at the end.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Refusal {
    /// The `Display` of the `OutOfDirectMemory`.
    pub(crate) error: Arc<str>,
    pub(crate) requested: u64,
    pub(crate) used: u64,
    pub(crate) limit: u64,
    /// The child budget whose limit it was; nothing if it was the whole's.
    #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "Option::is_none"))]
    pub(crate) budget: Option<Arc<str>>,
    /// Bytes that were kept for another request, which has waited longer.
    #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "is_zero"))]
    pub(crate) kept: u64,
    pub(crate) site: Site,
    pub(crate) thread: Arc<str>,
    #[cfg_attr(feature = "serde", serde(rename = "waited_ms", with = "crate::report::json::millis"))]
    pub(crate) waited: Duration,
    /// The largest first.
    pub(crate) holders: Vec<SiteStats>,
    /// Bytes that lost references keep out for good.
    #[cfg_attr(feature = "serde", serde(default))]
    pub(crate) abandoned: u64,
    /// The sites that have lost something; empty when nothing is abandoned.
    #[cfg_attr(feature = "serde", serde(default))]
    pub(crate) lost: Vec<SiteStats>,
    /// Refusals since the last one that was listed.
    pub(crate) suppressed: u64,
    pub(crate) level: Level,
}

#[cfg(feature = "serde")]
fn is_zero(bytes: &u64) -> bool {
    *bytes == 0
}

impl Refusal {
    /// The error's text: `failed to allocate 16777216 byte(s) of direct memory (used: 520093983, max: 536870912)`.
    pub fn error(&self) -> &str {
        &self.error
    }

    /// How many bytes were asked for.
    pub fn requested(&self) -> u64 {
        self.requested
    }

    /// How many were in use.
    pub fn used(&self) -> u64 {
        self.used
    }

    /// How many there are.
    pub fn limit(&self) -> u64 {
        self.limit
    }

    /// How many were missing: beside what was in use and what was kept for another.
    pub fn short_by(&self) -> u64 {
        self.used.saturating_add(self.kept).saturating_add(self.requested).saturating_sub(self.limit)
    }

    /// The name of the child budget whose limit it was; `None` if it was the limit of the whole. Not escaped.
    pub fn budget(&self) -> Option<&str> {
        self.budget.as_deref()
    }

    /// How many bytes were kept for the request that had waited longest.
    pub fn kept(&self) -> u64 {
        self.kept
    }

    /// Who asked.
    pub fn site(&self) -> &Site {
        &self.site
    }

    /// The thread that asked. Not escaped.
    pub fn thread(&self) -> &str {
        &self.thread
    }

    /// How long it waited before it gave up.
    pub fn waited(&self) -> Duration {
        self.waited
    }

    /// Who holds references, the largest first; empty at level `DISABLED`.
    ///
    /// Each reference counts its buffer's whole capacity, so the sum can be more than [`used`](Refusal::used).
    pub fn holders(&self) -> &[SiteStats] {
        &self.holders
    }

    /// Bytes that references lost without being given back keep out for good, whoever holds what else.
    pub fn abandoned(&self) -> u64 {
        self.abandoned
    }

    /// The sites that have lost something, largest first, whatever became of theirs; empty when nothing is abandoned.
    pub fn lost(&self) -> &[SiteStats] {
        &self.lost
    }

    /// How many refusals went by unlisted since the one listed before.
    pub fn suppressed(&self) -> u64 {
        self.suppressed
    }

    /// The level in force.
    pub fn level(&self) -> Level {
        self.level
    }
}
