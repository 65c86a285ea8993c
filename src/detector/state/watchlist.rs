//! What ticks have found of handles that are alive, by cause, and what was said of it.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::schedule::Schedule;
use crate::clock::Stamp;
use crate::ledger::{Growing, RowId, row};
use crate::report::{Fingerprint, Seen, Verdict};
use crate::trail::{self, TrailId};

/// Causes that are told apart; of more nothing is told, and they are counted.
const MAX_CAUSES: usize = 1_024;

/// Handles that lines were about and whose return is waited for, in all detectors: nearly always none.
static NAMED: AtomicU64 = AtomicU64::new(0);

/// True if the return of some handle is waited for.
#[inline]
pub(in crate::detector) fn is_any_named() -> bool {
    // Relaxed: the handle was told on another thread, long before this one ends it, or nobody minds.
    NAMED.load(Ordering::Relaxed) > 0
}

/// What a tick has found of one cause. Numbers alone: whoever writes the report looks the rest up.
#[derive(Clone, Copy, Debug)]
pub(in crate::detector) struct Finding {
    /// Where resource and site stand.
    pub(in crate::detector) row: RowId,
    /// How many handles, and their bytes.
    pub(in crate::detector) count: u64,
    pub(in crate::detector) bytes: u64,
    /// The handle that is shown, if one has a trail.
    pub(in crate::detector) shown: Option<Shown>,
    pub(in crate::detector) figures: Figures,
}

/// A handle by its trail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::detector) struct Shown {
    pub(in crate::detector) trail: TrailId,
    pub(in crate::detector) created_at: Stamp,
    /// Its accesses are recorded too.
    pub(in crate::detector) is_full: bool,
}

/// What is particular to each verdict.
#[derive(Clone, Copy, Debug)]
pub(in crate::detector) enum Figures {
    Growth { growing: Growing, promoted: u32 },
    Held { threshold: Duration, seen: Seen },
    CameBack { age: Duration },
    Pinned { since: Stamp, part_bytes: u64, whole_bytes: u64, whole_row: Option<RowId>, seen: Seen },
}

impl Figures {
    pub(in crate::detector) fn verdict(&self) -> Verdict {
        match self {
            Figures::Growth { .. } => Verdict::Growing,
            Figures::Held { .. } | Figures::CameBack { .. } => Verdict::HeldTooLong,
            Figures::Pinned { .. } => Verdict::Pinned,
        }
    }
}

/// What is to be written of a cause.
#[derive(Clone, Copy, Debug)]
pub(in crate::detector) struct Due {
    pub(in crate::detector) fingerprint: Fingerprint,
    pub(in crate::detector) finding: Finding,
    pub(in crate::detector) first_at: Stamp,
    /// How many more there are since the last line, and in what time; nothing for one in full.
    pub(in crate::detector) again: Option<(u64, Duration)>,
}

/// What one detector's ticks have found.
#[derive(Debug, Default)]
pub(in crate::detector) struct Watchlist {
    causes: Mutex<Causes>,
    /// Something has come up that no pass has looked at.
    pending: AtomicBool,
    refused: AtomicU64,
}

#[derive(Debug, Default)]
struct Causes {
    by_fingerprint: HashMap<Fingerprint, Cause>,
    /// Handles that a line was about and that are alive no more.
    came_back: Vec<Due>,
}

#[derive(Debug)]
struct Cause {
    finding: Finding,
    schedule: Schedule,
    /// How often it was found: what the schedule counts.
    times: u64,
    /// It was found by the last tick that looked.
    goes_on: bool,
    /// What the last line about it said.
    told_count: u64,
    /// The handle that the last line was about, and when it was seen alive last.
    named: Option<(Shown, Stamp)>,
}

impl Watchlist {
    /// Notes everything of a verdict that a tick has found; what is not among it goes on no more.
    pub(in crate::detector) fn note(&self, verdict: Verdict, findings: &[Finding], now: Stamp) {
        let mut causes = self.lock();
        let of_verdict = causes.by_fingerprint.values_mut().filter(|cause| cause.finding.figures.verdict() == verdict);
        of_verdict.for_each(|cause| cause.goes_on = false);
        for finding in findings {
            let Some(meta) = row(finding.row).meta() else { continue };
            let fingerprint = Fingerprint::of(&meta.resource, verdict, &meta.site);
            let known = causes.by_fingerprint.len();
            if known >= MAX_CAUSES && !causes.by_fingerprint.contains_key(&fingerprint) {
                // Relaxed: a figure.
                self.refused.fetch_add(1, Ordering::Relaxed);
                continue;
            }
            let cause = causes.by_fingerprint.entry(fingerprint).or_insert_with(|| Cause {
                finding: *finding,
                schedule: Schedule::new(now),
                times: 0,
                goes_on: false,
                told_count: 0,
                named: None,
            });
            cause.finding = if cause.goes_on { cause.finding.with(finding) } else { *finding };
            cause.goes_on = true;
            cause.times += 1;
            if cause.schedule.told == 0 {
                // Release: pairs with the Acquire in `is_pending`.
                self.pending.store(true, Ordering::Release);
            }
        }
    }

