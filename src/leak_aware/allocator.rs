//! The allocator wrapper.

use std::fmt;
use std::panic::Location;
use std::sync::Arc;
use std::time::Duration;

use super::drop_policy::DropPolicy;
use super::tracker::{self, Tracker};
use crate::buffer::{AllocError, BudgetedAllocator, ByteBufAllocator, ByteBufMut};
use crate::detector::LeakDetector;
use crate::memory::{DirectMemory, MemorySample, Monitor, OutOfDirectMemory, Reservation};

/// An allocator whose buffers are tracked: each reference is counted by the line that made it, and one that is dropped
/// without release is reported with its trail.
///
/// Wrap it around the allocator that a program uses, in tests and in production; the level decides what it costs. When
/// the budget refuses, the error says who holds the memory, and so does the log (`REFUSED:`).
///
/// # Examples
///
/// ```
/// use leaktrail::{
///     AllocError, ByteBufAllocator, Config, DirectMemory, LeakAware, LeakDetector, UnpooledAllocator,
/// };
///
/// let memory = DirectMemory::with_limit(1 << 20);
/// let detector = LeakDetector::new(Config::new());
/// let allocator = LeakAware::new(UnpooledAllocator::new(memory.clone()), detector.clone());
///
/// let mut body = allocator.allocate(4096)?;
/// body.put_slice(b"hello");
/// let body = body.freeze();
/// let cached = body.retain(); // the line that a leak of `cached` is reported with
/// assert!(!body.release());
/// drop(cached);
///
/// assert_eq!((detector.snapshot().leaked(), memory.used()), (1, 0)); // reported, and given back
/// # Ok::<(), AllocError>(())
/// ```
pub struct LeakAware<A> {
    allocator: A,
    tracker: Arc<Tracker>,
}

impl<A> LeakAware<A> {
    /// Wraps `allocator`; what becomes of a drop without release is [`DropPolicy::Reclaim`].
    pub fn new(allocator: A, detector: LeakDetector) -> LeakAware<A> {
        LeakAware { allocator, tracker: tracker::shared(detector, DropPolicy::default()) }
    }

    /// Says what a drop without release means, for buffers allocated from now on.
    #[must_use]
    pub fn drop_policy(self, policy: DropPolicy) -> LeakAware<A> {
        LeakAware { tracker: tracker::shared(self.tracker.detector.clone(), policy), allocator: self.allocator }
    }

    /// The allocator within.
    pub fn inner(&self) -> &A {
        &self.allocator
    }

    /// The detector that counts its buffers.
    pub fn detector(&self) -> &LeakDetector {
        &self.tracker.detector
    }
}

impl<A: ByteBufAllocator> ByteBufAllocator for LeakAware<A> {
    #[inline]
    #[track_caller]
    fn allocate(&self, capacity: usize) -> Result<ByteBufMut, AllocError> {
        match self.allocator.allocate(capacity) {
            Ok(buffer) => Ok(buffer.with_hook(&self.tracker, Location::caller())),
            Err(AllocError::Budget(error)) => Err(AllocError::Budget(self.tracker.complete(error))),
            Err(error) => Err(error),
        }
    }
}

impl<A: BudgetedAllocator> BudgetedAllocator for LeakAware<A> {
    fn memory(&self) -> &DirectMemory {
        self.allocator.memory()
    }

    fn bytes_for(&self, capacity: usize) -> u64 {
        self.allocator.bytes_for(capacity)
    }

    fn allocate_ready(&self, capacity: usize, location: &'static Location<'static>) -> Option<ByteBufMut> {
        let buffer = self.allocator.allocate_ready(capacity, location)?;
        Some(buffer.with_hook(&self.tracker, location))
    }

    fn allocate_from(
        &self,
        reservation: Reservation,
        capacity: usize,
        location: &'static Location<'static>,
    ) -> Result<ByteBufMut, AllocError> {
        let buffer = self.allocator.allocate_from(reservation, capacity, location)?;
        Ok(buffer.with_hook(&self.tracker, location))
    }

    fn refused(&self, error: OutOfDirectMemory) -> OutOfDirectMemory {
        self.tracker.complete(self.allocator.refused(error))
    }
}

impl<A: BudgetedAllocator> LeakAware<A> {
    /// [`DirectMemory::monitor`] of the allocator's budget, which also knows whose line has grown when it only ever climbs:
    /// `up in each of the last 60 samples, 1024 B per ByteBuf created at src/filters.rs:41:22`.
    ///
    /// At level DISABLED nobody is counted, so no line is known.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::time::Duration;
    /// use leaktrail::{Config, DirectMemory, LeakAware, LeakDetector, UnpooledAllocator};
    ///
    /// let allocator = UnpooledAllocator::new(DirectMemory::with_limit(1 << 20));
    /// let allocator = LeakAware::new(allocator, LeakDetector::new(Config::new()));
    /// let monitor = allocator.monitor(Duration::from_secs(1), |sample| println!("{sample}"));
    /// assert!(monitor.is_running());
    /// ```
    pub fn monitor(&self, interval: Duration, sink: impl Fn(&MemorySample) + Send + 'static) -> Monitor {
        let detector = self.tracker.detector.clone();
        let holders = move || detector.snapshot().sites().to_vec();
        self.allocator.memory().monitor_with_holders(interval, holders, sink)
    }
}

impl<A: Clone> Clone for LeakAware<A> {
    fn clone(&self) -> LeakAware<A> {
        LeakAware { allocator: self.allocator.clone(), tracker: self.tracker.clone() }
    }
}

impl<A: fmt::Debug> fmt::Debug for LeakAware<A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LeakAware")
            .field("allocator", &self.allocator)
            .field("detector", &self.tracker.detector)
            .field("policy", &self.tracker.policy)
            .finish()
    }
}
