//! When something is said: pure rules, in whatever time they are given.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use crate::clock::Stamp;

/// Distinct paths of one cause that are written in full.
pub(in crate::detector) const MAX_PATHS: usize = 8;
/// Full blocks that a process writes in one minute, and lists of holders before a limit that a detector makes.
const BLOCKS_PER_MINUTE: u32 = 20;

const MINUTE: Duration = Duration::from_secs(60);
/// The longest pause between two lines of a cause that goes on, in minutes.
const LONGEST_PAUSE: u32 = 60;

/// What was said of one cause, and what is due.
///
/// ```text
/// first loss          full
/// first full trail    full
/// each new path       full, up to 8 paths
/// still going on      one line 1, 2, 4, 8, 16, 32, 60, 60, … minutes after the line before
/// ```
#[derive(Clone, Debug)]
pub(in crate::detector) struct Schedule {
    pub(in crate::detector) first_at: Stamp,
    last_at: Stamp,
    /// The count that was said last.
    pub(in crate::detector) told: u64,
    pause_minutes: u32,
    had_full_trail: bool,
    paths: Vec<u64>,
}

impl Schedule {
    /// Of a cause that is met now.
    pub(in crate::detector) fn new(now: Stamp) -> Schedule {
        Schedule { first_at: now, last_at: now, told: 0, pause_minutes: 1, had_full_trail: false, paths: Vec::new() }
    }

    /// Whether a loss is written in full. `path` is where it was created and dropped, for one with a full trail.
    pub(in crate::detector) fn wants_in_full(&mut self, path: Option<u64>) -> bool {
        let first = self.told == 0;
        let Some(path) = path else { return first };
        let first_trail = !std::mem::replace(&mut self.had_full_trail, true);
        let new_path = !self.paths.contains(&path) && self.paths.len() < MAX_PATHS;
        if new_path {
            self.paths.push(path);
        }
        first || first_trail || new_path
    }

    /// Whether a line is due that says that the cause goes on.
    pub(in crate::detector) fn is_due(&self, now: Stamp, count: u64) -> bool {
        count > self.told && now.since(self.last_at) >= MINUTE * self.pause_minutes
    }

    /// Notes that `count` was said in full.
    pub(in crate::detector) fn said_in_full(&mut self, now: Stamp, count: u64) {
        self.told = count;
        self.last_at = now;
    }

    /// Notes that `count` was said in one line. Answers how much was new, and in what time.
    pub(in crate::detector) fn said_again(&mut self, now: Stamp, count: u64, on_schedule: bool) -> (u64, Duration) {
        let news = (count - self.told, now.since(self.last_at));
        self.told = count;
        self.last_at = now;
        if on_schedule {
            self.pause_minutes = (self.pause_minutes * 2).min(LONGEST_PAUSE);
        }
        news
    }
}

/// How many blocks the process has written in the present minute.
#[derive(Debug, Default)]
pub(in crate::detector) struct BlockLimit {
    minute: Mutex<Option<(Stamp, u32)>>,
}

impl BlockLimit {
    /// True if another block may be written; it counts as written.
    pub(in crate::detector) fn allows(&self, now: Stamp) -> bool {
        let mut minute = self.minute.lock().unwrap_or_else(PoisonError::into_inner);
        match &mut *minute {
            Some((since, used)) if now.since(*since) < MINUTE => {
                *used += 1;
                *used <= BLOCKS_PER_MINUTE
            }
            other => {
                *other = Some((now, 1));
                true
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn minute(n: u64) -> Stamp {
        Stamp::from_nanos((n + 1) * 60_000_000_000)
    }

    #[test]
    fn in_full_at_first_at_the_first_trail_and_for_eight_paths() {
        let mut schedule = Schedule::new(minute(0));
        assert!(schedule.wants_in_full(None));
        schedule.said_in_full(minute(0), 1);
        assert!(!schedule.wants_in_full(None));
        assert!(schedule.wants_in_full(Some(1)), "the first trail");
        assert!(!schedule.wants_in_full(Some(1)));
        let full = (0..100).filter(|path| schedule.wants_in_full(Some(*path))).count();
        assert_eq!(full, MAX_PATHS - 1);
    }

    #[test]
    fn a_cause_that_goes_on_is_told_at_growing_pauses() {
        let mut schedule = Schedule::new(minute(0));
        schedule.said_in_full(minute(0), 1);
        let mut told_at = Vec::new();
        for n in 1..=300 {
            let count = 1 + n;
            if schedule.is_due(minute(n), count) {
                schedule.said_again(minute(n), count, true);
                told_at.push(n);
            }
        }
        assert_eq!(told_at, [1, 3, 7, 15, 31, 63, 123, 183, 243]);
        assert!(!schedule.is_due(minute(1_000), 244), "nothing new");
    }

    #[test]
    fn twenty_blocks_a_minute() {
        let limit = BlockLimit::default();
        assert_eq!((0..100).filter(|_| limit.allows(minute(0))).count(), 20);
        assert_eq!((0..100).filter(|_| limit.allows(minute(1))).count(), 20);
    }
}
