//! What a pool says of the bytes that it has reserved.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Weak};

use super::child_lock::ChildLock;

/// A pool's own books: how much of what it has reserved lies ready and how much is lost to alignment.
///
/// A reservation says how much was taken from the system. A pool takes whole chunks, keeps what comes back, and rounds
/// up, so of its reservations only a part is buffers. It says which part here, and
/// [`figures`](super::DirectMemory::figures) tells them apart. Dropping it takes its figures away, so drop it after the
/// reservations that it is about.
///
/// Make one for each arena: two that are written by different threads share nothing.
///
/// # Examples
///
/// ```
/// use leaktrail::DirectMemory;
///
/// let memory = DirectMemory::with_limit(1 << 20);
/// let chunk = memory.try_reserve(65_536)?;
/// let stock = memory.stock();
/// stock.add_cached(chunk.bytes());
///
/// // A buffer of 1000 bytes out of the chunk, on a boundary of 1024.
/// stock.sub_cached(1024);
/// stock.add_overhead(24);
/// let figures = memory.figures();
/// assert_eq!((figures.by_buffers(), figures.cached(), figures.overhead()), (1000, 64_512, 24));
/// assert_eq!(figures.reserved(), 65_536);
/// # Ok::<(), leaktrail::OutOfDirectMemory>(())
/// ```
///
/// # Cost
/// One atomic addition for each call, on a cache line that no other `Stock` has.
#[derive(Debug)]
#[must_use = "dropping it takes its figures away"]
pub struct Stock {
    shelf: Arc<Shelf>,
    /// The budget that it was made for and those above it.
    stocks: Vec<Weak<Stocks>>,
}

/// The two counters, alone on their cache line.
#[derive(Debug, Default)]
#[repr(align(64))]
struct Shelf {
    cached_bytes: AtomicU64,
    overhead_bytes: AtomicU64,
}

impl Stock {
    /// So many more bytes lie ready: reserved, and in no buffer.
    pub fn add_cached(&self, bytes: u64) {
        // Relaxed, here and below: figures for display. They wrap, so that of two threads the one that subtracts may come
        // first; the sum is right when both are through.
        self.shelf.cached_bytes.fetch_add(bytes, Ordering::Relaxed);
    }

    /// So many bytes lie ready no more: a buffer has them, or they were given back.
    pub fn sub_cached(&self, bytes: u64) {
        self.shelf.cached_bytes.fetch_sub(bytes, Ordering::Relaxed);
    }

    /// So many more bytes are lost between buffers: what rounding up to a size or a boundary costs.
    pub fn add_overhead(&self, bytes: u64) {
        self.shelf.overhead_bytes.fetch_add(bytes, Ordering::Relaxed);
    }

    /// So many bytes are no more lost between buffers.
    pub fn sub_overhead(&self, bytes: u64) {
        self.shelf.overhead_bytes.fetch_sub(bytes, Ordering::Relaxed);
    }

    /// Both figures at once, for a stock that one thread writes at a time: two stores, no addition.
    #[inline]
    pub(crate) fn set(&self, cached_bytes: u64, overhead_bytes: u64) {
        self.shelf.cached_bytes.store(cached_bytes, Ordering::Relaxed);
        self.shelf.overhead_bytes.store(overhead_bytes, Ordering::Relaxed);
    }

    /// What was added less what was subtracted: cached, and lost between buffers. Either may be below 0, wrapped, where
    /// another stock of the same pool has the rest.
    pub(crate) fn get(&self) -> (u64, u64) {
        (self.shelf.cached_bytes.load(Ordering::Relaxed), self.shelf.overhead_bytes.load(Ordering::Relaxed))
    }

    /// A stock that counts in each of these.
    pub(super) fn new<'a>(stocks: impl Iterator<Item = &'a Arc<Stocks>>) -> Stock {
        let shelf = Arc::new(Shelf::default());
        let enter = |stocks: &Arc<Stocks>| {
            if let Some(mut shelves) = stocks.shelves.lock() {
                shelves.push(shelf.clone());
            }
            Arc::downgrade(stocks)
        };
        let stocks = stocks.map(enter).collect();
        Stock { shelf, stocks }
    }
}

impl Drop for Stock {
    fn drop(&mut self) {
        for stocks in self.stocks.iter().filter_map(Weak::upgrade) {
            if let Some(mut shelves) = stocks.shelves.lock() {
                shelves.retain(|shelf| !Arc::ptr_eq(shelf, &self.shelf));
            }
        }
    }
}

/// Every stock of a budget and of those below it.
#[derive(Debug)]
pub(super) struct Stocks {
    shelves: ChildLock<Vec<Arc<Shelf>>>,
}

/// Sums over all stocks of a budget.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Sums {
    pub(super) cached_bytes: u64,
    pub(super) overhead_bytes: u64,
}

impl Stocks {
    pub(super) fn new() -> Stocks {
        Stocks { shelves: ChildLock::new(Vec::new()) }
    }

    pub(super) fn sums(&self) -> Sums {
        let mut sums = Sums::default();
        for shelf in self.shelves.lock().iter().flat_map(|shelves| shelves.iter()) {
            sums.cached_bytes = sums.cached_bytes.wrapping_add(shelf.cached_bytes.load(Ordering::Relaxed));
            sums.overhead_bytes = sums.overhead_bytes.wrapping_add(shelf.overhead_bytes.load(Ordering::Relaxed));
        }
        sums
    }
}
