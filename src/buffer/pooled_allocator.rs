//! The allocator that keeps memory ready.

use std::num::NonZeroUsize;
use std::panic::Location;
use std::sync::Arc;
use std::thread;

use super::alloc_error::AllocError;
use super::allocator::ByteBufAllocator;
use super::block::Contents;
use super::budgeted_allocator::BudgetedAllocator;
use super::byte_buf_mut::ByteBufMut;
use super::place::{Arenas, ChunkSize};
use super::pool::Pool;
use super::pool_stats::PoolStats;
use super::reference::Reference;
use super::storage::StorageRef;
use super::supply;
use crate::memory::{DirectMemory, Reservation};

/// Buffers from chunks that are reserved once and used again and again: what Netty's `PooledByteBufAllocator` is.
///
/// A chunk of 4 MiB is reserved when it is needed, and buffers are places in it. Each thread keeps some of what it
/// releases at hand, so the next buffer of that size costs neither a lock nor a call of the system's allocator. Clones
/// are the same pool.
///
/// - What is [reserved](DirectMemory::used) is chunks, so a budget is paid by the chunk; [`stats`](PooledAllocator::stats)
///   and [`DirectMemory::figures`] say how much of it buffers have. A buffer's `capacity` is what was asked for; it
///   grows without moving up to the end of its place.
/// - Larger buffers than a chunk are paid for alone. So are buffers for which no further chunk fits into the budget:
///   what fits is never refused, and a budget that is smaller than a chunk is paid by the byte.
/// - Each buffer begins on a cache line of its own, 64 bytes. New memory holds what the buffer before left there, unless
///   [`zeroed`](PooledAllocator::zeroed) is asked for; it cannot be read before it is written.
/// - Idle chunks stay for the next buffers: as many as are busy, and one. [`trim`](PooledAllocator::trim) gives all of
///   them back, threads' caches included, and so does the budget before it refuses anybody, see
///   [`DirectMemory::on_reclaim`].
///
/// # Examples
///
/// ```
/// use leaktrail::{AllocError, ByteBufAllocator, DirectMemory, PooledAllocator};
///
/// let memory = DirectMemory::with_limit(64 << 20);
/// let allocator = PooledAllocator::new(memory.clone());
/// let mut body = allocator.allocate(1000)?;
/// body.put_slice(b"hello");
/// assert_eq!((body.capacity(), memory.used(), memory.figures().by_buffers()), (1000, 4 << 20, 1000));
///
/// assert!(body.release());
/// assert_eq!((memory.used(), memory.figures().by_buffers()), (4 << 20, 0));
/// assert_eq!((allocator.trim(), memory.used()), (4 << 20, 0));
/// # Ok::<(), AllocError>(())
/// ```
///
/// # Cost
/// From the thread's cache: one atomic exchange to allocate, one to release, no allocation. Past it: the lock of an
/// arena, and an allocation of about 150 bytes for each place, which stays with it while it is at hand. With
/// [`zeroed`](PooledAllocator::zeroed) the writing of zeros comes on top.
#[derive(Clone, Debug)]
pub struct PooledAllocator {
    pool: Arc<Pool>,
    /// The pool's, nearer.
    arenas: Arc<Arenas>,
    contents: Contents,
}

impl PooledAllocator {
    /// A pool that pays from `memory`, with chunks of 4 MiB.
    #[must_use]
    pub fn new(memory: DirectMemory) -> PooledAllocator {
        PooledAllocator::builder(memory).build()
    }

    /// A pool of another shape.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::num::NonZeroUsize;
    /// use leaktrail::{AllocError, ByteBufAllocator, ChunkSize, DirectMemory, PooledAllocator};
    ///
    /// let memory = DirectMemory::with_limit(64 << 20);
    /// let allocator = PooledAllocator::builder(memory.clone())
    ///     .chunk_size(ChunkSize::MIB_16)
    ///     .arenas(NonZeroUsize::MIN)
    ///     .cached_up_to(16 << 10)
    ///     .build();
    /// let buffer = allocator.allocate(1000)?;
    /// assert_eq!((memory.used(), allocator.stats().arenas().len()), (16 << 20, 1));
    /// # drop(buffer);
    /// # Ok::<(), AllocError>(())
    /// ```
    pub fn builder(memory: DirectMemory) -> PooledAllocatorBuilder {
        PooledAllocatorBuilder {
            memory,
            chunk_size: ChunkSize::default(),
            arenas: None,
            cached_up_to_bytes: PooledAllocatorBuilder::CACHED_UP_TO_BYTES,
        }
    }

    /// The same pool, whose buffers from here are zero when they are new, what growth adds included.
    ///
    /// For memory that a device or foreign code reads beyond what was written. See
    /// [`UnpooledAllocator::zeroed`](super::UnpooledAllocator::zeroed).
    #[must_use]
    pub fn zeroed(mut self) -> PooledAllocator {
        self.contents = Contents::Zeroed;
        self
    }

