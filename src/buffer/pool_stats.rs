//! What is in a pool, at one moment.

use std::fmt;

use super::place::{ArenaFigures, Arenas, Ledger};

/// The figures of a [`PooledAllocator`](super::PooledAllocator). `Display` is for a person: a line for the pool, one for
/// its bytes, one for each arena; with feature `serde` it is data.
///
/// `used = pinned + cached` and `pinned = by buffers + overhead`, to the byte while nothing moves. Each is Netty's of
/// that name where Netty has it: `usedDirectMemory`, `pinnedDirectMemory`; the text is its `dumpStats`.
///
/// # Examples
///
/// ```
/// use leaktrail::{AllocError, ByteBufAllocator, DirectMemory, PooledAllocator};
///
/// let allocator = PooledAllocator::new(DirectMemory::with_limit(64 << 20));
/// let buffer = allocator.allocate(5000)?;
/// let stats = allocator.stats();
/// assert_eq!((stats.buffers(), stats.by_buffers(), stats.pinned(), stats.used()), (1, 5000, 5120, 4 << 20));
/// assert!(stats.to_string().starts_with("pool: 1 buffers of 5000 B, "));
///
/// assert!(buffer.release());
/// assert_eq!((allocator.stats().pinned(), allocator.stats().cached()), (0, 4 << 20));
/// # Ok::<(), AllocError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct PoolStats {
    used: u64,
    pinned: u64,
    by_buffers: u64,
    buffers: u64,
    allocated: u64,
    direct_buffers: u64,
    direct_bytes: u64,
    chunk_bytes: u64,
    chunks_given_back: u64,
    thread_caches: u64,
    cached_by_threads: u64,
    arenas: Vec<ArenaStats>,
}

/// What is in one arena of a pool.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct ArenaStats {
    threads: u64,
    chunk_pages: u32,
    busy_pages: Vec<u32>,
}

impl PoolStats {
    pub(super) fn new(pool: &Arenas, arenas: Vec<ArenaStats>, ledger: Ledger) -> PoolStats {
        let chunk_bytes = pool.chunk_size().bytes() as u64;
        let in_chunks = arenas.iter().map(|arena| arena.busy_pages.len() as u64).sum::<u64>() * chunk_bytes;
        let direct = pool.direct();
        // What one thread gave out and another took back is in two books, read one after the other; where both moved
        // meanwhile, no part is more than the whole.
        let in_slots = in_chunks - ledger.cached_bytes.min(in_chunks);
        let overhead_bytes = ledger.overhead_bytes.min(in_slots);
        PoolStats {
            used: in_chunks + direct.bytes,
            pinned: in_slots + direct.bytes,
            by_buffers: in_slots - overhead_bytes + direct.bytes,
            buffers: ledger.lent.saturating_sub(ledger.returned) + direct.buffers,
            allocated: ledger.lent + direct.allocated,
            direct_buffers: direct.buffers,
            direct_bytes: direct.bytes,
            chunk_bytes,
            chunks_given_back: pool.given_back() / chunk_bytes,
            thread_caches: 0,
            cached_by_threads: 0,
            arenas,
        }
    }

    pub(super) fn with_threads(self, thread_caches: u64, cached_by_threads: u64) -> PoolStats {
        PoolStats { thread_caches, cached_by_threads, ..self }
    }

    /// The bytes that the pool has reserved: whole chunks, and what was paid for alone.
    #[must_use]
    pub fn used(&self) -> u64 {
        self.used
    }

    /// The bytes of it that are taken by buffers, with what each is rounded up by.
    #[must_use]
    pub fn pinned(&self) -> u64 {
        self.pinned
    }

    /// The capacities of all buffers.
    #[must_use]
    pub fn by_buffers(&self) -> u64 {
        self.by_buffers
    }

    /// What is lost to size classes: pinned, and in no buffer.
    #[must_use]
    pub fn overhead(&self) -> u64 {
        self.pinned - self.by_buffers
    }

