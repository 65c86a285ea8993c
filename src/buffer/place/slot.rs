//! A place for one buffer.

use std::ptr::NonNull;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::arena::{At, Found, Keep};
use super::arenas::Arenas;
use super::chunk::Chunk;
use super::poison::{poison, unpoison};
use super::size_class::SizeClass;
use crate::memory::Fill;

/// So many bytes of a chunk that nobody else has. Dropped, they are free again in their arena.
///
/// Invariant P1: from here to the drop, the bytes from [`start`](Slot::start) on, as many as the class has, are within
/// the chunk, which lives, and are no other slot's: the arena gives a slot of a run out once, and a run has its pages alone.
#[derive(Debug)]
pub(crate) struct Slot {
    class: SizeClass,
    /// What the class has.
    bytes: u32,
    /// Set by the first that abandons it.
    abandoned: AtomicBool,
    arena: u32,
    at: At,
    pool: u64,
    arenas: Arc<Arenas>,
    /// Dropped last: it may be the chunk's last use.
    chunk: Arc<Chunk>,
}

const fn assert_send_sync<T: Send + Sync>() {}
const _: () = assert_send_sync::<Slot>();

impl Slot {
    /// What an arena found for this class.
    pub(super) fn new(arenas: Arc<Arenas>, arena: usize, class: SizeClass, found: Found) -> Slot {
        let Found { chunk, at } = found;
        Slot {
            class,
            bytes: class.bytes() as u32,
            abandoned: AtomicBool::new(false),
            arena: arena as u32,
            at,
            pool: arenas.id(),
            arenas,
            chunk,
        }
    }

    pub(crate) fn start(&self) -> NonNull<u8> {
        self.chunk.place(self.at.page, self.at.index, self.class)
    }

    #[inline]
    pub(crate) fn class(&self) -> SizeClass {
        self.class
    }

    #[inline]
    pub(crate) fn bytes(&self) -> usize {
        self.bytes as usize
    }

    /// The number of the pool that it came from.
    #[inline]
    pub(crate) fn pool(&self) -> u64 {
        self.pool
    }

    /// Its arena among those of the pool.
    pub(crate) fn arena(&self) -> usize {
        self.arena as usize
    }

    pub(crate) fn arenas(&self) -> &Arc<Arenas> {
        &self.arenas
    }

    /// How full the budget is that its chunk was reserved from.
    pub(crate) fn fill(&self) -> Fill {
        self.arenas.memory().fill()
    }

    /// Tells the budget that the buffer in this slot is lost, so the slot will never come back. The first one counts.
    pub(crate) fn abandon_shared(&self, capacity: usize) {
        // Relaxed: the swap alone decides who is first.
        if !self.abandoned.swap(true, Ordering::Relaxed) {
            self.arenas.memory().abandon_part(capacity as u64);
        }
    }

    /// Where AddressSanitizer watches: a buffer has so many of the bytes, and the rest is nobody's.
    #[inline]
    pub(crate) fn open(&self, capacity: usize) {
        if cfg!(leaktrail_asan) {
            unpoison(self.start(), capacity);
        }
    }

    /// Where AddressSanitizer watches: the bytes are nobody's.
    #[inline]
    pub(crate) fn shut(&self) {
        if cfg!(leaktrail_asan) {
            poison(self.start(), self.bytes());
        }
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        self.shut();
        let keep = if self.arenas.memory().is_waited_for() { Keep::Nothing } else { Keep::Some };
        self.arenas.arena(self.arena()).give_back(self.at, keep);
    }
}
