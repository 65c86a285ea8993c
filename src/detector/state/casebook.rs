//! The causes met so far: which rows each has, and what was said of it.

use std::collections::{HashMap, HashSet};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::losses::{Facts, Loss};
use super::schedule::Schedule;
use crate::clock::Stamp;
use crate::ledger::{self, RowId, row};
use crate::report::{Fingerprint, Verdict};

/// Causes told apart in one detector. The losses of more are counted at their sites and told at exit alone.
pub(in crate::detector) const MAX_CAUSES: usize = 1_024;

/// Every cause of one detector, by fingerprint.
#[derive(Debug, Default)]
pub(in crate::detector) struct Casebook {
    causes: Mutex<Causes>,
}

#[derive(Debug, Default)]
struct Causes {
    by_fingerprint: HashMap<Fingerprint, Cause>,
    /// Fingerprints beyond the cap, counted once for each site.
    refused: HashSet<RowId>,
}

#[derive(Debug)]
struct Cause {
    /// Mostly one: several when two origins or two spellings of a path are one site to a reader.
    rows: Vec<RowId>,
    schedule: Schedule,
    facts: Facts,
}

/// What is to be written of a cause.
#[derive(Clone, Copy, Debug)]
pub(in crate::detector) struct Entry {
    pub(in crate::detector) fingerprint: Fingerprint,
    pub(in crate::detector) row: RowId,
    pub(in crate::detector) facts: Facts,
    pub(in crate::detector) totals: Totals,
    pub(in crate::detector) first_at: Stamp,
    /// How many were lost since the last line, and in what time; nothing for one in full.
    pub(in crate::detector) again: Option<(u64, Duration)>,
}

/// The figures of one cause.
#[derive(Clone, Copy, Debug, Default)]
pub(in crate::detector) struct Totals {
    pub(in crate::detector) created: u64,
    pub(in crate::detector) lost: u64,
    pub(in crate::detector) lost_bytes: u64,
}

impl Casebook {
    /// Notes the causes of losses that are about to be written, which takes a while: what has not come out of it when the
    /// process ends is [`unwritten`](Casebook::unwritten).
    pub(in crate::detector) fn meet(&self, losses: &[Loss]) {
        let mut causes = self.lock();
        for loss in losses {
            causes.meet(loss);
        }
    }

    /// Enters a loss. An entry comes back if it is to be written in full now.
    pub(in crate::detector) fn enter(&self, loss: &Loss, path: Option<u64>, now: Stamp) -> Option<Entry> {
        let mut causes = self.lock();
        let (fingerprint, cause) = causes.meet(loss)?;
        if !cause.schedule.wants_in_full(path) {
            return None;
        }
        let totals = totals(&cause.rows);
        cause.schedule.said_in_full(now, totals.lost);
        let first_at = cause.schedule.first_at;
        Some(Entry { fingerprint, row: loss.row, facts: loss.facts, totals, first_at, again: None })
    }

    /// The causes with more losses than reports were written of, for the exit handler: whoever was to write them has not.
    /// `written` is the count of a cause's last report.
    pub(in crate::detector) fn unwritten(&self, now: Stamp, written: impl Fn(Fingerprint) -> u64) -> Vec<Entry> {
        let mut entries = Vec::new();
        for (&fingerprint, cause) in &self.lock().by_fingerprint {
            let (totals, before, first_at) = (totals(&cause.rows), written(fingerprint), cause.schedule.first_at);
            if let (Some(&row), true) = (cause.rows.first(), totals.lost > before) {
                let again = (before > 0).then(|| (totals.lost - before, now.since(first_at)));
                // Nobody will have a trail any more.
                let facts = Facts { promoted: 0, ..cause.facts };
                entries.push(Entry { fingerprint, row, facts, totals, first_at, again });
            }
        }
        entries.sort_by_key(|entry| (entry.first_at, entry.row));
        entries
    }

    /// The causes that go on and whose line is due; with `all`, every cause whose count has changed. One of which nothing
    /// was written yet does not go on: another pass has it in hand.
    pub(in crate::detector) fn going_on(
        &self,
        now: Stamp,
        all: bool,
        written: impl Fn(Fingerprint) -> u64,
    ) -> Vec<Entry> {
        let mut causes = self.lock();
        let mut entries: Vec<Entry> = causes
            .by_fingerprint
            .iter_mut()
            .filter_map(|(&fingerprint, cause)| {
                let lost = lost(&cause.rows);
                let on_schedule = cause.schedule.is_due(now, lost);
                let has_news = lost > cause.schedule.told;
                if !(on_schedule || all && has_news) || written(fingerprint) == 0 {
                    return None;
                }
                let totals = totals(&cause.rows);
                let again = cause.schedule.said_again(now, totals.lost, on_schedule);
                let row = *cause.rows.first()?;
                let first_at = cause.schedule.first_at;
                Some(Entry { fingerprint, row, facts: cause.facts, totals, first_at, again: Some(again) })
            })
            .collect();
        entries.sort_by_key(|entry| (entry.first_at, entry.row));
        entries
    }

    /// Causes that were not told apart.
    pub(in crate::detector) fn over_cap(&self) -> u64 {
        self.lock().refused.len() as u64
    }

    fn lock(&self) -> MutexGuard<'_, Causes> {
        self.causes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Causes {
    /// The cause of a loss, with the latest circumstances. `None` when it finds no room any more.
    fn meet(&mut self, loss: &Loss) -> Option<(Fingerprint, &mut Cause)> {
        let meta = row(loss.row).meta()?;
        let fingerprint = Fingerprint::of(&meta.resource, Verdict::Unreleased, &meta.site);
        let known = self.by_fingerprint.len();
        if known >= MAX_CAUSES && !self.by_fingerprint.contains_key(&fingerprint) {
            self.refused.insert(loss.row);
            return None;
        }
        let cause = self.by_fingerprint.entry(fingerprint).or_insert_with(|| Cause {
            rows: Vec::with_capacity(1),
            schedule: Schedule::new(loss.facts.at),
            facts: loss.facts,
        });
        if !cause.rows.contains(&loss.row) {
            cause.rows.push(loss.row);
        }
        cause.facts = loss.facts;
        Some((fingerprint, cause))
    }
}

fn totals(rows: &[RowId]) -> Totals {
    let sum = ledger::totals(rows);
    Totals { created: sum.created, lost: sum.leaked, lost_bytes: sum.leaked_bytes }
}

/// What was lost alone: it stands in the rows and needs no look at the threads' cells.
fn lost(rows: &[RowId]) -> u64 {
    rows.iter().map(|&id| row(id).lost().0).sum()
}