    /// Looks whether the handles that lines of [`HeldTooLong`](Verdict::HeldTooLong) were about are still alive.
    pub(in crate::detector) fn look_at_named(&self, now: Stamp) {
        let mut causes = self.lock();
        let Causes { by_fingerprint, came_back } = &mut *causes;
        for (&fingerprint, cause) in by_fingerprint {
            let Some((shown, seen_at)) = &mut cause.named else { continue };
            if trail::registry::with(shown.trail, |_| ()).is_some() {
                *seen_at = now;
                continue;
            }
            let age = seen_at.since(shown.created_at);
            let finding =
                Finding { count: 1, bytes: 0, shown: None, figures: Figures::CameBack { age }, ..cause.finding };
            came_back.push(Due { fingerprint, finding, first_at: cause.schedule.first_at, again: None });
            cause.name(None);
            // Release: pairs with the Acquire in `is_pending`.
            self.pending.store(true, Ordering::Release);
        }
    }

    /// Waits no more for this handle's return.
    pub(in crate::detector) fn forget(&self, trail: TrailId) {
        for cause in self.lock().by_fingerprint.values_mut() {
            if cause.named.is_some_and(|(shown, _)| shown.trail == trail) {
                cause.name(None);
            }
        }
    }

    /// Takes what is to be written now; with `all`, each cause whose count has changed as well.
    pub(in crate::detector) fn take_due(&self, now: Stamp, all: bool) -> Vec<Due> {
        self.pending.store(false, Ordering::Release);
        let mut causes = self.lock();
        let mut due = std::mem::take(&mut causes.came_back);
        for (&fingerprint, cause) in &mut causes.by_fingerprint {
            due.extend(cause.due(now, all).map(|again| Due {
                fingerprint,
                finding: cause.finding,
                first_at: cause.schedule.first_at,
                again,
            }));
        }
        due.sort_by_key(|due| (due.first_at, due.finding.row));
        due
    }

    /// True if something has come up that no pass has looked at.
    pub(in crate::detector) fn is_pending(&self) -> bool {
        self.pending.load(Ordering::Acquire)
    }

    /// How many causes of a verdict go on, and how many handles they are together.
    pub(in crate::detector) fn going_on(&self, verdict: Verdict) -> (u64, u64) {
        let causes = self.lock();
        let found = causes.by_fingerprint.values();
        let found = found.filter(|cause| cause.goes_on && cause.finding.figures.verdict() == verdict);
        found.fold((0, 0), |(sites, handles), cause| (sites + 1, handles + cause.finding.count))
    }

    /// How often a cause found no room.
    pub(in crate::detector) fn over_cap(&self) -> u64 {
        self.refused.load(Ordering::Relaxed)
    }

    fn lock(&self) -> MutexGuard<'_, Causes> {
        self.causes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Cause {
    /// Whether a line is due, which counts as written then; within, what is more since the last one, unless it is in full.
    #[expect(clippy::option_option, reason = "no line, one in full, one that goes on")]
    fn due(&mut self, now: Stamp, all: bool) -> Option<Option<(u64, Duration)>> {
        if !self.goes_on {
            return None;
        }
        let count = self.finding.count;
        // Which handle is shown is no news, so all full trails are one path.
        let path = self.finding.shown.filter(|shown| shown.is_full).map(|_| 0);
        let again = if self.schedule.wants_in_full(path) {
            self.schedule.said_in_full(now, self.times);
            None
        } else {
            let on_schedule = self.schedule.is_due(now, self.times);
            if !(on_schedule || all && count != self.told_count) {
                return None;
            }
            let (_, window) = self.schedule.said_again(now, self.times, on_schedule);
            Some((count.saturating_sub(self.told_count), window))
        };
        self.told_count = count;
        if self.finding.figures.verdict() == Verdict::HeldTooLong {
            self.name(self.finding.shown.map(|shown| (shown, now)));
        }
        Some(again)
    }

    fn name(&mut self, named: Option<(Shown, Stamp)>) {
        let (before, after) = (self.named.is_some(), named.is_some());
        self.named = named;
        // Relaxed: see `is_any_named`.
        match (before, after) {
            (false, true) => _ = NAMED.fetch_add(1, Ordering::Relaxed),
            (true, false) => _ = NAMED.fetch_sub(1, Ordering::Relaxed),
            _ => {}
        }
    }
}

impl Drop for Cause {
    /// Its detector is gone.
    fn drop(&mut self) {
        self.name(None);
    }
}

impl Finding {
    /// Both together: two rows that are one site to a reader.
    fn with(self, other: &Finding) -> Finding {
        let figures = match (self.figures, other.figures) {
            (Figures::Growth { growing, promoted }, Figures::Growth { growing: more, .. }) => {
                let growing = Growing {
                    windows: growing.windows.min(more.windows),
                    created: growing.created + more.created,
                    released: growing.released + more.released,
                    ..growing
                };
                Figures::Growth { growing, promoted }
            }
            (Figures::Held { threshold, seen }, Figures::Held { seen: more, .. }) => {
                Figures::Held { threshold, seen: seen.plus(more) }
            }
            (
                Figures::Pinned { since, part_bytes, whole_bytes, whole_row, seen },
                Figures::Pinned { seen: more, .. },
            ) => Figures::Pinned { since, part_bytes, whole_bytes, whole_row, seen: seen.plus(more) },
            (figures, _) => figures,
        };
        let shown = self.shown.or(other.shown);
        Finding { count: self.count + other.count, bytes: self.bytes + other.bytes, shown, figures, ..self }
    }
}
