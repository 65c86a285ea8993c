//! How much of a report is said, and how much was there to say.

use std::time::{Duration, SystemTime};

/// How much of a report is written: once in full, then less and less.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "snake_case"))]
#[non_exhaustive]
pub enum Form {
    /// The first line and the trail.
    Full,
    /// The first line alone, because this minute's full blocks are used up.
    Line,
    /// One line for a cause that was reported before and goes on.
    Again {
        /// How many more since the last line about it.
        more: u64,
        /// How long ago that last line was.
        #[cfg_attr(feature = "serde", serde(rename = "window_ms", with = "crate::report::json::millis"))]
        window: Duration,
        /// When the cause was seen first.
        #[cfg_attr(feature = "serde", serde(with = "crate::report::json::rfc3339"))]
        since: SystemTime,
    },
}

/// How much was recorded of the handle that a report is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "snake_case"))]
pub enum TrailDepth {
    /// Nothing: it was counted at its site, and that is all.
    None,
    /// Its creation.
    CreationOnly,
    /// Its creation, its touches and its drop.
    Full,
}
