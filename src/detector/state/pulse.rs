//! When a detector was looked at last.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use crate::clock::Stamp;

/// Lets one look through in each interval, whoever asks: the reporter each time that it is awake, or whoever flushes where
/// no reporter runs.
#[derive(Debug, Default)]
pub(in crate::detector) struct Pulse {
    last: Mutex<Option<Stamp>>,
}

impl Pulse {
    /// True if `interval` has gone by since this was true; it counts from now again. The first time it is always true.
    pub(in crate::detector) fn beats(&self, now: Stamp, interval: Duration) -> bool {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        let beats = last.is_none_or(|last| now.since(last) >= interval);
        if beats {
            *last = Some(now);
        }
        beats
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn once_in_an_interval_and_never_backwards() {
        let pulse = Pulse::default();
        let start = Stamp::now();
        let interval = Duration::from_secs(1);
        assert!(pulse.beats(start, interval));
        assert!(!pulse.beats(start.plus(Duration::from_millis(999)), interval));
        assert!(pulse.beats(start.plus(interval), interval));
        assert!(!pulse.beats(start, interval), "a clock that is behind");
        assert!(pulse.beats(start.plus(interval * 2), interval));
    }
}