    /// The budget that pays for the chunks.
    #[must_use]
    pub fn memory(&self) -> &DirectMemory {
        self.arenas.memory()
    }

    /// What is in the pool now.
    ///
    /// # Cost
    /// Each arena's lock and each thread's cache is held for a moment.
    #[must_use]
    pub fn stats(&self) -> PoolStats {
        self.pool.stats()
    }

    /// Empties the caches of all threads and gives every idle chunk back; answers how many bytes that were.
    ///
    /// A chunk of which one buffer is out stays.
    pub fn trim(&self) -> u64 {
        self.pool.trim()
    }
}

impl ByteBufAllocator for PooledAllocator {
    #[inline]
    #[track_caller]
    fn allocate(&self, capacity: usize) -> Result<ByteBufMut, AllocError> {
        let storage = match supply::at_hand(&self.arenas, capacity, self.contents) {
            Some(storage) => storage,
            None => {
                self.pool.join();
                supply::fetch(&self.arenas, capacity, self.contents)?
            }
        };
        Ok(ByteBufMut::new(Reference::new(StorageRef::new(storage))))
    }
}

/// A place in the pool needs no waiting; where there is none, the buffer's bytes are waited for, and it is paid for alone.
impl BudgetedAllocator for PooledAllocator {
    fn memory(&self) -> &DirectMemory {
        self.arenas.memory()
    }

    fn allocate_ready(&self, capacity: usize, _: &'static Location<'static>) -> Option<ByteBufMut> {
        self.pool.join();
        let storage = supply::at_hand(&self.arenas, capacity, self.contents)
            .or_else(|| supply::ready(&self.arenas, capacity, self.contents))?;
        Some(ByteBufMut::new(Reference::new(StorageRef::new(storage))))
    }

    fn allocate_from(
        &self,
        reservation: Reservation,
        capacity: usize,
        _: &'static Location<'static>,
    ) -> Result<ByteBufMut, AllocError> {
        let storage = supply::paid(&self.arenas, reservation, capacity, self.contents)?;
        Ok(ByteBufMut::new(Reference::new(StorageRef::new(storage))))
    }
}

/// Says what a [`PooledAllocator`] is to be like. No combination is wrong.
#[derive(Clone, Debug)]
#[must_use = "a builder that is not built makes no pool"]
pub struct PooledAllocatorBuilder {
    memory: DirectMemory,
    chunk_size: ChunkSize,
    arenas: Option<NonZeroUsize>,
    cached_up_to_bytes: usize,
}

impl PooledAllocatorBuilder {
    /// Netty's is 32 KiB; a body of 64 KiB is common enough.
    const CACHED_UP_TO_BYTES: usize = 64 << 10;
    /// So many chunks each arena should be able to have, as in Netty, and they may take half of the budget.
    const CHUNKS_FOR_EACH_ARENA: u64 = 3;

    /// How much is reserved at a time; 4 MiB without.
    pub fn chunk_size(mut self, size: ChunkSize) -> PooledAllocatorBuilder {
        self.chunk_size = size;
        self
    }

    /// How many arenas threads are spread over; without, two for each processor, and fewer where half of the budget would
    /// not hold three chunks for each.
    pub fn arenas(mut self, arenas: NonZeroUsize) -> PooledAllocatorBuilder {
        self.arenas = Some(arenas);
        self
    }

    /// Up to which size threads keep what they release at hand; 64 KiB without, and 0 for no caches. At most a chunk.
    pub fn cached_up_to(mut self, bytes: usize) -> PooledAllocatorBuilder {
        self.cached_up_to_bytes = bytes;
        self
    }

    /// Makes the pool. Nothing is reserved before the first buffer.
    #[must_use]
    pub fn build(self) -> PooledAllocator {
        let arenas = self.arenas.map_or_else(|| self.default_arenas(), NonZeroUsize::get);
        let cached_up_to_bytes = self.cached_up_to_bytes.min(self.chunk_size.bytes());
        let pool = Pool::new(&self.memory, self.chunk_size, arenas, cached_up_to_bytes);
        PooledAllocator { arenas: pool.arenas().clone(), pool, contents: Contents::Uninitialised }
    }

    /// Netty's `PooledByteBufAllocator.DEFAULT_NUM_DIRECT_ARENA`, and one at least.
    fn default_arenas(&self) -> usize {
        let for_threads = thread::available_parallelism().map_or(1, NonZeroUsize::get) * 2;
        let each_bytes = self.chunk_size.bytes() as u64 * 2 * PooledAllocatorBuilder::CHUNKS_FOR_EACH_ARENA;
        let for_memory = self.memory.limit().map_or(u64::MAX, |limit| limit / each_bytes);
        for_threads.min(usize::try_from(for_memory).unwrap_or(usize::MAX)).max(1)
    }
}
