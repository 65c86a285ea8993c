//! A pool's arenas, and what all of them share.

use std::sync::atomic::{AtomicU64, Ordering};

use super::arena::{Arena, ArenaFigures};
use super::books::Ledger;
use super::chunk_size::ChunkSize;
use crate::memory::DirectMemory;

/// The arenas of one pool and the budget that pays for their chunks.
#[derive(Debug)]
pub(crate) struct Arenas {
    /// No other pool of this process has it, nor ever will.
    id: u64,
    memory: DirectMemory,
    chunk_size: ChunkSize,
    arenas: Box<[Arena]>,
    direct_allocated: AtomicU64,
    direct_buffers: AtomicU64,
    direct_bytes: AtomicU64,
}

/// Buffers that no chunk has: so far, now, and their bytes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct DirectFigures {
    pub(crate) allocated: u64,
    pub(crate) buffers: u64,
    pub(crate) bytes: u64,
}

impl Arenas {
    /// So many arenas, without a chunk.
    pub(crate) fn new(memory: DirectMemory, chunk_size: ChunkSize, count: usize) -> Arenas {
        static NEXT_ID: AtomicU64 = AtomicU64::new(1);
        let arenas = (0..count.max(1)).map(|_| Arena::new(&memory, chunk_size.bytes())).collect();
        Arenas {
            // Relaxed: only that no two are the same.
            id: NEXT_ID.fetch_add(1, Ordering::Relaxed),
            memory,
            chunk_size,
            arenas,
            direct_allocated: AtomicU64::new(0),
            direct_buffers: AtomicU64::new(0),
            direct_bytes: AtomicU64::new(0),
        }
    }

    pub(crate) fn id(&self) -> u64 {
        self.id
    }

    pub(crate) fn memory(&self) -> &DirectMemory {
        &self.memory
    }

    pub(crate) fn chunk_size(&self) -> ChunkSize {
        self.chunk_size
    }

    /// The arena that a number stands for; any number does.
    pub(super) fn arena(&self, number: usize) -> &Arena {
        &self.arenas[number % self.arenas.len()]
    }

    pub(super) fn count(&self) -> usize {
        self.arenas.len()
    }

    /// The arena with the fewest threads, for one more; Netty's `leastUsedArena`.
    pub(crate) fn join(&self) -> usize {
        // Relaxed, here and in `leave`: two threads that come at once may take the same.
        let threads = |arena: &Arena| arena.threads.load(Ordering::Relaxed);
        let least = (0..self.arenas.len()).min_by_key(|number| threads(self.arena(*number))).unwrap_or(0);
        self.arena(least).threads.fetch_add(1, Ordering::Relaxed);
        least
    }

    /// A thread ends; what it has counted goes on in the books of its arena.
    pub(crate) fn leave(&self, number: usize, ledger: Ledger) {
        self.arena(number).books.enter(ledger);
        self.arena(number).threads.fetch_sub(1, Ordering::Relaxed);
    }

    /// A buffer has a slot that no thread's books have.
    pub(crate) fn lend(&self, number: usize, slot_bytes: usize, capacity: usize) {
        self.arena(number).books.lend(slot_bytes, capacity);
    }

    /// Such a slot lies ready again.
    pub(crate) fn take_back(&self, number: usize, slot_bytes: usize, capacity: usize) {
        self.arena(number).books.take_back(slot_bytes, capacity);
    }

    /// A buffer grew within its slot.
    pub(crate) fn grow(&self, number: usize, more: usize) {
        self.arena(number).books.grow(more);
    }

    /// Gives idle chunks back until so many bytes are; answers how many are.
    pub(crate) fn trim(&self, bytes: u64) -> u64 {
        self.arenas.iter().fold(0, |given_back: u64, arena| {
            let missing = bytes.saturating_sub(given_back);
            if missing == 0 { given_back } else { given_back + arena.trim(missing) }
        })
    }

    /// Keeps no idle chunk from now on.
    pub(crate) fn close(&self) {
        self.arenas.iter().for_each(Arena::close);
    }

    /// All books but those of the threads.
    pub(crate) fn ledger(&self) -> Ledger {
        let mut ledger = Ledger::default();
        self.arenas.iter().for_each(|arena| ledger.add(arena.books.ledger()));
        ledger
    }

    pub(crate) fn figures(&self) -> Vec<ArenaFigures> {
        self.arenas.iter().map(Arena::figures).collect()
    }

    /// The bytes of all chunks that were given back so far.
    pub(crate) fn given_back(&self) -> u64 {
        self.arenas.iter().map(|arena| arena.books.given_back()).sum()
    }

    /// Buffers that no chunk has.
    pub(crate) fn direct(&self) -> DirectFigures {
        DirectFigures {
            allocated: self.direct_allocated.load(Ordering::Relaxed),
            buffers: self.direct_buffers.load(Ordering::Relaxed),
            bytes: self.direct_bytes.load(Ordering::Relaxed),
        }
    }

    pub(super) fn add_direct(&self, bytes: u64) {
        // Relaxed: figures for display.
        self.direct_allocated.fetch_add(1, Ordering::Relaxed);
        self.direct_buffers.fetch_add(1, Ordering::Relaxed);
        self.direct_bytes.fetch_add(bytes, Ordering::Relaxed);
    }

    pub(super) fn grow_direct(&self, bytes: u64) {
        self.direct_bytes.fetch_add(bytes, Ordering::Relaxed);
    }

    pub(super) fn sub_direct(&self, bytes: u64) {
        self.direct_buffers.fetch_sub(1, Ordering::Relaxed);
        self.direct_bytes.fetch_sub(bytes, Ordering::Relaxed);
    }
}
