//! The depot: each distinct stack of the process once.
//!
//! An open-addressed table without locks: a place is filled once and never emptied (`filling.rs`), so a lookup is a walk over a
//! few places and one comparison in full, whatever other threads do.

use std::sync::atomic::{AtomicU64, Ordering};

use once_cell::race::OnceBox;

use super::filling::{Found, find_or_fill};
use super::ground::captured::Captured;
use crate::fork::PerProcess;

/// Distinct stacks kept; one more is not kept and counted.
pub(crate) const MAX_STACKS: usize = 16_384;
/// Places in the table: twice the cap, so that a walk ends soon.
const PLACES: usize = 2 * MAX_STACKS;

/// A stack in the depot. Stacks are kept as long as the process lives.
#[derive(Clone, Copy, Debug)]
pub(crate) struct StackId(&'static Stored);

#[derive(Debug)]
struct Stored {
    hash: u64,
    addresses: Box<[usize]>,
    cut: bool,
}

impl StackId {
    /// The return addresses, innermost first.
    pub(crate) fn addresses(self) -> &'static [usize] {
        &self.0.addresses
    }

    /// True if the stack was deeper than the limit.
    pub(crate) fn is_cut(self) -> bool {
        self.0.cut
    }
}

impl Stored {
    /// Compared in full: two stacks with one hash are two stacks.
    fn is(&self, hash: u64, stack: &Captured) -> bool {
        self.hash == hash && self.cut == stack.is_cut() && *self.addresses == *stack.addresses()
    }
}

#[derive(Debug)]
struct Depot {
    places: Box<[OnceBox<Stored>; PLACES]>,
    stacks: AtomicU64,
    bytes: AtomicU64,
    refused: AtomicU64,
}

static DEPOT: PerProcess<Depot> = PerProcess::new();

fn depot() -> &'static Depot {
    DEPOT.get_or_init(Depot::new)
}

impl Depot {
    fn new() -> Depot {
        Depot {
            places: (0..PLACES)
                .map(|_| OnceBox::new())
                .collect::<Box<[OnceBox<Stored>]>>()
                .try_into()
                .unwrap_or_else(|_| unreachable!("as many as were made")),
            stacks: AtomicU64::new(0),
            bytes: AtomicU64::new((PLACES * size_of::<OnceBox<Stored>>()) as u64),
            refused: AtomicU64::new(0),
        }
    }

    /// The stack, where it is nearly always: at the first place that its hash names.
    #[inline(always)]
    fn at_first_place(&'static self, stack: &Captured) -> Option<StackId> {
        let hash = stack.hash();
        let found = self.places[(hash >> 32) as usize % PLACES].get()?;
        found.is(hash, stack).then_some(StackId(found))
    }

    #[cold]
    #[inline(never)]
    fn intern(&'static self, stack: &Captured, has_room: impl FnOnce(u64) -> bool) -> Option<StackId> {
        let hash = stack.hash();
        let make = || {
            let fits = !self.is_full() && has_room(stored_bytes(stack));
            fits.then(|| Box::new(Stored { hash, addresses: stack.addresses().into(), cut: stack.is_cut() }))
        };
        match find_or_fill(&*self.places, (hash >> 32) as usize, |stored: &Stored| stored.is(hash, stack), make) {
            Some(Found::Known(stored)) => Some(StackId(stored)),
            Some(Found::New(stored)) => {
                self.count(stack);
                Some(StackId(stored))
            }
            None => {
                // Relaxed, here and below: figures, and a cap that may be passed by as many threads as race for the last
                // place.
                self.refused.fetch_add(1, Ordering::Relaxed);
                None
            }
        }
    }

    fn is_full(&self) -> bool {
        self.stacks.load(Ordering::Relaxed) >= MAX_STACKS as u64
    }

