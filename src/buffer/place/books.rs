//! What an arena or a thread counts of the buffers that it gave out.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::memory::{DirectMemory, Stock};

/// Sums that wrap: whoever gives a buffer out need not be who takes it back, so only all books of a pool together are
/// right. A part may be below 0.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Ledger {
    /// What lies ready: chunks, less the slots that buffers have.
    pub(crate) cached_bytes: u64,
    /// What buffers' slots have beyond the buffers.
    pub(crate) overhead_bytes: u64,
    /// Buffers given out so far.
    pub(crate) lent: u64,
    /// Buffers taken back so far.
    pub(crate) returned: u64,
}

impl Ledger {
    #[inline]
    fn lend(&mut self, slot_bytes: usize, capacity: usize) {
        self.cached_bytes = self.cached_bytes.wrapping_sub(slot_bytes as u64);
        self.overhead_bytes = self.overhead_bytes.wrapping_add((slot_bytes - capacity) as u64);
        self.lent = self.lent.wrapping_add(1);
    }

    #[inline]
    fn take_back(&mut self, slot_bytes: usize, capacity: usize) {
        self.cached_bytes = self.cached_bytes.wrapping_add(slot_bytes as u64);
        self.overhead_bytes = self.overhead_bytes.wrapping_sub((slot_bytes - capacity) as u64);
        self.returned = self.returned.wrapping_add(1);
    }

    pub(crate) fn add(&mut self, other: Ledger) {
        self.cached_bytes = self.cached_bytes.wrapping_add(other.cached_bytes);
        self.overhead_bytes = self.overhead_bytes.wrapping_add(other.overhead_bytes);
        self.lent = self.lent.wrapping_add(other.lent);
        self.returned = self.returned.wrapping_add(other.returned);
    }
}

/// A ledger that one thread at a time writes, and the budget's view of it: plain stores, no read-modify-write.
#[derive(Debug)]
pub(crate) struct Books {
    ledger: Ledger,
    stock: Stock,
}

impl Books {
    pub(crate) fn new(memory: &DirectMemory) -> Books {
        Books { ledger: Ledger::default(), stock: memory.stock() }
    }

    /// A buffer of that capacity has a slot now.
    #[inline]
    pub(crate) fn lend(&mut self, slot_bytes: usize, capacity: usize) {
        self.ledger.lend(slot_bytes, capacity);
        self.show();
    }

    /// The slot lies ready again.
    #[inline]
    pub(crate) fn take_back(&mut self, slot_bytes: usize, capacity: usize) {
        self.ledger.take_back(slot_bytes, capacity);
        self.show();
    }

    /// A buffer grew within its slot.
    pub(crate) fn grow(&mut self, more: usize) {
        self.ledger.overhead_bytes = self.ledger.overhead_bytes.wrapping_sub(more as u64);
        self.show();
    }

    pub(crate) fn ledger(&self) -> Ledger {
        self.ledger
    }

    /// Takes everything out, for books that go on elsewhere.
    pub(crate) fn close(&mut self) -> Ledger {
        let ledger = std::mem::take(&mut self.ledger);
        self.show();
        ledger
    }

    #[inline]
    fn show(&self) {
        self.stock.set(self.ledger.cached_bytes, self.ledger.overhead_bytes);
    }
}

/// Books that any thread may write: what goes past the threads' caches, and what threads leave behind.
#[derive(Debug)]
pub(super) struct SharedBooks {
    stock: Stock,
    lent: AtomicU64,
    returned: AtomicU64,
    given_back_bytes: AtomicU64,
}

impl SharedBooks {
    pub(super) fn new(memory: &DirectMemory) -> SharedBooks {
        SharedBooks {
            stock: memory.stock(),
            lent: AtomicU64::new(0),
            returned: AtomicU64::new(0),
            given_back_bytes: AtomicU64::new(0),
        }
    }

    pub(super) fn lend(&self, slot_bytes: usize, capacity: usize) {
        let mut ledger = Ledger::default();
        ledger.lend(slot_bytes, capacity);
        self.enter(ledger);
    }

    pub(super) fn take_back(&self, slot_bytes: usize, capacity: usize) {
        let mut ledger = Ledger::default();
        ledger.take_back(slot_bytes, capacity);
        self.enter(ledger);
    }

    pub(super) fn grow(&self, more: usize) {
        self.stock.sub_overhead(more as u64);
    }

    /// A chunk came, all of it ready.
    pub(super) fn add_chunk(&self, bytes: u64) {
        self.stock.add_cached(bytes);
    }

    /// Chunks that lay ready go.
    pub(super) fn sub_chunks(&self, bytes: u64) {
        self.stock.sub_cached(bytes);
        self.given_back_bytes.fetch_add(bytes, Ordering::Relaxed);
    }

    /// The bytes of all chunks that went so far.
    pub(super) fn given_back(&self) -> u64 {
        self.given_back_bytes.load(Ordering::Relaxed)
    }

    /// Adds what a thread has counted. The sums wrap, so whatever is below 0 there is subtracted here.
    pub(super) fn enter(&self, ledger: Ledger) {
        self.stock.add_cached(ledger.cached_bytes);
        self.stock.add_overhead(ledger.overhead_bytes);
        // Relaxed: figures for display.
        self.lent.fetch_add(ledger.lent, Ordering::Relaxed);
        self.returned.fetch_add(ledger.returned, Ordering::Relaxed);
    }

    pub(super) fn ledger(&self) -> Ledger {
        let (cached_bytes, overhead_bytes) = self.stock.get();
        let (returned, lent) = (self.returned.load(Ordering::Relaxed), self.lent.load(Ordering::Relaxed));
        Ledger { cached_bytes, overhead_bytes, lent, returned }
    }
}
