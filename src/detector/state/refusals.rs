//! Refused reservations: listed once an episode, then counted.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::clock::Stamp;
use crate::report::{Refusal, SiteStats};

/// Refusals closer together than this are one episode: the first is listed, the others are counted.
const EPISODE: Duration = Duration::from_secs(10);
/// How old the rows may be that a refusal within an episode carries.
const FRESH: Duration = Duration::from_millis(100);
/// Listings that wait for the reporter; more are discarded and counted. One an episode comes: this is minutes of silence.
const MAX_WAITING: usize = 16;

/// The refusals of one detector's allocators.
#[derive(Debug, Default)]
pub(in crate::detector) struct Refusals {
    episode: Mutex<Episode>,
    pending: AtomicBool,
    discarded: AtomicU64,
}

#[derive(Debug, Default)]
struct Episode {
    /// When the last refusal was listed.
    listed_at: Option<Stamp>,
    /// Refusals since.
    counted: u64,
    /// Listed and not delivered yet.
    waiting: Vec<Arc<Refusal>>,
    /// Every row as it was read last, and when.
    rows: Option<(Stamp, Arc<[SiteStats]>)>,
}

/// What waits to be told of refusals.
#[derive(Debug)]
pub(in crate::detector) struct Untold {
    /// The first of each episode.
    pub(in crate::detector) listings: Vec<Arc<Refusal>>,
    /// Refusals since the last one listed; 0 but at a flush.
    pub(in crate::detector) counted: u64,
}

impl Refusals {
    /// The ledger's rows, if they were read a moment ago: a flood of refusals does not walk the ledger for each.
    pub(in crate::detector) fn fresh_rows(&self, now: Stamp) -> Option<Arc<[SiteStats]>> {
        self.lock().rows.clone().filter(|(at, _)| now.since(*at) < FRESH).map(|(_, rows)| rows)
    }

    /// Keeps the rows for the refusals of the next moment.
    pub(in crate::detector) fn keep_rows(&self, now: Stamp, rows: Arc<[SiteStats]>) {
        self.lock().rows = Some((now, rows));
    }

    /// Enters a refusal. If it begins an episode it is to be listed: the answer is how many were counted since the last
    /// one that was. Else it is counted.
    pub(in crate::detector) fn enter(&self, now: Stamp) -> Option<u64> {
        let mut episode = self.lock();
        if episode.listed_at.is_some_and(|listed_at| now.since(listed_at) < EPISODE) {
            episode.counted += 1;
            return None;
        }
        episode.listed_at = Some(now);
        Some(std::mem::take(&mut episode.counted))
    }

    /// Queues a listing for the reporter.
    pub(in crate::detector) fn queue(&self, refusal: Arc<Refusal>) {
        let mut episode = self.lock();
        if episode.waiting.len() < MAX_WAITING {
            episode.waiting.push(refusal);
            // Release: pairs with the Acquire in `is_pending`.
            self.pending.store(true, Ordering::Release);
        } else {
            // Relaxed: a figure.
            self.discarded.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Takes what is to be told; with `counted_too`, the refusals since the last listing as well.
    pub(in crate::detector) fn take(&self, counted_too: bool) -> Untold {
        self.pending.store(false, Ordering::Release);
        let mut episode = self.lock();
        let counted = if counted_too { std::mem::take(&mut episode.counted) } else { 0 };
        Untold { listings: std::mem::take(&mut episode.waiting), counted }
    }

    /// True if a listing waits.
    pub(in crate::detector) fn is_pending(&self) -> bool {
        self.pending.load(Ordering::Acquire)
    }

    /// Listings that were not kept.
    pub(in crate::detector) fn discarded(&self) -> u64 {
        self.discarded.load(Ordering::Relaxed)
    }

    fn lock(&self) -> MutexGuard<'_, Episode> {
        self.episode.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_listing_an_episode_and_a_count_of_the_rest() {
        let refusals = Refusals::default();
        let now = Stamp::now();
        assert_eq!(refusals.enter(now), Some(0));
        for _ in 0..136 {
            assert_eq!(refusals.enter(now.plus(Duration::from_secs(9))), None);
        }
        assert_eq!(refusals.enter(now.plus(EPISODE)), Some(136));
        assert_eq!(refusals.enter(now.plus(EPISODE)), None);
        assert_eq!(refusals.take(true).counted, 1);
        assert_eq!(refusals.take(true).counted, 0, "told once");
    }
}
