//! How many references a buffer has.

use super::retain_error::RetainError;
use crate::sync::{AtomicU32, Ordering};

/// A count of references that begins at 1 and ends, once, at 0.
///
/// Invariant C1: whoever calls anything here holds one of the counted references, so the count cannot reach 0
/// meanwhile. Double release is then impossible by construction; in a debug build it is also asserted.
#[derive(Debug)]
pub(super) struct RefCount(AtomicU32);

impl RefCount {
    /// The most references that are counted, which is Netty's `Integer.MAX_VALUE`.
    pub(super) const MAX: u32 = i32::MAX as u32;

    pub(super) fn one() -> RefCount {
        RefCount(AtomicU32::new(1))
    }

    /// How many references there are, for display: it may change before the caller looks at it.
    pub(super) fn get(&self) -> u32 {
        self.0.load(Ordering::Relaxed)
    }

    /// Whether the caller's reference is the only one; it then has exclusive access.
    pub(super) fn is_one(&self) -> bool {
        // Acquire: pairs with the Release in `release`, so that what the others did through their references is over.
        self.0.load(Ordering::Acquire) == 1
    }

    /// Counts one more reference.
    ///
    /// An exchange and not an addition that is taken back: at the maximum two threads would disturb each other, and a
    /// reader would see a count that never was.
    pub(super) fn try_retain(&self) -> Result<(), RetainError> {
        let mut count = self.0.load(Ordering::Relaxed);
        loop {
            debug_assert_ne!(count, 0, "C1: refCnt: 0, increment: 1");
            if count >= RefCount::MAX {
                return Err(RetainError { ref_cnt: count });
            }
            // Relaxed, as in `Arc`: the caller's own reference keeps the buffer alive, and whatever hands the new one
            // to another thread orders what was done before.
            match self.0.compare_exchange_weak(count, count + 1, Ordering::Relaxed, Ordering::Relaxed) {
                Ok(_) => return Ok(()),
                Err(newer) => count = newer,
            }
        }
    }

    /// Counts the caller's reference down; `true` for the last one, whose caller must free what was counted.
    #[must_use = "the last one frees"]
    pub(super) fn release(&self) -> bool {
        // The caller's is the only one: nobody else can count meanwhile (C1), so a store does, which costs a tenth of the
        // exchange. Acquire: pairs with the Release below of whoever counted down to one.
        if self.0.load(Ordering::Acquire) == 1 {
            self.0.store(0, Ordering::Relaxed);
            return true;
        }
        // Release: everything that was done through this reference happens before the last one frees the memory.
        let before = self.0.fetch_sub(1, Ordering::Release);
        debug_assert_ne!(before, 0, "C1: refCnt: 0, decrement: 1");
        if before != 1 {
            return false;
        }
        // Acquire: pairs with the Releases of all other references, whose subtractions form one release sequence. A
        // load and not a fence, because ThreadSanitizer does not understand fences; only the last release pays for it.
        self.0.load(Ordering::Acquire);
        true
    }

    /// Pretends that there are so many references.
    #[cfg(all(test, not(leaktrail_loom)))]
    pub(super) fn set(&self, count: u32) {
        self.0.store(count, Ordering::Relaxed);
    }
}

#[cfg(all(test, not(leaktrail_loom)))]
mod tests {
    use std::sync::Barrier;
    use std::thread;

    use super::*;

    /// Netty's `AbstractReferenceCountedTest.testRetainOverflow`.
    #[test]
    fn the_maximum_is_reached_and_not_passed() {
        let count = RefCount::one();
        count.set(RefCount::MAX - 1);
        assert_eq!(count.try_retain(), Ok(()));
        assert_eq!(count.get(), 2_147_483_647);
        let error = count.try_retain().unwrap_err();
        assert_eq!(error.to_string(), "refCnt: 2147483647, increment: 1");
        assert_eq!(count.get(), 2_147_483_647);
        assert!(!count.release());
        assert_eq!(count.try_retain(), Ok(()));
    }

    /// Netty's `testReleaseFromMultipleThreadsThrowsReferenceCountException`: 4 threads, 10,000 rounds, one last
    /// release.
    #[test]
    fn of_four_threads_one_releases_last() {
        let rounds = if cfg!(miri) { 30 } else { 10_000 };
        for _ in 0..rounds {
            let count = RefCount::one();
            (1..4).for_each(|_| count.try_retain().unwrap());
            let start = Barrier::new(4);
            let release = || {
                start.wait();
                count.release()
            };
            let last = thread::scope(|scope| {
                let releases: Vec<_> = (0..4).map(|_| scope.spawn(release)).collect();
                releases.into_iter().filter_map(|release| release.join().unwrap().then_some(())).count()
            });
            assert_eq!((last, count.get()), (1, 0));
        }
    }

    #[test]
    #[cfg(debug_assertions)]
    #[should_panic(expected = "refCnt: 0, decrement: 1")]
    fn a_release_too_many_is_caught_in_debug_builds() {
        let count = RefCount::one();
        assert!(count.release());
        let _ = count.release();
    }

    #[test]
    #[cfg(debug_assertions)]
    #[should_panic(expected = "refCnt: 0, increment: 1")]
    fn a_retain_too_late_is_caught_in_debug_builds() {
        let count = RefCount::one();
        assert!(count.release());
        let _ = count.try_retain();
    }
}
