//! One place for a live trail.
#![allow(unsafe_code, reason = "the trail is reached under the slot's own lock bit; listed in docs/SAFETY.md")]

use super::trail::Trail;
use crate::sync::{AtomicU64, Ordering, UnsafeCell, hint};

/// A trail, or room for one, behind a word that says which.
///
/// ```text
/// state:  generation (47 bits) │ LIVE │ LOCKED
///
///            insert               lock                 remove
/// free (g) ─────────► live (g) ◄───────► locked (g) ─────────► free (g + 1)
///                               unlock
/// ```
///
/// The generation grows when a trail goes, so a ticket of a trail that is gone matches nothing: of two that end the same
/// handle, one finds it.
///
/// Invariant S1: the cell is touched only by the thread that has the slot: between `insert`'s caller having taken the free
/// slot and its store of LIVE, and between a successful `lock` and the store that ends it.
#[derive(Debug)]
#[repr(align(64))]
pub(super) struct Slot {
    state: AtomicU64,
    trail: UnsafeCell<Option<Trail>>,
}

const LOCKED: u64 = 1;
const LIVE: u64 = 2;
const GENERATION_SHIFT: u32 = 2;

// SAFETY: `trail` is reached only as S1 says, so never by two threads at once, and the stores and exchanges of `state` order
// one access before the next; a `Trail` may be moved between threads.
unsafe impl Sync for Slot {}

const _: () = {
    const fn is_send<T: Send>() {}
    is_send::<Trail>();
};

impl Default for Slot {
    fn default() -> Slot {
        // Generation 1, so that no ticket is 0.
        Slot { state: AtomicU64::new(1 << GENERATION_SHIFT), trail: UnsafeCell::new(None) }
    }
}

impl Slot {
    /// Puts a trail into a slot that the caller has taken from the free ones. Answers its generation.
    #[inline(always)]
    pub(super) fn insert(&self, make: impl FnOnce() -> Trail) -> u64 {
        // Relaxed: the slot came to the caller through a free list, which ordered everything before.
        let state = self.state.load(Ordering::Relaxed);
        debug_assert_eq!(state & (LIVE | LOCKED), 0, "a free slot");
        self.trail.with_mut(|place| {
            // SAFETY: S1: the slot is free and the caller's, so nobody else looks.
            unsafe { place.write(Some(make())) }
        });
        // Release: pairs with the Acquire in `lock`; who sees LIVE finds the trail.
        self.state.store(state | LIVE, Ordering::Release);
        state >> GENERATION_SHIFT
    }

    /// Reads or changes the trail of that generation under the lock bit.
    ///
    /// `visit` copies and moves, and calls nothing of the user's: another thread may be waiting for the bit, spinning.
    pub(super) fn with<R>(&self, generation: u64, visit: impl FnOnce(&mut Trail) -> R) -> Option<R> {
        let live = self.lock(generation)?;
        let result = self.trail.with_mut(|place| {
            // SAFETY: S1: this thread has the lock bit.
            unsafe { (*place).as_mut().map(visit) }
        });
        // Release: pairs with the Acquire in `lock`; the next one sees what was changed.
        self.state.store(live, Ordering::Release);
        result
    }

    /// Reads the trail that is in the slot now, if any; with its generation.
    pub(super) fn look(&self, visit: impl FnOnce(u64, &Trail)) {
        // Relaxed: which trail that is may change until the lock bit is had, and then there is nothing to see.
        let state = self.state.load(Ordering::Relaxed);
        if state & LIVE != 0 {
            let generation = state >> GENERATION_SHIFT;
            self.with(generation, |trail| visit(generation, trail));
        }
    }

    /// Takes the trail of that generation out. The slot is free afterwards, and the caller's to give back.
    pub(super) fn remove(&self, generation: u64) -> Option<Trail> {
        self.end(generation, Option::take)
    }

