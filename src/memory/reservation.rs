//! A share of a budget.

use std::fmt;
use std::panic::Location;
use std::sync::Arc;

use super::budget::{Budget, Short, Turn};
use super::fill::Fill;
use super::out_of_direct_memory::OutOfDirectMemory;
use crate::sync::{AtomicBool, Ordering};

/// So many bytes of a [`DirectMemory`](super::DirectMemory), given back when this is dropped.
///
/// Keep it beside what it pays for and let it drop after that, so that the budget never promises bytes which are still
/// in use. It cannot be cloned: bytes are given back once.
///
/// # Examples
///
/// ```
/// use leaktrail::DirectMemory;
///
/// let memory = DirectMemory::with_limit(1024);
/// let reservation = memory.try_reserve(1000)?;
/// assert_eq!((reservation.bytes(), memory.used()), (1000, 1000));
/// drop(reservation);
/// assert_eq!(memory.used(), 0);
/// # Ok::<(), leaktrail::OutOfDirectMemory>(())
/// ```
///
/// # Cost
/// Dropping it: three atomic subtractions.
#[must_use = "a reservation that is dropped at once reserves nothing"]
pub struct Reservation {
    budget: Arc<Budget>,
    bytes: u64,
    /// Set once by the first that abandons; after that nothing is given back.
    abandoned: AtomicBool,
}

impl Reservation {
    /// Takes the bytes from the budget, or says what is in the way.
    pub(super) fn take(budget: &Arc<Budget>, bytes: u64, turn: Turn) -> Result<Reservation, Short> {
        budget.take(bytes, turn)?;
        Ok(Reservation::of_taken(budget, bytes))
    }

    /// Takes the bytes from the budget at once, or is refused.
    #[inline]
    pub(super) fn take_at_once(
        budget: &Arc<Budget>,
        bytes: u64,
        location: &'static Location<'static>,
    ) -> Result<Reservation, OutOfDirectMemory> {
        if budget.take_quickly(bytes) {
            return Ok(Reservation::of_taken(budget, bytes));
        }
        Reservation::take_the_long_way(budget, bytes, location)
    }

    #[cold]
    #[inline(never)]
    fn take_the_long_way(
        budget: &Arc<Budget>,
        bytes: u64,
        location: &'static Location<'static>,
    ) -> Result<Reservation, OutOfDirectMemory> {
        Reservation::take(budget, bytes, Turn::AtOnce)
            .map_err(|short| OutOfDirectMemory::new(budget, bytes, &short, location))
    }

    /// The owner of bytes that were taken before.
    #[inline]
    pub(super) fn of_taken(budget: &Arc<Budget>, bytes: u64) -> Reservation {
        Reservation { budget: Arc::clone(budget), bytes, abandoned: AtomicBool::new(false) }
    }

    /// How many bytes are reserved.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Leaves the bytes in use for ever: they are never given back, and count as abandoned.
    ///
    /// For memory that is known to be lost, so that the budget goes on telling the truth about it.
    ///
    /// # Examples
    ///
    /// ```
    /// use leaktrail::DirectMemory;
    ///
    /// let memory = DirectMemory::with_limit(1024);
    /// memory.try_reserve(1000)?.abandon();
    /// assert_eq!((memory.used(), memory.abandoned(), memory.reservations()), (1000, 1000, 0));
    /// assert!(memory.try_reserve(100).is_err());
    /// # Ok::<(), leaktrail::OutOfDirectMemory>(())
    /// ```
    pub fn abandon(self) {
        self.abandon_shared();
    }

    /// [`abandon`](Reservation::abandon) where several share the reservation; the first one counts.
    pub(crate) fn abandon_shared(&self) {
        // Relaxed: the swap alone decides who is first, and whoever drops this later has exclusive access anyway.
        if !self.abandoned.swap(true, Ordering::Relaxed) {
            self.budget.abandon(self.bytes);
        }
    }

    /// How full the budget is.
    pub(crate) fn fill(&self) -> Fill {
        Fill::of(&self.budget)
    }

    /// Another reservation of the same budget, to be [absorbed](Reservation::absorb) when what it pays for exists.
    #[track_caller]
    pub(crate) fn try_reserve_more(&self, bytes: u64) -> Result<Reservation, OutOfDirectMemory> {
        Reservation::take_at_once(&self.budget, bytes, Location::caller())
    }

    /// Makes one reservation of two.
    pub(crate) fn absorb(&mut self, mut other: Reservation) {
        debug_assert!(Arc::ptr_eq(&self.budget, &other.budget), "two reservations of one budget");
        // What is left of the other is a reservation of 0 bytes, which gives just itself back.
        self.bytes += std::mem::take(&mut other.bytes);
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        // Relaxed: `&mut self`, nobody else is left.
        if !self.abandoned.load(Ordering::Relaxed) {
            self.budget.give_back(self.bytes);
        }
    }
}

impl fmt::Debug for Reservation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reservation").field("bytes", &self.bytes).finish_non_exhaustive()
    }
}

#[cfg(all(test, not(leaktrail_loom)))]
mod tests {
    use crate::memory::DirectMemory;

    #[test]
    fn absorbing_moves_the_bytes_and_counts_one_reservation() {
        let memory = DirectMemory::with_limit(100);
        let mut reservation = memory.try_reserve(60).unwrap();
        let more = reservation.try_reserve_more(40).unwrap();
        assert_eq!((memory.used(), memory.reservations()), (100, 2));
        reservation.absorb(more);
        assert_eq!((reservation.bytes(), memory.used(), memory.reservations()), (100, 100, 1));
        drop(reservation);
        assert_eq!((memory.used(), memory.reservations()), (0, 0));
    }

    #[test]
    fn abandoning_counts_once_however_often_it_is_asked_for() {
        let memory = DirectMemory::with_limit(100);
        let reservation = memory.try_reserve(60).unwrap();
        reservation.abandon_shared();
        reservation.abandon_shared();
        assert_eq!((memory.used(), memory.abandoned(), memory.reservations()), (60, 60, 0));
        reservation.abandon();
        assert_eq!((memory.used(), memory.abandoned(), memory.reservations()), (60, 60, 0));
    }

    #[test]
    fn a_reservation_comes_back_while_a_panic_unwinds() {
        let memory = DirectMemory::with_limit(100);
        let inner = memory.clone();
        std::panic::catch_unwind(move || {
            let _reservation = inner.try_reserve(60).unwrap();
            std::panic::resume_unwind(Box::new(()));
        })
        .unwrap_err();
        assert_eq!((memory.used(), memory.reservations(), memory.peak()), (0, 0, 60));
    }
}
