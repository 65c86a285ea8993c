//! The memory that slots lie in.
#![allow(unsafe_code, reason = "raw memory for many buffers; listed in docs/SAFETY.md")]

use std::alloc::{self, Layout};
use std::ptr::NonNull;

use super::poison::{poison, unpoison};
use super::size_class::{PAGE_BYTES, SizeClass};
use crate::memory::Reservation;

/// A few MiB from the global allocator, and the reservation that pays for them. They go back with the last slot in them
/// and the arena's own hold on it.
///
/// Invariants:
/// - K1: `start` came from the global allocator with `layout`, whose size is not 0, and was not freed.
/// - K2: which part of it is whose, the arena says; the chunk itself neither reads nor writes.
#[derive(Debug)]
pub(super) struct Chunk {
    start: NonNull<u8>,
    layout: Layout,
    /// Given back after the memory, so that the budget never promises bytes that are still there.
    _reservation: Reservation,
}

// SAFETY: K2, the chunk hands out addresses and touches nothing behind them.
unsafe impl Send for Chunk {}
// SAFETY: as above.
unsafe impl Sync for Chunk {}

impl Chunk {
    /// Memory for what was reserved; `None` when the system has none, and the reservation is given back.
    pub(super) fn try_new(reservation: Reservation) -> Option<Chunk> {
        let bytes = usize::try_from(reservation.bytes()).ok().filter(|bytes| *bytes > 0)?;
        let layout = Layout::from_size_align(bytes, PAGE_BYTES).ok()?;
        // SAFETY: the size is not 0, as was just asked.
        let start = NonNull::new(unsafe { alloc::alloc(layout) })?;
        // Until a slot is handed out, all of it is nobody's.
        poison(start, bytes);
        Some(Chunk { start, layout, _reservation: reservation })
    }

    /// Where a slot begins: so many pages into the chunk, and so many slots of a class into the run there.
    pub(super) fn place(&self, page: u32, index: u32, class: SizeClass) -> NonNull<u8> {
        let offset = page as usize * PAGE_BYTES + index as usize * class.bytes();
        assert!(offset + class.bytes() <= self.layout.size(), "K2: a slot at {offset} of {}", self.layout.size());
        // SAFETY: within the memory of K1, as asserted.
        unsafe { self.start.add(offset) }
    }
}

impl Drop for Chunk {
    fn drop(&mut self) {
        // The allocator writes into what it gets back.
        unpoison(self.start, self.layout.size());
        // SAFETY: K1; whoever has a slot in it keeps the chunk, so nothing points here any more.
        unsafe { alloc::dealloc(self.start.as_ptr(), self.layout) };
    }
}
