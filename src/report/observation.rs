//! What was seen of handles that are alive.

use std::sync::Arc;
use std::time::Duration;

use super::{Origin, Site};

/// What was seen of handles that are alive: the figures behind `GROW:`, `HELD:` and `PINNED:`.
///
/// Nobody lost anything; so a report with one of these has no drop, and its records are those of a handle that is alive.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "snake_case"))]
#[non_exhaustive]
pub enum Observation {
    /// The live count of a site rose in window after window.
    Growth {
        /// In how many windows in a row.
        windows: u32,
        /// How long one of them is.
        #[cfg_attr(feature = "serde", serde(rename = "window_ms", with = "crate::report::json::millis"))]
        window: Duration,
        /// How many handles the site has made in them.
        created: u64,
        /// How many it got back in them.
        released: u64,
    },
    /// A handle is alive for too long.
    Held {
        /// For how long the oldest one is.
        #[cfg_attr(feature = "serde", serde(rename = "age_ms", with = "crate::report::json::millis"))]
        age: Duration,
        /// From when on that is too long.
        #[cfg_attr(feature = "serde", serde(rename = "threshold_ms", with = "crate::report::json::millis"))]
        threshold: Duration,
        /// Its newest touch, where one was recorded.
        last_touch: Option<LastTouch>,
        /// Out of how many the report's count was found.
        seen: Seen,
    },
    /// The one that an earlier report was about is alive no more.
    CameBack {
        /// For how long it was seen alive.
        #[cfg_attr(feature = "serde", serde(rename = "age_ms", with = "crate::report::json::millis"))]
        age: Duration,
    },
    /// A small part of a buffer keeps the whole of it alive.
    Pinned {
        /// For how long nothing larger has.
        #[cfg_attr(feature = "serde", serde(rename = "age_ms", with = "crate::report::json::millis"))]
        age: Duration,
        /// How the part was made from another reference.
        origin: Origin,
        /// How large the part is.
        part_bytes: u64,
        /// How large the buffer is.
        whole_bytes: u64,
        /// Where the buffer was created, where that is known.
        whole_site: Option<Site>,
        /// Out of how many the report's count was found.
        seen: Seen,
    },
}

/// Where a handle was touched last, and how long ago.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct LastTouch {
    pub(crate) place: Arc<str>,
    #[cfg_attr(feature = "serde", serde(rename = "ago_ms", with = "crate::report::json::millis"))]
    pub(crate) ago: Duration,
}

impl LastTouch {
    /// Where: `src/orders.rs:120:9`, or the name of a function. Not escaped.
    pub fn place(&self) -> &str {
        &self.place
    }

    /// How long before the report.
    pub fn ago(&self) -> Duration {
        self.ago
    }
}

/// Out of how many handles of a site some were found: all of them, or those that have a trail.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Seen {
    pub(crate) trails: u64,
    pub(crate) live: u64,
}

impl Seen {
    /// Both together.
    pub(crate) fn plus(self, other: Seen) -> Seen {
        Seen { trails: self.trails + other.trails, live: self.live + other.live }
    }

    /// How many have a trail, and were looked at.
    pub fn trails(self) -> u64 {
        self.trails
    }

    /// How many were alive at the site.
    pub fn live(self) -> u64 {
        self.live
    }

    /// Whether each one was looked at, as at PARANOID; else what was found is a sample.
    pub fn is_everything(self) -> bool {
        self.trails >= self.live
    }
}
