//! Reserving by a thread that may wait.

use std::panic::Location;
use std::time::{Duration, Instant};

use super::budget::Turn;
use super::direct_memory::DirectMemory;
use super::out_of_direct_memory::OutOfDirectMemory;
use super::reclaim;
use super::reservation::Reservation;
use super::waiter::Waiter;

/// The pauses of the JDK's `Bits.reserveMemory`: 1, 2, 4 … 256 ms, nine in all. Who waits longer goes on at the last.
const FIRST_PAUSE: Duration = Duration::from_millis(1);
const LAST_PAUSE: Duration = Duration::from_millis(256);
/// All nine.
const PATIENCE: Duration = Duration::from_millis(511);

impl DirectMemory {
    /// Reserves so many bytes, and waits for them if need be: about half a second at most.
    ///
    /// What fits is had at once, if nobody waits for it. Else the [reclaim hooks](DirectMemory::on_reclaim) are asked to
    /// give back what is missing. Then it waits its turn, as long as the JDK's `Bits.reserveMemory` does: nine pauses of 1, 2,
    /// 4 … 256 ms, 511 ms together. It is woken as soon as the bytes are there, not at the end of a pause; after each pause
    /// the first in line asks the hooks again, for what has got into a cache meanwhile.
    ///
    /// Waiting is fair: first in, first out. From 10 ms on the bytes of the first in line are kept for it:
    /// [`try_reserve`](DirectMemory::try_reserve) gets what is left beside them, so a large request is not overtaken by
    /// small ones for ever.
    ///
    /// What can never fit is refused at once: more than the limit, or than the limit leaves beside what was abandoned.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::thread;
    /// use leaktrail::DirectMemory;
    ///
    /// let memory = DirectMemory::with_limit(1000);
    /// let first = memory.try_reserve(1000)?;
    /// thread::scope(|scope| {
    ///     let waiting = scope.spawn(|| memory.reserve(600).map(|reservation| reservation.bytes()));
    ///     while memory.figures().waiting() == 0 {
    ///         thread::yield_now();
    ///     }
    ///     drop(first);
    ///     assert_eq!(waiting.join().unwrap().unwrap(), 600);
    /// });
    /// assert_eq!(memory.reserve(1001).unwrap_err().waited().as_millis(), 0);
    /// # Ok::<(), leaktrail::OutOfDirectMemory>(())
    /// ```
    ///
    /// # Errors
    /// [`OutOfDirectMemory`] when they do not fit even so. It names the caller of this function and says how long it
    /// [waited](OutOfDirectMemory::waited).
    ///
    /// # Cost
    /// That of [`try_reserve`](DirectMemory::try_reserve) while nobody waits and it fits. Who waits takes a lock that the
    /// others who wait share, and allocates; who gives back takes it too while somebody waits.
    #[track_caller]
    pub fn reserve(&self, bytes: u64) -> Result<Reservation, OutOfDirectMemory> {
        self.reserve_within(bytes, PATIENCE, Location::caller())
    }

    /// [`reserve`](DirectMemory::reserve), and waits as long as you say.
    ///
    /// Of zero it asks the hooks and waits for nobody.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::time::Duration;
    /// use leaktrail::DirectMemory;
    ///
    /// let memory = DirectMemory::with_limit(1000);
    /// let _held = memory.try_reserve(1000)?;
    /// let refused = memory.reserve_timeout(1, Duration::from_millis(5)).unwrap_err();
    /// assert!(refused.waited() >= Duration::from_millis(5));
    /// assert_eq!(
    ///     format!("{refused:#}"),
    ///     format!("{refused}\nwaited {} ms", refused.waited().as_millis()),
    /// );
    /// # Ok::<(), leaktrail::OutOfDirectMemory>(())
    /// ```
    ///
    /// # Errors
    /// [`OutOfDirectMemory`] when they do not fit within that time.
    #[track_caller]
    pub fn reserve_timeout(&self, bytes: u64, duration: Duration) -> Result<Reservation, OutOfDirectMemory> {
        self.reserve_within(bytes, duration, Location::caller())
    }

    fn reserve_within(
        &self,
        bytes: u64,
        patience: Duration,
        location: &'static Location<'static>,
    ) -> Result<Reservation, OutOfDirectMemory> {
        let budget = &self.budget;
        if let Ok(reservation) = Reservation::take(budget, bytes, Turn::InLine) {
            return Ok(reservation);
        }
        // In a hook nothing waits: who asked the hook does.
        if reclaim::is_inside_a_hook() || !budget.can_ever_fit(bytes) {
            return Reservation::take_at_once(budget, bytes, location);
        }
        budget.reclaim(bytes);
        if patience.is_zero() {
            return Reservation::take_at_once(budget, bytes, location);
        }
        let waiter = Waiter::enter(budget, bytes);
        // Far enough away to be never, where the clock cannot tell so late a moment.
        let end = Instant::now().checked_add(patience);
        let mut pause = FIRST_PAUSE;
        loop {
            let left = end.map_or(LAST_PAUSE, |end| end.saturating_duration_since(Instant::now()));
            match waiter.wait_for(pause.min(left)) {
                None if left > pause => {}
                _ => break,
            }
            if waiter.is_first() {
                budget.reclaim(bytes);
            }
            pause = (2 * pause).min(LAST_PAUSE);
        }
        let waited = waiter.waited();
        if waiter.leave() {
            return Ok(Reservation::of_taken(budget, bytes));
        }
        // Who is not the first may have waited for its turn alone: what fits is not refused.
        Reservation::take_at_once(budget, bytes, location).map_err(|error| error.after(waited))
    }
}
