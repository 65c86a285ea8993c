//! A lock that nobody waits for.
#![allow(unsafe_code, reason = "the value is reached under one bit; listed in docs/SAFETY.md")]

use crate::sync::{AtomicBool, Ordering, UnsafeCell, hint};

/// A value behind one bit. Who finds it taken goes another way, so a fork, a signal or a thread that is not scheduled
/// costs others nothing. The owner of a value that others hardly ever want pays one exchange.
///
/// Invariant T1: the value is touched only between an exchange that found the bit clear and the store that clears it, by the
/// thread that exchanged it.
#[derive(Debug)]
pub(super) struct TryLock<T> {
    taken: AtomicBool,
    value: UnsafeCell<T>,
}

// SAFETY: T1, the value is never touched by two threads at once, and the exchange and the store of `taken` order one access
// before the next; a `T: Send` may be touched by one thread after another.
unsafe impl<T: Send> Sync for TryLock<T> {}

/// How often who is patient looks. After the first few it gives way to other threads each time, so it is for a holder
/// that was interrupted, and the end of it for one that a forked child does not have.
const PATIENCE: u32 = if cfg!(leaktrail_loom) { 2 } else { 10_000 };

impl<T> TryLock<T> {
    pub(super) fn new(value: T) -> TryLock<T> {
        TryLock { taken: AtomicBool::new(false), value: UnsafeCell::new(value) }
    }

    /// Calls `visit` with the value, unless another thread, or this one further down, is at it.
    ///
    /// `visit` calls nothing of the user's and does not panic: the bit would stay set.
    #[inline]
    pub(super) fn try_with<R>(&self, visit: impl FnOnce(&mut T) -> R) -> Option<R> {
        // Acquire: pairs with the Release below, so that what the one before did is seen. Who finds it taken writes nothing.
        if self.taken.compare_exchange(false, true, Ordering::Acquire, Ordering::Relaxed).is_err() {
            return None;
        }
        let result = self.value.with_mut(|value| {
            // SAFETY: T1: this thread has just set the bit.
            visit(unsafe { &mut *value })
        });
        // Release: pairs with the Acquire above.
        self.taken.store(false, Ordering::Release);
        Some(result)
    }

    /// The same, after a while if need be. `None` where whoever has the value does not go on.
    pub(super) fn with_patience<R>(&self, visit: impl FnOnce(&mut T) -> R) -> Option<R> {
        for look in 0..PATIENCE {
            // Relaxed: a hint; the exchange decides.
            if !self.taken.load(Ordering::Relaxed) {
                break;
            }
            if look < 64 { hint::spin_loop() } else { hint::yield_now() }
        }
        self.try_with(visit)
    }
}

#[cfg(all(test, leaktrail_loom))]
mod loom_tests {
    use loom::thread;

    use super::*;
    use crate::sync::Arc;

    /// Two that come at once never see the value together, and each addition that happened is there.
    #[test]
    fn loom_two_never_have_the_value_at_once() {
        loom::model(|| {
            let lock = Arc::new(TryLock::new(0_u32));
            let other = {
                let lock = lock.clone();
                thread::spawn(move || u32::from(lock.try_with(|value| *value += 1).is_some()))
            };
            let mine = u32::from(lock.with_patience(|value| *value += 1).is_some());
            let done = mine + other.join().unwrap();
            assert_eq!(lock.try_with(|value| *value), Some(done));
            assert!(done > 0, "one of two gets it");
        });
    }
}

#[cfg(all(test, not(leaktrail_loom)))]
mod tests {
    use std::thread;

    use super::*;

    #[test]
    fn who_comes_again_from_within_goes_another_way() {
        let lock = TryLock::new(1);
        assert_eq!(lock.try_with(|_| lock.try_with(|value| *value)), Some(None));
        assert_eq!(lock.try_with(|value| *value), Some(1));
    }

    #[test]
    fn what_threads_do_is_done_once() {
        let rounds = if cfg!(miri) { 50 } else { 20_000 };
        let lock = TryLock::new(0_u64);
        let done: u64 = thread::scope(|scope| {
            let add = || (0..rounds).filter_map(|_| lock.try_with(|value| *value += 1)).count() as u64;
            let threads: Vec<_> = (0..3).map(|_| scope.spawn(add)).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).sum()
        });
        assert_eq!(lock.try_with(|value| *value), Some(done));
    }
}
