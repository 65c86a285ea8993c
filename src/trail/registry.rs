//! The live trails of the process.

use once_cell::race::OnceBox;

use super::free_slots::{self, MAX_TRAILS, SlotNumber};
use super::memory;
use super::slot::Slot;
use super::trail::Trail;
use crate::fork::PerProcess;
use crate::ledger::RowId;

/// Slots in a page, made when its first one is needed: 32 KiB.
const PAGE_SLOTS: usize = 256;
const PAGES: usize = MAX_TRAILS / PAGE_SLOTS;

/// A trail's number: its slot and the generation of that. Never 0, below 2^63, never used again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct TrailId(u64);

impl TrailId {
    fn new(slot: SlotNumber, generation: u64) -> TrailId {
        TrailId(generation << SlotNumber::BITS | u64::from(slot))
    }

    /// The number itself.
    pub(crate) const fn get(self) -> u64 {
        self.0
    }

    /// The trail with that number, whether it lives or not.
    pub(crate) const fn from_number(number: u64) -> TrailId {
        TrailId(number)
    }

    fn slot(self) -> SlotNumber {
        self.0 as SlotNumber
    }

    fn generation(self) -> u64 {
        self.0 >> SlotNumber::BITS
    }
}

type Page = Box<[Slot]>;

static TRAILS: PerProcess<[OnceBox<Page>; PAGES]> = PerProcess::new();

/// A slot whose page was made: one that is in use or was, or a neighbour.
#[inline]
fn slot(number: SlotNumber) -> Option<&'static Slot> {
    let page = TRAILS.get()?[usize::from(number) / PAGE_SLOTS].get()?;
    Some(&page[usize::from(number) % PAGE_SLOTS])
}

#[inline]
fn slot_or_new(number: SlotNumber) -> &'static Slot {
    slot(number).unwrap_or_else(|| new_page(number))
}

#[cold]
fn new_page(number: SlotNumber) -> &'static Slot {
    let pages = TRAILS.get_or_init(|| [const { OnceBox::new() }; PAGES]);
    let page = pages[usize::from(number) / PAGE_SLOTS].get_or_init(|| {
        memory::charge((PAGE_SLOTS * size_of::<Slot>()) as u64);
        Box::new((0..PAGE_SLOTS).map(|_| Slot::default()).collect())
    });
    &page[usize::from(number) % PAGE_SLOTS]
}

/// Adds a trail, which is made where it stays; `None` when there is no room.
///
/// # Cost
/// A slot from the thread's own list, one store.
#[inline(always)]
pub(crate) fn insert(make: impl FnOnce() -> Trail) -> Option<TrailId> {
    let number = free_slots::take()?;
    let generation = slot_or_new(number).insert(make);
    Some(TrailId::new(number, generation))
}

/// Takes a trail out. Whoever gets it owns it: of a release and a loss that race, one gets nothing.
///
/// # Cost
/// One exchange.
pub(crate) fn remove(id: TrailId) -> Option<Trail> {
    let trail = slot(id.slot())?.remove(id.generation())?;
    free_slots::give(id.slot());
    Some(trail)
}

/// Ends a trail whose handle was released, and tells where it is counted and its size. Of two that race, one gets nothing.
///
/// # Cost
/// One exchange. Most trails have nothing to drop, and are not moved.
#[inline]
pub(crate) fn release(id: TrailId) -> Option<(RowId, u64)> {
    let (row, bytes, rest) = slot(id.slot())?.end(id.generation(), |place| {
        let trail = place.as_ref()?;
        let (row, bytes) = (trail.row(), trail.bytes());
        if trail.has_nothing_to_drop() {
            std::mem::forget(place.take());
        }
        Some((row, bytes, place.take()))
    })?;
    free_slots::give(id.slot());
    // With no lock held: a hint may hold a closure of the user's.
    drop(rest);
    Some((row, bytes))
}

/// Reads every live trail of the process, in no order, each under its lock bit and no other's.
///
/// `visit` copies and calls nothing of the user's, not even a `Drop`.
pub(crate) fn for_each(mut visit: impl FnMut(TrailId, &Trail)) {
    let pages = TRAILS.get().into_iter().flatten();
    let slots = pages.enumerate().filter_map(|(page, slots)| Some((page * PAGE_SLOTS, slots.get()?)));
    for (first, slots) in slots {
        for (place, slot) in slots.iter().enumerate() {
            // All slots have 16 bits: `MAX_TRAILS`.
            let number = (first + place) as SlotNumber;
            slot.look(|generation, trail| visit(TrailId::new(number, generation), trail));
        }
    }
}

/// Reads or changes a trail under its lock bit.
///
/// `visit` copies and moves, and calls nothing of the user's, not even a `Drop`.
pub(crate) fn with<R>(id: TrailId, visit: impl FnOnce(&mut Trail) -> R) -> Option<R> {
    slot(id.slot())?.with(id.generation(), visit)
}

#[cfg(test)]
mod tests {
    use super::super::record::{Place, Record};
    use super::super::trail::Start;
    use super::*;
    use crate::level::Level;

    fn trail(bytes: u64) -> Trail {
        let created = Record::now(Place::Unknown, None);
        Trail::new(Start { row: RowId::from_bits(1), bytes, level: Level::Paranoid, full: true, created })
    }

    #[test]
    fn a_number_is_used_once() {
        let first = insert(|| trail(1)).unwrap();
        assert_eq!(with(first, |trail| trail.bytes()), Some(1));
        assert_eq!(remove(first).map(|trail| trail.bytes()), Some(1));
        let second = insert(|| trail(2)).unwrap();
        assert_ne!(first, second);
        assert!(remove(first).is_none() && with(first, |_| ()).is_none());
        assert!(remove(second).is_some());
        for number in [0, 1, u64::MAX >> 1, 1 << 16, 7 << 16 | 65_535] {
            assert!(number == second.get() || remove(TrailId::from_number(number)).is_none(), "{number}");
        }
    }

    #[test]
    fn of_many_threads_that_end_one_handle_one_finds_it() {
        let rounds = if cfg!(miri) { 20 } else { 5_000 };
        for _ in 0..rounds {
            let id = insert(|| trail(3)).unwrap();
            let found: usize = std::thread::scope(|scope| {
                let threads: Vec<_> = (0..3).map(|_| scope.spawn(|| usize::from(remove(id).is_some()))).collect();
                threads.into_iter().map(|thread| thread.join().unwrap()).sum()
            });
            assert_eq!(found, 1);
        }
    }
}
