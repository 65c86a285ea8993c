//! Which of the budget monitor's samples are worth a line of the story.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use leaktrail::MemorySample;

use crate::say::say;

/// How often the library looks. A service would say 10 s.
pub(crate) const INTERVAL: Duration = Duration::from_millis(5);

/// Lines for each rise of `used`, and lines for the requests that were answered, in parts of the whole.
const PARTS: u64 = 4;

/// Prints a sample whenever another quarter of the limit is used, another quarter of the requests is answered, or the
/// library says that the budget only ever climbs.
#[derive(Debug)]
pub(crate) struct Teller {
    pub(crate) answered: Arc<AtomicU64>,
    pub(crate) refused: Arc<AtomicU64>,
    pub(crate) requests: u64,
    told: Told,
}

/// What was told already. Only the monitor's thread looks, so `Relaxed` is enough.
#[derive(Debug, Default)]
struct Told {
    filled: AtomicU64,
    done: AtomicU64,
    climbs: AtomicBool,
}

impl Teller {
    pub(crate) fn new(answered: Arc<AtomicU64>, refused: Arc<AtomicU64>, requests: u64) -> Teller {
        Teller { answered, refused, requests, told: Told::default() }
    }

    /// The monitor's sink.
    pub(crate) fn tell(&self, sample: &MemorySample) {
        let figures = sample.figures();
        let answered = self.answered.load(Ordering::Relaxed);
        let filled = figures.limit().map_or(0, |limit| figures.reserved() * PARTS / limit.max(1));
        let done = (answered * PARTS).checked_div(self.requests).unwrap_or(0);
        let climbs = sample.climb().is_some();
        // Each is noted, whichever makes the line.
        let more = [
            self.told.filled.fetch_max(filled, Ordering::Relaxed) < filled,
            self.told.done.fetch_max(done, Ordering::Relaxed) < done,
            climbs && !self.told.climbs.swap(true, Ordering::Relaxed),
        ];
        if more.contains(&true) {
            let refused = self.refused.load(Ordering::Relaxed);
            say!("monitor: {sample}, answered {answered}, 503: {refused}");
        }
    }
}
