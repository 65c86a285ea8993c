//! A lock that a forked child does not wait for.

use std::sync::{Mutex, MutexGuard, PoisonError, TryLockError};
use std::thread;
use std::time::Duration;

use crate::fork;

/// A mutex that is held for a few instructions. In a forked child a thread that it does not have may hold it: there it is
/// tried for a while, and then gone without.
#[derive(Debug)]
pub(super) struct ChildLock<T> {
    mutex: Mutex<T>,
    /// The fork generation that the value belongs to.
    generation: u32,
}

/// How often a child tries, a millisecond apart.
const TRIES: u32 = 100;

impl<T> ChildLock<T> {
    pub(super) fn new(value: T) -> ChildLock<T> {
        ChildLock { mutex: Mutex::new(value), generation: fork::generation() }
    }

    /// The value; `None` only in a forked child.
    pub(super) fn lock(&self) -> Option<MutexGuard<'_, T>> {
        fork::watch();
        if fork::generation() == self.generation {
            return Some(self.mutex.lock().unwrap_or_else(PoisonError::into_inner));
        }
        for _ in 0..TRIES {
            match self.mutex.try_lock() {
                Ok(value) => return Some(value),
                Err(TryLockError::Poisoned(poisoned)) => return Some(poisoned.into_inner()),
                Err(TryLockError::WouldBlock) => thread::sleep(Duration::from_millis(1)),
            }
        }
        None
    }
}