    /// The bytes that lie ready, in chunks and with threads.
    #[must_use]
    pub fn cached(&self) -> u64 {
        self.used - self.pinned
    }

    /// The part of [`cached`](PoolStats::cached) that threads have at hand.
    #[must_use]
    pub fn cached_by_threads(&self) -> u64 {
        self.cached_by_threads
    }

    /// How many threads have a cache.
    #[must_use]
    pub fn thread_caches(&self) -> u64 {
        self.thread_caches
    }

    /// How many buffers are out.
    #[must_use]
    pub fn buffers(&self) -> u64 {
        self.buffers
    }

    /// How many buffers were allocated so far, growth into another place included.
    #[must_use]
    pub fn allocated(&self) -> u64 {
        self.allocated
    }

    /// How many of the buffers that are out have no place in a chunk: larger than one, or allocated when none could be
    /// had.
    #[must_use]
    pub fn direct_buffers(&self) -> u64 {
        self.direct_buffers
    }

    /// The bytes of those.
    #[must_use]
    pub fn direct_bytes(&self) -> u64 {
        self.direct_bytes
    }

    /// How large a chunk is.
    #[must_use]
    pub fn chunk_bytes(&self) -> u64 {
        self.chunk_bytes
    }

    /// How many chunks were given back so far.
    #[must_use]
    pub fn chunks_given_back(&self) -> u64 {
        self.chunks_given_back
    }

    /// The arenas.
    #[must_use]
    pub fn arenas(&self) -> &[ArenaStats] {
        &self.arenas
    }
}

impl ArenaStats {
    pub(super) fn new(figures: ArenaFigures) -> ArenaStats {
        let ArenaFigures { threads, busy_pages, chunk_pages } = figures;
        ArenaStats { threads: threads as u64, chunk_pages, busy_pages }
    }

    /// How many threads allocate from it.
    #[must_use]
    pub fn threads(&self) -> u64 {
        self.threads
    }

    /// How many chunks it has.
    #[must_use]
    pub fn chunks(&self) -> usize {
        self.busy_pages.len()
    }

    /// For each chunk, the oldest first, which share of its pages is not free, in percent, rounded up.
    pub fn usage_percent(&self) -> impl Iterator<Item = u32> + '_ {
        self.busy_pages.iter().map(|busy| (busy * 100).div_ceil(self.chunk_pages))
    }
}

impl fmt::Display for PoolStats {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "pool: {} buffers of {} B, overhead {} B, cached {} B, used {} B in chunks of {} B",
            self.buffers,
            self.by_buffers,
            self.overhead(),
            self.cached(),
            self.used,
            self.chunk_bytes
        )?;
        write!(
            f,
            "pool: {} B at hand of {} threads, {} B in {} buffers without a chunk, {} allocated so far, {} chunks given back",
            self.cached_by_threads,
            self.thread_caches,
            self.direct_bytes,
            self.direct_buffers,
            self.allocated,
            self.chunks_given_back
        )?;
        for (number, arena) in self.arenas.iter().enumerate() {
            write!(f, "\npool: arena {number}: {arena}")?;
        }
        Ok(())
    }
}

/// How full the chunks are, in the steps of Netty's chunk lists.
impl fmt::Display for ArenaStats {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} threads, {} chunks", self.threads, self.chunks())?;
        let steps = [
            (0, 0, "idle"),
            (1, 25, "to 25 %"),
            (26, 50, "to 50 %"),
            (51, 75, "to 75 %"),
            (76, 99, "below 100 %"),
            (100, 100, "full"),
        ];
        for (from, to, name) in steps {
            let chunks = self.usage_percent().filter(|percent| (from..=to).contains(percent)).count();
            if chunks > 0 {
                write!(f, ", {chunks} {name}")?;
            }
        }
        Ok(())
    }
}