    /// Ends the trail of that generation: `take` takes it out, or what of it is to be kept, and leaves nothing. The slot is free
    /// afterwards, and the caller's to give back.
    #[inline]
    pub(super) fn end<R>(&self, generation: u64, take: impl FnOnce(&mut Option<Trail>) -> Option<R>) -> Option<R> {
        self.lock(generation)?;
        let taken = self.trail.with_mut(|place| {
            // SAFETY: S1: this thread has the lock bit.
            let place = unsafe { &mut *place };
            let taken = take(place);
            debug_assert!(place.is_none(), "a free slot is empty");
            taken
        });
        // Release: pairs with the Acquire of a `lock` that then finds another generation. The next `insert` is ordered by
        // the free list.
        self.state.store((generation + 1) << GENERATION_SHIFT, Ordering::Release);
        taken
    }

    /// Takes the lock bit of a live slot of that generation; answers the state to put back. `None` if it is not that one.
    fn lock(&self, generation: u64) -> Option<u64> {
        let live = generation << GENERATION_SHIFT | LIVE;
        let mut tries = 0_u32;
        loop {
            // Acquire: pairs with the Release stores above.
            match self.state.compare_exchange_weak(live, live | LOCKED, Ordering::Acquire, Ordering::Relaxed) {
                Ok(_) => return Some(live),
                // Held by another for a few copies, or a spurious failure.
                Err(state) if state | LOCKED == live | LOCKED => {
                    tries += 1;
                    if tries.is_multiple_of(64) { hint::yield_now() } else { hint::spin_loop() }
                }
                Err(_) => return None,
            }
        }
    }
}

#[cfg(all(test, leaktrail_loom))]
mod loom_tests {
    use loom::thread;

    use super::super::record::{Place, Record};
    use super::super::trail::Start;
    use super::*;
    use crate::ledger::RowId;
    use crate::level::Level;
    use crate::sync::Arc;

    fn trail(bytes: u64) -> Trail {
        let created = Record::for_models(Place::Unknown);
        Trail::new(Start { row: RowId::from_bits(1), bytes, level: Level::Paranoid, full: true, created })
    }

    /// A release and a loss of one handle race: one gets the trail.
    #[test]
    fn loom_of_two_that_end_a_handle_one_finds_it() {
        loom::model(|| {
            let slot = Arc::new(Slot::default());
            let generation = slot.insert(|| trail(7));
            let other = slot.clone();
            let other = thread::spawn(move || u32::from(other.remove(generation).is_some()));
            let mine = u32::from(slot.remove(generation).is_some());
            assert_eq!(mine + other.join().unwrap(), 1);
        });
    }

    /// A touch races with the end of the handle: it finds the trail whole, or nothing; and with a copy for a snapshot.
    #[test]
    fn loom_a_touch_sees_a_whole_trail_or_none() {
        loom::model(|| {
            let slot = Arc::new(Slot::default());
            let generation = slot.insert(|| trail(7));
            let other = slot.clone();
            let other = thread::spawn(move || {
                other.with(generation, |trail| {
                    let before = trail.bytes();
                    trail.set_bytes(before + 1);
                    before
                })
            });
            let seen = slot.with(generation, |trail| trail.bytes());
            assert!(matches!(seen, Some(7 | 8)));
            let ended = slot.remove(generation).map(|trail| trail.bytes());
            let touched = other.join().unwrap();
            assert_eq!(ended, Some(if touched.is_some() { 8 } else { 7 }));
        });
    }

    /// The slot is used again while an old ticket is tried: it never reaches the new trail.
    #[test]
    fn loom_a_stale_ticket_never_reaches_the_next_trail() {
        loom::model(|| {
            let slot = Arc::new(Slot::default());
            let first = slot.insert(|| trail(7));
            let other = slot.clone();
            let other = thread::spawn(move || other.with(first, |trail| trail.bytes()));
            if slot.remove(first).is_some() {
                let second = slot.insert(|| trail(9));
                assert_ne!(first, second);
            }
            assert!(matches!(other.join().unwrap(), None | Some(7)));
        });
    }
}
