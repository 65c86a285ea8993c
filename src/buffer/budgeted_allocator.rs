//! Allocating by who may wait.

use std::fmt;
use std::future::Future;
use std::panic::Location;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use super::alloc_error::AllocError;
use super::allocator::ByteBufAllocator;
use super::byte_buf_mut::ByteBufMut;
use crate::memory::{DirectMemory, OutOfDirectMemory, Reservation, Reserving};

/// An allocator that pays from a budget, and so can wait until there is room.
///
/// [`allocate`](ByteBufAllocator::allocate) never waits. These do, in the line of
/// [`DirectMemory::reserve`]: first in, first out, in turn with everybody else who waits for that budget.
///
/// To implement it, say what a buffer costs and how it is made once that is paid; the rest is here.
///
/// # Examples
///
/// ```
/// use leaktrail::{AllocError, BudgetedAllocator, ByteBufAllocator, DirectMemory, UnpooledAllocator};
///
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// let allocator = UnpooledAllocator::new(DirectMemory::with_limit(1024));
/// let first = allocator.allocate(1000)?;
/// assert!(allocator.allocate(100).is_err());
///
/// let waiting = allocator.allocate_async(100);
/// first.release();
/// assert!(waiting.await?.release());
/// # Ok::<(), AllocError>(())
/// # }).unwrap();
/// ```
pub trait BudgetedAllocator: ByteBufAllocator {
    /// The budget that buffers are paid from.
    fn memory(&self) -> &DirectMemory;

    /// How many bytes a buffer of that capacity takes from the budget; 0 if they are reserved already.
    fn bytes_for(&self, capacity: usize) -> u64 {
        capacity as u64
    }

    /// An empty buffer that needs no waiting, created at `location`: for an allocator that has memory ready, which is asked
    /// before anything is waited for, each time a wait goes on, and once more before it is given up.
    fn allocate_ready(&self, capacity: usize, location: &'static Location<'static>) -> Option<ByteBufMut> {
        let _ = (capacity, location);
        None
    }

    /// An empty buffer that is paid for, created at `location`.
    ///
    /// # Errors
    /// [`AllocError`] when the system has no memory; the reservation is given back then.
    fn allocate_from(
        &self,
        reservation: Reservation,
        capacity: usize,
        location: &'static Location<'static>,
    ) -> Result<ByteBufMut, AllocError>;

    /// Is told of a refusal by the budget; the answer is the error that the caller gets.
    fn refused(&self, error: OutOfDirectMemory) -> OutOfDirectMemory {
        error
    }

    /// An empty buffer, waited for as [`DirectMemory::reserve`] does: half a second at most.
    ///
    /// # Errors
    /// As [`allocate`](ByteBufAllocator::allocate), after waiting; the error says how long.
    #[track_caller]
    fn allocate_waiting(&self, capacity: usize) -> Result<ByteBufMut, AllocError> {
        if let Some(buffer) = self.allocate_ready(capacity, Location::caller()) {
            return Ok(buffer);
        }
        let reserved = self.memory().reserve(self.bytes_for(capacity));
        finish(self, reserved, capacity, Location::caller())
    }

    /// An empty buffer, waited for as long as you say.
    ///
    /// # Errors
    /// As [`allocate`](ByteBufAllocator::allocate), after waiting; the error says how long.
    #[track_caller]
    fn allocate_timeout(&self, capacity: usize, duration: Duration) -> Result<ByteBufMut, AllocError> {
        if let Some(buffer) = self.allocate_ready(capacity, Location::caller()) {
            return Ok(buffer);
        }
        let reserved = self.memory().reserve_timeout(self.bytes_for(capacity), duration);
        finish(self, reserved, capacity, Location::caller())
    }

    /// An empty buffer, waited for without a thread, as [`DirectMemory::reserve_async`] does: as long as it is polled for.
    /// A future that is dropped holds nothing; [`give_up`](Allocating::give_up) ends the wait with an answer.
    ///
    /// # Errors
    /// [`AllocError`] when the budget can never hold so much, or the system has no memory.
    #[track_caller]
    fn allocate_async(&self, capacity: usize) -> Allocating<'_, Self>
    where
        Self: Sized,
    {
        let reserving = self.memory().reserve_async(self.bytes_for(capacity));
        Allocating { allocator: self, reserving, capacity, location: Location::caller() }
    }
}

/// The future of [`BudgetedAllocator::allocate_async`].
#[must_use = "a future that is not polled allocates nothing"]
pub struct Allocating<'a, A> {
    allocator: &'a A,
    reserving: Reserving,
    capacity: usize,
    location: &'static Location<'static>,
}

impl<A: BudgetedAllocator> Allocating<'_, A> {
    /// Stops waiting: gets the buffer if there is room by now, or else the error. See [`Reserving::give_up`].
    ///
    /// # Errors
    /// As [`allocate`](ByteBufAllocator::allocate); the error says how long was waited.
    ///
    /// # Panics
    /// If the future was ready before.
    pub fn give_up(&mut self) -> Result<ByteBufMut, AllocError> {
        let reserved = self.reserving.give_up();
        finish(self.allocator, reserved, self.capacity, self.location)
    }
}

impl<A: BudgetedAllocator> Future for Allocating<'_, A> {
    type Output = Result<ByteBufMut, AllocError>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        if let Some(buffer) = self.allocator.allocate_ready(self.capacity, self.location) {
            return Poll::Ready(Ok(buffer));
        }
        let reserved = Pin::new(&mut self.reserving).poll(context);
        reserved.map(|reserved| finish(self.allocator, reserved, self.capacity, self.location))
    }
}

impl<A> fmt::Debug for Allocating<'_, A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Allocating").field("capacity", &self.capacity).finish_non_exhaustive()
    }
}

/// The buffer, now that it is known whether it is paid for.
fn finish<A: BudgetedAllocator + ?Sized>(
    allocator: &A,
    reserved: Result<Reservation, OutOfDirectMemory>,
    capacity: usize,
    location: &'static Location<'static>,
) -> Result<ByteBufMut, AllocError> {
    match reserved {
        Ok(reservation) => allocator.allocate_from(reservation, capacity, location),
        Err(error) => match allocator.allocate_ready(capacity, location) {
            Some(buffer) => Ok(buffer),
            None => Err(match AllocError::refused(error, capacity) {
                AllocError::Budget(error) => AllocError::Budget(allocator.refused(error)),
                error => error,
            }),
        },
    }
}

/// What is behind a pointer does it.
macro_rules! through_pointer {
    ($($pointer:ty),*) => { $(
        impl<A: BudgetedAllocator + ?Sized> BudgetedAllocator for $pointer {
            fn memory(&self) -> &DirectMemory {
                (**self).memory()
            }

            fn bytes_for(&self, capacity: usize) -> u64 {
                (**self).bytes_for(capacity)
            }

            fn allocate_ready(&self, capacity: usize, location: &'static Location<'static>) -> Option<ByteBufMut> {
                (**self).allocate_ready(capacity, location)
            }

            fn allocate_from(
                &self,
                reservation: Reservation,
                capacity: usize,
                location: &'static Location<'static>,
            ) -> Result<ByteBufMut, AllocError> {
                (**self).allocate_from(reservation, capacity, location)
            }

            fn refused(&self, error: OutOfDirectMemory) -> OutOfDirectMemory {
                (**self).refused(error)
            }
        }
    )* };
}

through_pointer!(&A, Box<A>, Arc<A>);
