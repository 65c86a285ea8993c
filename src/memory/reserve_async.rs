//! Reserving by a task that may wait.

use std::fmt;
use std::future::Future;
use std::panic::Location;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use super::budget::{Budget, Turn};
use super::direct_memory::DirectMemory;
use super::out_of_direct_memory::OutOfDirectMemory;
use super::reservation::Reservation;
use super::waiter::Waiter;

impl DirectMemory {
    /// Reserves so many bytes, and waits for them without a thread: the future is ready when they are there.
    ///
    /// It is in the same line as the threads of [`reserve`](DirectMemory::reserve), from its first poll on, and as fair. It
    /// has no clock, so it waits for as long as it is polled for: put your runtime's timeout around it. It works with every
    /// executor.
    ///
    /// **Cancelling.** A future that is dropped is out of the line; bytes that were taken for it go back, to the next one
    /// first. So a timeout or a `select!` loses nothing but the place in the line. A future that is neither polled nor
    /// dropped keeps its place, and others behind it wait.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::time::Duration;
    /// use leaktrail::DirectMemory;
    ///
    /// # tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap().block_on(async {
    /// let memory = DirectMemory::with_limit(1000);
    /// let held = memory.try_reserve(1000)?;
    ///
    /// let waiting = memory.reserve_async(600);
    /// assert!(tokio::time::timeout(Duration::from_millis(2), waiting).await.is_err(), "still held");
    /// assert_eq!(memory.figures().waiting(), 0);
    ///
    /// let waiting = tokio::spawn(memory.reserve_async(600));
    /// drop(held);
    /// assert_eq!(waiting.await.unwrap()?.bytes(), 600);
    /// assert_eq!(memory.used(), 0);
    /// # Ok::<(), leaktrail::OutOfDirectMemory>(())
    /// # }).unwrap();
    /// ```
    ///
    /// # Errors
    /// [`OutOfDirectMemory`] when they can never fit: more than the limit, or than the limit leaves beside what was
    /// abandoned. It names the caller of this function.
    ///
    /// # Panics
    /// The future does, if it is polled once more after it was ready.
    #[track_caller]
    pub fn reserve_async(&self, bytes: u64) -> Reserving {
        // No `async fn`: there the caller would be the executor.
        Reserving { budget: self.budget.clone(), bytes, location: Location::caller(), stage: Stage::New }
    }
}

/// The future of [`DirectMemory::reserve_async`].
#[must_use = "a future that is not polled reserves nothing"]
pub struct Reserving {
    budget: Arc<Budget>,
    bytes: u64,
    location: &'static Location<'static>,
    stage: Stage,
}

enum Stage {
    New,
    Waiting(Waiter),
    Ready,
}

impl Reserving {
    /// Stops waiting: gets the bytes if they are there or fit by now, or else the error, which says how long was waited.
    ///
    /// For a timeout that is to tell who holds the memory; dropping the future tells nothing. Either leaves the line.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::time::Duration;
    /// use leaktrail::DirectMemory;
    ///
    /// # tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap().block_on(async {
    /// let memory = DirectMemory::with_limit(1000);
    /// let _held = memory.try_reserve(1000)?;
    /// let mut waiting = memory.reserve_async(600);
    /// let in_time = tokio::time::timeout(Duration::from_millis(5), &mut waiting).await;
    /// let refused = in_time.unwrap_or_else(|_| waiting.give_up()).unwrap_err();
    /// assert!(refused.waited() >= Duration::from_millis(5));
    /// # Ok::<(), leaktrail::OutOfDirectMemory>(())
    /// # }).unwrap();
    /// ```
    ///
    /// # Errors
    /// [`OutOfDirectMemory`] when they do not fit.
    ///
    /// # Panics
    /// If the future was ready before.
    pub fn give_up(&mut self) -> Result<Reservation, OutOfDirectMemory> {
        match std::mem::replace(&mut self.stage, Stage::Ready) {
            Stage::New => self.take_at_once(),
            Stage::Waiting(waiter) => self.end(waiter),
            Stage::Ready => panic!("given up after it was ready"),
        }
    }

    /// What came of waiting.
    fn end(&self, waiter: Waiter) -> Result<Reservation, OutOfDirectMemory> {
        let waited = waiter.waited();
        if waiter.leave() {
            return Ok(Reservation::of_taken(&self.budget, self.bytes));
        }
        self.take_at_once().map_err(|error| error.after(waited))
    }

    /// Gets into the line, if it cannot be said at once what becomes of it.
    fn start(&self) -> Result<Waiter, Result<Reservation, OutOfDirectMemory>> {
        if let Ok(reservation) = Reservation::take(&self.budget, self.bytes, Turn::InLine) {
            return Err(Ok(reservation));
        }
        if !self.budget.can_ever_fit(self.bytes) {
            return Err(self.take_at_once());
        }
        self.budget.reclaim(self.bytes);
        Ok(Waiter::enter(&self.budget, self.bytes))
    }

    fn take_at_once(&self) -> Result<Reservation, OutOfDirectMemory> {
        Reservation::take_at_once(&self.budget, self.bytes, self.location)
    }
}

impl Future for Reserving {
    type Output = Result<Reservation, OutOfDirectMemory>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        // What panics below (a waker of the user's) drops the waiter, which leaves the line.
        let waiter = match std::mem::replace(&mut self.stage, Stage::Ready) {
            Stage::New => match self.start() {
                Ok(waiter) => waiter,
                Err(output) => return Poll::Ready(output),
            },
            Stage::Waiting(waiter) => waiter,
            Stage::Ready => panic!("polled after it was ready"),
        };
        if waiter.poll(context.waker()).is_none() {
            self.stage = Stage::Waiting(waiter);
            return Poll::Pending;
        }
        Poll::Ready(self.end(waiter))
    }
}

impl fmt::Debug for Reserving {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reserving").field("bytes", &self.bytes).finish_non_exhaustive()
    }
}