    fn count(&self, stack: &Captured) {
        self.stacks.fetch_add(1, Ordering::Relaxed);
        self.bytes.fetch_add(stored_bytes(stack), Ordering::Relaxed);
    }
}

/// The stored twin of `stack`, stored now if it is new. `None` when the depot is full, or `has_room` says that there is no
/// room for so many bytes more: then it is counted.
///
/// # Cost
/// A look at a few places and a full comparison; two allocations for a new stack. No lock.
#[inline]
pub(crate) fn intern(stack: &Captured, has_room: impl FnOnce(u64) -> bool) -> Option<StackId> {
    let depot = depot();
    depot.at_first_place(stack).or_else(|| depot.intern(stack, has_room))
}

/// Bytes that a stack takes in the depot, with what an allocator keeps beside its two pieces; its place in the table apart.
fn stored_bytes(stack: &Captured) -> u64 {
    (size_of::<Stored>() + size_of_val(stack.addresses()) + 32) as u64
}

/// Stacks that were not kept since the depot was full.
pub(crate) fn refused() -> u64 {
    DEPOT.get().map_or(0, |depot| depot.refused.load(Ordering::Relaxed))
}

/// Bytes that the stored stacks take, about.
pub(crate) fn bytes() -> u64 {
    DEPOT.get().map_or(0, |depot| depot.bytes.load(Ordering::Relaxed))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[inline(never)]
    fn one_line() -> Captured {
        std::hint::black_box(Captured::here(16))
    }

    #[test]
    #[cfg_attr(miri, ignore = "one place has several addresses there")]
    fn equal_stacks_are_stored_once() {
        // One line, and never unrolled into three.
        let rounds = std::hint::black_box(3);
        let mut stacks = Vec::new();
        while stacks.len() < rounds {
            stacks.push(one_line());
        }
        let ids: Vec<_> = stacks.iter().map(|stack| intern(stack, |_| true).unwrap()).collect();
        assert!(std::ptr::eq(ids[0].0, ids[1].0) && std::ptr::eq(ids[1].0, ids[2].0));
        let other = intern(&Captured::here(16), |_| true).unwrap();
        assert!(!std::ptr::eq(ids[0].0, other.0), "another line is another stack");
        assert_eq!(other.is_cut(), stacks[0].is_cut());
    }

    #[test]
    fn threads_that_race_agree_on_one() {
        static RACED: PerProcess<Depot> = PerProcess::new();
        let depot = RACED.get_or_init(Depot::new);
        let rounds = if cfg!(miri) { 3 } else { 200 };
        for n in 0..rounds {
            let ids: Vec<usize> = std::thread::scope(|scope| {
                let race = || {
                    let stack = Captured::of(&[n + 1, n + 2, n + 3]);
                    std::ptr::from_ref(depot.intern(&stack, |_| true).unwrap().0) as usize
                };
                let threads: Vec<_> = (0..4).map(|_| scope.spawn(race)).collect();
                threads.into_iter().map(|thread| thread.join().unwrap()).collect()
            });
            assert!(ids.iter().all(|id| *id == ids[0]));
        }
        assert_eq!(depot.stacks.load(Ordering::Relaxed), rounds as u64);
    }

    #[test]
    fn past_the_cap_stacks_are_counted_and_known_ones_still_found() {
        static FULL: PerProcess<Depot> = PerProcess::new();
        let depot = FULL.get_or_init(Depot::new);
        let stored = if cfg!(miri) { 16 } else { MAX_STACKS };
        for n in 0..stored {
            assert!(depot.intern(&Captured::of(&[n + 1]), |_| true).is_some());
        }
        depot.stacks.store(MAX_STACKS as u64, Ordering::Relaxed);
        assert!(depot.intern(&Captured::of(&[usize::MAX]), |_| true).is_none());
        assert!(depot.intern(&Captured::of(&[1]), |_| true).is_some());
        assert_eq!(depot.refused.load(Ordering::Relaxed), 1);
    }
}
