//! What is in a budget's books, at one moment.

use super::waits::WaitHistogram;

/// The figures of a budget, never one alone: what is reserved, and what became of it.
///
/// `reserved = by_buffers + cached + overhead`, to the byte while nothing moves: the parts are read one after another.
/// A figure that holds caches or alignment would say "full" of a pool that has everything ready; one that leaves them
/// out would say "empty" of a process that the system kills for its memory. What children have is in their parent's too.
///
/// # Examples
///
/// ```
/// use leaktrail::DirectMemory;
///
/// let memory = DirectMemory::with_limit(1024);
/// let _reservation = memory.try_reserve(1000)?;
/// assert!(memory.try_reserve(100).is_err());
///
/// let figures = memory.figures();
/// assert_eq!((figures.reserved(), figures.by_buffers(), figures.cached(), figures.overhead()), (1000, 1000, 0, 0));
/// assert_eq!((figures.peak(), figures.refusals()), (1000, 1));
/// # Ok::<(), leaktrail::OutOfDirectMemory>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct MemoryFigures {
    pub(super) limit_bytes: Option<u64>,
    pub(super) reserved_bytes: u64,
    pub(super) cached_bytes: u64,
    pub(super) overhead_bytes: u64,
    pub(super) abandoned_bytes: u64,
    pub(super) peak_bytes: u64,
    pub(super) given_back_by_hooks_bytes: u64,
    pub(super) reservations: u64,
    pub(super) refusals: u64,
    pub(super) waiting: u64,
    pub(super) waited: WaitHistogram,
}

impl MemoryFigures {
    /// The limit; `None` without one.
    #[must_use]
    pub fn limit(&self) -> Option<u64> {
        self.limit_bytes
    }

    /// The bytes that are reserved: [`DirectMemory::used`](super::DirectMemory::used), which is what the limit is for.
    #[must_use]
    pub fn reserved(&self) -> u64 {
        self.reserved_bytes
    }

    /// The bytes that buffers have: what is reserved, without what a pool keeps ready and what it loses to alignment.
    /// Those abandoned are among them.
    #[must_use]
    pub fn by_buffers(&self) -> u64 {
        self.reserved_bytes - self.cached_bytes - self.overhead_bytes
    }

    /// The bytes that lie ready in pools: reserved, and in no buffer.
    #[must_use]
    pub fn cached(&self) -> u64 {
        self.cached_bytes
    }

    /// The bytes that are lost between buffers, to size classes and boundaries.
    #[must_use]
    pub fn overhead(&self) -> u64 {
        self.overhead_bytes
    }

    /// The bytes that nobody gives back any more.
    #[must_use]
    pub fn abandoned(&self) -> u64 {
        self.abandoned_bytes
    }

    /// The most bytes that were reserved at once so far.
    #[must_use]
    pub fn peak(&self) -> u64 {
        self.peak_bytes
    }

    /// What reclaim hooks said that they gave back, all together.
    #[must_use]
    pub fn given_back_by_hooks(&self) -> u64 {
        self.given_back_by_hooks_bytes
    }

    /// How many reservations are live.
    #[must_use]
    pub fn reservations(&self) -> u64 {
        self.reservations
    }

    /// How many requests were refused so far, at once or after waiting.
    #[must_use]
    pub fn refusals(&self) -> u64 {
        self.refusals
    }

    /// How many requests are waiting now.
    #[must_use]
    pub fn waiting(&self) -> u64 {
        self.waiting
    }

    /// How long requests waited, all whose wait is over.
    #[must_use]
    pub fn waited(&self) -> &WaitHistogram {
        &self.waited
    }
}
