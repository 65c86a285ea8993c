//! The exact counts of one site.

use std::cmp::Ordering;
use std::sync::Arc;
use std::time::Duration;

use super::{Origin, Site};

/// The exact counts of one resource at one site.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Deserialize))]
pub struct SiteStats {
    pub(crate) resource: Arc<str>,
    pub(crate) site: Site,
    pub(crate) origin: Origin,
    pub(crate) created: u64,
    pub(crate) released: u64,
    pub(crate) leaked: u64,
    pub(crate) untracked: u64,
    pub(crate) live_bytes: u64,
    pub(crate) leaked_bytes: u64,
    pub(crate) recent: Option<Recent>,
    /// The live count was not at 0 for at least this long.
    #[cfg_attr(feature = "serde", serde(default, rename = "nonzero_for_ms", with = "crate::report::json::opt_millis"))]
    pub(crate) nonzero_for: Option<Duration>,
}

/// What a site did of late.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Recent {
    #[cfg_attr(feature = "serde", serde(rename = "window_ms", with = "crate::report::json::millis"))]
    pub(crate) window: Duration,
    pub(crate) created: u64,
    pub(crate) released: u64,
}

impl SiteStats {
    /// The order of holders: what holds most comes first.
    pub(crate) fn by_live(one: &SiteStats, other: &SiteStats) -> Ordering {
        (other.live_bytes(), other.live(), &one.site).cmp(&(one.live_bytes(), one.live(), &other.site))
    }

    /// The order of losers: what lost most comes first.
    pub(crate) fn by_lost(one: &SiteStats, other: &SiteStats) -> Ordering {
        (other.leaked_bytes(), other.leaked(), &one.site).cmp(&(one.leaked_bytes(), one.leaked(), &other.site))
    }

    /// The name of the resource. Not escaped.
    pub fn resource(&self) -> &str {
        &self.resource
    }

    /// The place that makes the handles.
    pub fn site(&self) -> &Site {
        &self.site
    }

    /// How the handles come to be.
    pub fn origin(&self) -> Origin {
        self.origin
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

    /// How many were let go on purpose, with `into_untracked`.
    pub fn untracked(&self) -> u64 {
        self.untracked
    }

    /// How many are alive: created, and neither released, leaked nor untracked.
    pub fn live(&self) -> u64 {
        self.created.saturating_sub(self.released).saturating_sub(self.leaked).saturating_sub(self.untracked)
    }

    /// The bytes of those that are alive.
    pub fn live_bytes(&self) -> u64 {
        self.live_bytes
    }

    /// The bytes of those that were lost.
    pub fn leaked_bytes(&self) -> u64 {
        self.leaked_bytes
    }

    /// What happened of late, where a window was measured.
    pub fn recent(&self) -> Option<Recent> {
        self.recent
    }

    /// How long, at least, the live count has not been at 0, where it is known. Not the age of any one handle.
    pub fn nonzero_for(&self) -> Option<Duration> {
        self.nonzero_for
    }
}

impl Recent {
    /// How far back it goes.
    pub fn window(&self) -> Duration {
        self.window
    }

    /// How many handles were made within it.
    pub fn created(&self) -> u64 {
        self.created
    }

    /// How many were released within it.
    pub fn released(&self) -> u64 {
        self.released
    }
}
