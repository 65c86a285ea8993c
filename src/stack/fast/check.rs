//! The comparison of some walks with the reference, for as long as a program runs.

use std::cell::Cell;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use crate::stack::ground::captured::Captured;
use crate::stack::ground::reference;
use crate::stack::ground::registers::Registers;

/// One walk in so many is compared: less than a nanosecond for each.
const INTERVAL: u32 = 4_096;
/// Walks that may be wrong before the walker is given up. One alone may be a program's own doing, which changes its stack
/// under the reference as well.
const MOST_WRONG: u64 = 3;

thread_local! {
    /// Walks of this thread until the next comparison; 0 before the first walk.
    static LEFT: Cell<u32> = const { Cell::new(0) };
}

/// What comparing has found.
#[derive(Debug, Default)]
pub(super) struct Check {
    wrong: AtomicU64,
}

impl Check {
    pub(super) const fn new() -> Check {
        Check { wrong: AtomicU64::new(0) }
    }

    /// True for one walk in 4,096 of each thread.
    #[inline(always)]
    pub(super) fn is_due() -> bool {
        let left = LEFT.get();
        LEFT.set(left.wrapping_sub(1));
        left <= 1 && begin_anew(left)
    }

    /// Compares what a walk has taken with the reference, which has the last word: what it says is in `stack` afterwards.
    /// False if the walker is not to be used any more.
    #[cold]
    #[inline(never)]
    pub(super) fn compare(&self, start: Registers, stack: &mut Captured) -> bool {
        let mut expected = stack.emptied();
        expected.push(start.address);
        reference::walk(Some(start.stack), &mut expected);
        if expected.addresses() == stack.addresses() && expected.is_cut() == stack.is_cut() {
            return true;
        }
        *stack = expected;
        // Relaxed: a figure.
        self.wrong.fetch_add(1, Ordering::Relaxed) + 1 < MOST_WRONG
    }

    /// Walks that were found to be wrong.
    pub(super) fn wrong(&self) -> u64 {
        self.wrong.load(Ordering::Relaxed)
    }
}

/// The last walk of an interval; a thread's first one begins somewhere within, so that threads that live for less than an
/// interval are compared as often.
#[cold]
fn begin_anew(left: u32) -> bool {
    /// 2^32 divided by the golden ratio: its multiples spread over an interval, whatever their number.
    const GOLDEN: u32 = 0x9E37_79B9;
    static BEGINNING: AtomicU32 = AtomicU32::new(0);
    if left == 1 {
        LEFT.set(INTERVAL);
        return true;
    }
    // Relaxed: a number to tell threads apart.
    let spread = BEGINNING.fetch_add(GOLDEN, Ordering::Relaxed) / (u32::MAX / INTERVAL + 1);
    LEFT.set(spread + 1);
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_walk_in_the_interval_is_compared() {
        std::thread::spawn(|| {
            let due = (0..INTERVAL * 10).filter(|_| Check::is_due()).count();
            assert!((9..=10).contains(&due), "{due}");
        })
        .join()
        .unwrap();
    }

    #[test]
    fn short_threads_are_compared_as_often() {
        let threads = 64;
        let walks = INTERVAL / 8;
        let due: usize = (0..threads)
            .map(|_| std::thread::spawn(move || (0..walks).filter(|_| Check::is_due()).count()).join().unwrap())
            .sum();
        assert!((4..=12).contains(&due), "{due} of {}", threads * walks);
    }

    #[test]
    fn the_reference_has_the_last_word_and_three_wrong_walks_are_the_last() {
        let check = Check::new();
        let start = Registers::here();
        let mut right = Captured::empty();
        right.push(start.address);
        reference::walk(Some(start.stack), &mut right);
        for round in 1..=3 {
            let mut wrong = right.emptied();
            wrong.push(start.address);
            wrong.push(1);
            assert_eq!(check.compare(start, &mut wrong), round < 3);
            assert_eq!(wrong.addresses()[2..], right.addresses()[2..]);
            assert_eq!(check.wrong(), round);
        }
        assert!(check.compare(start, &mut right));
        assert_eq!(check.wrong(), 3);
    }
}
