//! One look at all live trails of the process, for whoever wants to know something of single handles.

use std::collections::{HashMap, HashSet};
use std::num::NonZeroU64;
use std::time::Duration;

use crate::clock::Stamp;
use crate::config::AgeLimit;
use crate::detector::state::watchlist::{Figures, Finding, Shown};
use crate::hash::BuildIdHasher;
use crate::ledger::{Counts, RowId};
use crate::report::Seen;
use crate::trail::{Part, family, registry};

/// What is asked of the trails, row by row, and what they said.
#[derive(Debug, Default)]
pub(super) struct Scan {
    rows: HashMap<RowId, Tally, BuildIdHasher>,
    /// Small parts of something larger, of rows that were asked about.
    parts: Vec<SmallPart>,
}

/// A handle that is a small part of something larger.
#[derive(Clone, Copy, Debug)]
struct SmallPart {
    row: RowId,
    shown: Shown,
    part: Part,
    whole_bytes: u64,
}

/// One row's handles.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Tally {
    /// By the ledger: all of them.
    pub(super) live: u64,
    pub(super) live_bytes: u64,
    /// From which age on one is too old.
    limit: Option<Duration>,
    /// Those that have a trail, and how many of them are too old.
    trails: u64,
    over: u64,
    over_bytes: u64,
    /// The oldest one; one with a full trail before any other.
    pub(super) oldest: Option<Shown>,
    oldest_over: Option<Shown>,
}

impl Scan {
    /// Asks for the handles of a row.
    pub(super) fn add(&mut self, row: RowId, counts: &Counts, limit: AgeLimit) {
        let (live, live_bytes) = (counts.live(), counts.live_bytes());
        self.rows.insert(row, Tally { live, live_bytes, limit: limit.get(), ..Tally::default() });
    }

    /// Looks at each live trail once, with the lock bit of its slot alone, for a few comparisons.
    pub(super) fn run(&mut self, now: Stamp) {
        if self.rows.is_empty() {
            return;
        }
        registry::for_each(|id, trail| {
            let Some(tally) = self.rows.get_mut(&trail.row()) else { return };
            let created_at = trail.created().at;
            let shown = Shown { trail: id, created_at, is_full: trail.is_full() };
            tally.trails += 1;
            if let Some(part) = trail.part() {
                self.parts.push(SmallPart { row: trail.row(), shown, part, whole_bytes: trail.bytes() });
            }
            if tally.oldest.is_none_or(|oldest| shown.is_rather_shown_than(&oldest)) {
                tally.oldest = Some(shown);
            }
            if tally.limit.is_some_and(|limit| now.since(created_at) > limit) {
                tally.over += 1;
                tally.over_bytes += trail.bytes();
                if tally.oldest_over.is_none_or(|oldest| created_at < oldest.created_at) {
                    tally.oldest_over = Some(shown);
                }
            }
        });
    }

    /// What was seen of a row.
    pub(super) fn of(&self, row: RowId) -> Option<&Tally> {
        self.rows.get(&row)
    }

    /// A finding for each row with a handle that is too old.
    pub(super) fn held(&self) -> Vec<Finding> {
        let over = self.rows.iter().filter(|(_, tally)| tally.over > 0);
        over.filter_map(|(&row, tally)| {
            let seen = Seen { trails: tally.trails, live: tally.live };
            let figures = Figures::Held { threshold: tally.limit?, seen };
            Some(Finding { row, count: tally.over, bytes: tally.over_bytes, shown: tally.oldest_over, figures })
        })
        .collect()
    }
}

impl Scan {
    /// A finding for each row with parts that have kept something larger alive for so long.
    pub(super) fn pinned(&self, limit: Duration, now: Stamp) -> Vec<Finding> {
        let mut by_row: HashMap<RowId, (Finding, HashSet<NonZeroU64>), BuildIdHasher> = HashMap::default();
        // No slot is locked any more: families are asked one by one.
        for &SmallPart { row, shown, part, whole_bytes } in &self.parts {
            let Some((holding, whole_row)) = family::holding(part.family) else { continue };
            let since = holding.pinned_since(whole_bytes).filter(|&since| now.since(since) >= limit);
            let (Some(since), Some(tally)) = (since, self.of(row)) else { continue };
            let seen = Seen { trails: tally.trails, live: tally.live };
            let figures = Figures::Pinned { since, part_bytes: part.bytes, whole_bytes, whole_row, seen };
            let found = Finding { row, count: 0, bytes: 0, shown: Some(shown), figures };
            let (finding, families) = by_row.entry(row).or_insert_with(|| (found, HashSet::new()));
            finding.count += 1;
            if families.insert(part.family) {
                finding.bytes += whole_bytes;
            }
            // The oldest is shown.
            if let Figures::Pinned { since: oldest, .. } = finding.figures
                && since < oldest
            {
                (finding.figures, finding.shown) = (figures, found.shown);
            }
        }
        by_row.into_values().map(|(finding, _)| finding).collect()
    }
}

impl Shown {
    fn is_rather_shown_than(&self, other: &Shown) -> bool {
        match (self.is_full, other.is_full) {
            (true, false) => true,
            (false, true) => false,
            _ => self.created_at < other.created_at,
        }
    }
}
