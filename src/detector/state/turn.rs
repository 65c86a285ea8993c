//! Whose turn it is to make and deliver reports.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Whose turn it is to make and deliver reports. Not a lock over user code: nobody waits for it without a bound.
#[derive(Debug, Default)]
pub(in crate::detector) struct Turn {
    taken: Mutex<bool>,
    free: Condvar,
}

/// The turn, for as long as it is held.
#[derive(Debug)]
pub(in crate::detector) struct Held<'a>(&'a Turn);

impl Turn {
    /// Takes the turn, waiting at most so long for it.
    pub(in crate::detector) fn take(&self, patience: Duration) -> Option<Held<'_>> {
        let deadline = Instant::now() + patience;
        let mut taken = self.lock();
        while *taken {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return None;
            }
            taken = self.free.wait_timeout(taken, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        *taken = true;
        Some(Held(self))
    }

    /// True if somebody has it.
    pub(in crate::detector) fn is_taken(&self) -> bool {
        *self.lock()
    }

    fn lock(&self) -> MutexGuard<'_, bool> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Held<'_> {
    fn drop(&mut self) {
        *self.0.lock() = false;
        self.0.free.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_turn_is_one_threads_and_nobody_waits_for_ever() {
        let turn = Turn::default();
        let held = turn.take(Duration::ZERO).unwrap();
        assert!(turn.take(Duration::from_millis(1)).is_none());
        assert!(turn.is_taken());
        drop(held);
        assert!(turn.take(Duration::ZERO).is_some());
        assert!(!turn.is_taken());
    }
}
