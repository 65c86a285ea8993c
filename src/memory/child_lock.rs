//! A lock that a forked child does not wait for.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError, TryLockError};
use std::thread;
use std::time::Duration;

use crate::fork;

/// A mutex that is held for a few instructions. In a forked child a thread that it does not have may hold it: there it is
/// tried for a while, once, and then gone without.
#[derive(Debug)]
pub(crate) struct ChildLock<T> {
    mutex: Mutex<T>,
    /// The fork generation that the value belongs to.
    generation: u32,
    /// The newest generation that waited in vain. Who comes after that one tries, and does not wait.
    lost_in: AtomicU32,
}

/// How often a child tries, a millisecond apart.
const TRIES: u32 = 100;

impl<T> ChildLock<T> {
    pub(crate) fn new(value: T) -> ChildLock<T> {
        let generation = fork::generation();
        ChildLock { mutex: Mutex::new(value), generation, lost_in: AtomicU32::new(generation) }
    }

    /// The value; `None` only in a forked child.
    pub(crate) fn lock(&self) -> Option<MutexGuard<'_, T>> {
        fork::watch();
        let generation = fork::generation();
        if generation == self.generation {
            return Some(self.mutex.lock().unwrap_or_else(PoisonError::into_inner));
        }
        // Relaxed: whoever has not seen it waits once more.
        let tries = if self.lost_in.load(Ordering::Relaxed) == generation { 1 } else { TRIES };
        for tried in 1..=tries {
            match self.mutex.try_lock() {
                Ok(value) => return Some(value),
                Err(TryLockError::Poisoned(poisoned)) => return Some(poisoned.into_inner()),
                Err(TryLockError::WouldBlock) if tried < tries => thread::sleep(Duration::from_millis(1)),
                Err(TryLockError::WouldBlock) => {}
            }
        }
        self.lost_in.store(generation, Ordering::Relaxed);
        None
    }
}
