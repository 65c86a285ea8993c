//! What a scope finds when it looks: pure rules over a snapshot.

use super::rules::Rules;
use crate::level::Level;
use crate::report::{SiteStats, Snapshot};

/// One look at a scope's detector.
#[derive(Debug)]
pub(super) struct Balance {
    /// The level in force when it looked.
    pub(super) level: Level,
    /// Rows that have lost a handle and are not ignored, most losses first.
    pub(super) lost: Vec<SiteStats>,
    /// Rows with a live handle that are not ignored, most bytes first.
    pub(super) live: Vec<SiteStats>,
    /// How many live handles there should be.
    pub(super) expected_live: u64,
    /// Rows that are ignored, and why.
    pub(super) ignored: Vec<(SiteStats, String)>,
}

impl Balance {
    pub(super) fn new(snapshot: &Snapshot, rules: &Rules) -> Balance {
        let mut balance = Balance {
            level: snapshot.level(),
            lost: Vec::new(),
            live: Vec::new(),
            expected_live: rules.expected_live,
            ignored: Vec::new(),
        };
        for row in snapshot.sites().iter().filter(|row| row.leaked() > 0 || row.live() > 0) {
            match rules.reason(row) {
                Some(reason) => balance.ignored.push((row.clone(), reason.to_owned())),
                None => {
                    if row.leaked() > 0 {
                        balance.lost.push(row.clone());
                    }
                    if row.live() > 0 {
                        balance.live.push(row.clone());
                    }
                }
            }
        }
        balance.lost.sort_by_key(|row| std::cmp::Reverse((row.leaked(), row.leaked_bytes())));
        balance
    }

    /// True if everything came back but what is meant to stay, and the detector could have seen it if it had not.
    pub(super) fn is_clean(&self) -> bool {
        !self.is_beyond_repair() && self.live_count() == self.expected_live
    }

    /// True if waiting changes nothing: what is lost does not come back, and a detector that is off sees nothing.
    pub(super) fn is_beyond_repair(&self) -> bool {
        !self.lost.is_empty() || self.is_blind()
    }

    /// True if the detector is off, by an inner fault or since the test switched it off.
    pub(super) fn is_blind(&self) -> bool {
        self.level == Level::Disabled
    }

    pub(super) fn live_count(&self) -> u64 {
        self.live.iter().map(SiteStats::live).sum()
    }
}
