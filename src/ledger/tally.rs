//! The counters of one site in one place: a thread's cell, or the site's row.

use super::counts::Counts;
use crate::sync::{AtomicU64, Ordering};

/// Created and released, and their bytes.
///
/// ```text
/// plus side:   created, created_bytes     added to first, Relaxed
/// minus side:  released, released_bytes   added to last, Release; read first, Acquire
/// ```
///
/// A thread that takes a handle away has seen its creation (the handle came to it), so its Release publishes that creation
/// to whoever reads the minus side with Acquire: the plus side, read afterwards, never lags behind.
///
/// `*_alone` is for the one writer of a thread's cell: a load and a store, no locked instruction. `*_shared` is for
/// whoever else.
#[derive(Debug, Default)]
pub(super) struct Tally {
    created: AtomicU64,
    created_bytes: AtomicU64,
    released: AtomicU64,
    released_bytes: AtomicU64,
}

#[inline]
fn add_alone(counter: &AtomicU64, more: u64, order: Ordering) {
    // Relaxed load: nobody else writes.
    counter.store(counter.load(Ordering::Relaxed).wrapping_add(more), order);
}

impl Tally {
    /// One handle more.
    #[inline]
    pub(super) fn create_alone(&self, bytes: u64) {
        // Relaxed: published by the Release of whoever takes the handle away (see the type).
        add_alone(&self.created_bytes, bytes, Ordering::Relaxed);
        add_alone(&self.created, 1, Ordering::Relaxed);
    }

    /// One handle was given back.
    #[inline]
    pub(super) fn release_alone(&self, bytes: u64) {
        // Release: pairs with the Acquire loads of `add_minus_to`.
        add_alone(&self.released_bytes, bytes, Ordering::Release);
        add_alone(&self.released, 1, Ordering::Release);
    }

    /// A live handle's size changed: growth counts as created bytes, shrinkage as released ones.
    pub(super) fn resize_alone(&self, from: u64, to: u64) {
        if to > from {
            add_alone(&self.created_bytes, to - from, Ordering::Relaxed);
        } else {
            // Release: pairs with the Acquire loads of `add_minus_to`.
            add_alone(&self.released_bytes, from - to, Ordering::Release);
        }
    }

    /// As `create_alone`, by anybody.
    pub(super) fn create_shared(&self, bytes: u64) {
        self.created_bytes.fetch_add(bytes, Ordering::Relaxed);
        self.created.fetch_add(1, Ordering::Relaxed);
    }

    /// As `release_alone`, by anybody.
    pub(super) fn release_shared(&self, bytes: u64) {
        self.released_bytes.fetch_add(bytes, Ordering::Release);
        self.released.fetch_add(1, Ordering::Release);
    }

    /// As `resize_alone`, by anybody.
    pub(super) fn resize_shared(&self, from: u64, to: u64) {
        if to > from {
            self.created_bytes.fetch_add(to - from, Ordering::Relaxed);
        } else {
            self.released_bytes.fetch_add(from - to, Ordering::Release);
        }
    }

    /// Adds the minus side to a sum. Every tally's minus side is read before any plus side.
    pub(super) fn add_minus_to(&self, sum: &mut Counts) {
        // Acquire: pairs with the Release additions; the plus sides read later include what they had seen.
        sum.released += self.released.load(Ordering::Acquire);
        sum.released_bytes += self.released_bytes.load(Ordering::Acquire);
    }

    /// Adds the plus side to a sum.
    pub(super) fn add_plus_to(&self, sum: &mut Counts) {
        // Relaxed: ordered after the minus sides by their Acquire.
        sum.created += self.created.load(Ordering::Relaxed);
        sum.created_bytes += self.created_bytes.load(Ordering::Relaxed);
    }

    /// Moves everything to `other`, for a tally whose writer is done. Under the lock that keeps readers out: between the
    /// two halves it would be seen twice.
    pub(super) fn fold_into(&self, other: &Tally) {
        other.created_bytes.fetch_add(self.created_bytes.load(Ordering::Relaxed), Ordering::Relaxed);
        other.created.fetch_add(self.created.load(Ordering::Relaxed), Ordering::Relaxed);
        // Release: pairs with the Acquire loads of `add_minus_to`, which may come from a reader that never had the lock
        // in common with the threads whose releases are folded here.
        other.released_bytes.fetch_add(self.released_bytes.load(Ordering::Acquire), Ordering::Release);
        other.released.fetch_add(self.released.load(Ordering::Acquire), Ordering::Release);
        self.clear();
    }

    /// Empties a tally that nobody counts in.
    pub(super) fn clear(&self) {
        // Relaxed: its next writer gets it through a lock or a claim.
        for counter in [&self.created, &self.created_bytes, &self.released, &self.released_bytes] {
            counter.store(0, Ordering::Relaxed);
        }
    }
}

#[cfg(all(test, leaktrail_loom))]
mod loom_tests {
    use loom::thread;

    use super::*;
    use crate::sync::{Arc, AtomicBool, Mutex};

    fn read(tallies: &[&Tally]) -> Counts {
        let mut sum = Counts::default();
        tallies.iter().for_each(|tally| tally.add_minus_to(&mut sum));
        tallies.iter().for_each(|tally| tally.add_plus_to(&mut sum));
        sum
    }

    /// A handle is created by one thread and released by another, while a third reads: never more gone than created.
    #[test]
    fn loom_a_reader_never_sees_more_released_than_created() {
        loom::model(|| {
            let tallies = Arc::new((Tally::default(), Tally::default(), AtomicBool::new(false)));
            let creator = tallies.clone();
            let creator = thread::spawn(move || {
                creator.0.create_alone(8);
                // The hand-over of the handle.
                creator.2.store(true, Ordering::Release);
            });
            let releaser = tallies.clone();
            let releaser = thread::spawn(move || {
                if releaser.2.load(Ordering::Acquire) {
                    releaser.1.release_alone(8);
                }
            });
            let counts = read(&[&tallies.0, &tallies.1]);
            assert!(counts.released <= counts.created, "{counts:?}");
            assert!(counts.released_bytes <= counts.created_bytes, "{counts:?}");
            creator.join().unwrap();
            releaser.join().unwrap();
        });
    }

    /// A thread ends and its cell is folded into the row while another reads under the same lock.
    #[test]
    fn loom_folding_neither_loses_nor_doubles() {
        loom::model(|| {
            let shared = Arc::new((Tally::default(), Tally::default(), Mutex::new(())));
            let ending = shared.clone();
            let ending = thread::spawn(move || {
                ending.0.create_alone(8);
                ending.0.release_alone(8);
                let _fold = ending.2.lock().unwrap();
                ending.0.fold_into(&ending.1);
            });
            {
                let _fold = shared.2.lock().unwrap();
                let counts = read(&[&shared.0, &shared.1]);
                assert!(counts.created <= 1 && counts.released <= counts.created, "{counts:?}");
            }
            ending.join().unwrap();
            let counts = read(&[&shared.0, &shared.1]);
            assert_eq!((counts.created, counts.released), (1, 1));
        });
    }
}
