//! The handle whose drop is a leak.

use std::fmt;
use std::ops::{Deref, DerefMut};
use std::panic::Location;

use super::raw::{RawTicket, StaleTicket};
use super::ticket::Ticket;
use super::watched::Watched;
use crate::report::{Fate, Hint};
use crate::trail::Family;

/// A value that must be released: a drop without release is reported as a leak, and the value is dropped with it.
///
/// For what `Drop` cannot give back: what needs an `&mut Device`, an async close, a foreign free; or where a code base
/// demands that every release is written down, as Netty's does. For what its own `Drop` gives back, see [`Watched`].
///
/// A smart pointer, so its operations are associated functions: `Tracked::release(handle)`. It is `Send` and `Sync` as
/// its value is, and 8 bytes larger (with padding, for values aligned to more than that).
///
/// # Examples
///
/// ```
/// use leaktrail::{Config, LeakDetector, Level, Tracked};
///
/// let detector = LeakDetector::new(Config::new().level(Level::Advanced));
/// let mut buffer = detector.track(Vec::with_capacity(64));
/// buffer.push(1_u8); // DerefMut
/// Tracked::touch_with(&buffer, "filled");
/// let bytes: Vec<u8> = Tracked::release(buffer);
/// assert_eq!(bytes, [1]);
/// assert_eq!(detector.snapshot().leaked(), 0);
/// ```
///
/// Releasing twice does not compile:
///
/// ```compile_fail
/// let handle = leaktrail::track(7);
/// leaktrail::Tracked::release(handle);
/// leaktrail::Tracked::release(handle);
/// ```
#[must_use = "a tracked value that is not released is a leak; for one that its own drop gives back use `watch`"]
pub struct Tracked<T> {
    // First, so that it is dropped first: the loss is counted even if the value's own drop panics.
    ticket: LostOnDrop,
    value: T,
}

/// The ticket of a handle whose drop is a loss.
struct LostOnDrop(Ticket);

impl Drop for LostOnDrop {
    #[inline]
    fn drop(&mut self) {
        if self.0.is_counted() {
            self.0.take().lose(Fate::DroppedWithHandle, Family::default());
        }
    }
}

impl<T> Tracked<T> {
    #[inline]
    pub(in crate::detector) fn new(value: T, ticket: Ticket) -> Tracked<T> {
        Tracked { ticket: LostOnDrop(ticket), value }
    }

    fn into_parts(this: Tracked<T>) -> (T, Ticket) {
        let Tracked { mut ticket, value } = this;
        (value, ticket.0.take())
    }

    /// Gives the value out and counts it as released.
    ///
    /// # Cost
    /// A lookup in a small cache of the thread and two plain stores; with a trail one exchange more, which takes the trail out.
    pub fn release(this: Tracked<T>) -> T {
        let (value, ticket) = Tracked::into_parts(this);
        ticket.release();
        value
    }

    /// Hands the value to `release`, and counts it as released when that has returned.
    ///
    /// If it panics, the value went with it and counts as lost while unwinding.
    ///
    /// # Examples
    ///
    /// ```
    /// use leaktrail::{Config, LeakDetector, Tracked};
    ///
    /// let detector = LeakDetector::new(Config::new());
    /// let handle = detector.track(40);
    /// assert_eq!(Tracked::release_with(handle, |value| value + 2), 42);
    /// assert_eq!(detector.snapshot().released(), 1);
    /// ```
    pub fn release_with<R>(this: Tracked<T>, release: impl FnOnce(T) -> R) -> R {
        let Tracked { mut ticket, value } = this;
        let result = release(value);
        ticket.0.take().release();
        result
    }

    /// From now on a drop is the release: for a value that was handed to somebody who drops it.
    pub fn into_watched(this: Tracked<T>) -> Watched<T> {
        let (value, ticket) = Tracked::into_parts(this);
        Watched::new(value, ticket)
    }

    /// Gives the value out and stops following it. It is counted apart, as untracked, never as lost.
    ///
    /// For what lives as long as the process, or goes where no handle can. `reason` is for the reader of the code.
    pub fn into_untracked(this: Tracked<T>, reason: &'static str) -> T {
        let _ = reason;
        let (value, ticket) = Tracked::into_parts(this);
        ticket.untrack();
        value
    }

    /// Takes the value and its ticket apart, so that both can travel through foreign code.
    ///
    /// The handle gets a trail for it (its creation is not recorded anew), so that the ticket can be checked when it comes
    /// back. When there is no room for a trail (65,536 live ones) the handle is given up as untracked instead, and its
    /// ticket is accepted once or often.
    ///
    /// # Examples
    ///
    /// ```
    /// use leaktrail::{Config, LeakDetector, RawTicket, Tracked};
    ///
    /// let detector = LeakDetector::new(Config::new());
    /// let (value, ticket) = Tracked::into_raw(detector.track(7));
    /// let user_data: u64 = ticket.into_bits(); // … through a C callback …
    /// let handle = Tracked::from_raw(value, RawTicket::from_bits(user_data)).unwrap();
    /// assert_eq!(Tracked::release(handle), 7);
    ///
    /// // A second time the ticket is stale, and the value comes back.
    /// let stale = Tracked::from_raw(8, RawTicket::from_bits(user_data)).unwrap_err();
    /// assert_eq!(stale.into_value(), 8);
    /// ```
    #[track_caller]
    pub fn into_raw(this: Tracked<T>) -> (T, RawTicket) {
        let (value, ticket) = Tracked::into_parts(this);
        let ticket = ticket.start_raw(Location::caller());
        (value, RawTicket::new(&ticket))
    }

    /// Puts a value and a ticket from [`into_raw`](Tracked::into_raw) together again.
    ///
    /// # Errors
    ///
    /// [`StaleTicket`], with the value, if the ticket was taken back already or was not made by `into_raw`.
    pub fn from_raw(value: T, ticket: RawTicket) -> Result<Tracked<T>, StaleTicket<T>> {
        match Ticket::end_raw(ticket) {
            Some(ticket) => Ok(Tracked::new(value, ticket)),
            None => Err(StaleTicket::new(value, ticket)),
        }
    }

    /// Records that the value is in use here.
    ///
    /// # Cost
    /// Nothing for a handle without a trail; else a walk of the stack.
    #[track_caller]
    pub fn touch(this: &Tracked<T>) {
        this.ticket.0.touch(|| None, Location::caller());
    }

    /// Records that the value is in use here, with a hint for the report.
    ///
    /// The hint is made only for a handle with a trail.
    #[track_caller]
    pub fn touch_with(this: &Tracked<T>, hint: impl Into<Hint>) {
        this.ticket.0.touch(|| Some(Hint::made(|| hint.into())), Location::caller());
    }

    /// Changes the size that the handle is counted with.
    pub fn set_bytes(this: &mut Tracked<T>, bytes: u64) {
        this.ticket.0.set_bytes(bytes);
    }
}

impl<T> Deref for Tracked<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}

impl<T> DerefMut for Tracked<T> {
    fn deref_mut(&mut self) -> &mut T {
        &mut self.value
    }
}

impl<T> AsRef<T> for Tracked<T> {
    fn as_ref(&self) -> &T {
        &self.value
    }
}

impl<T> AsMut<T> for Tracked<T> {
    fn as_mut(&mut self) -> &mut T {
        &mut self.value
    }
}

impl<T: fmt::Debug> fmt::Debug for Tracked<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.value, f)
    }
}

impl<T: fmt::Display> fmt::Display for Tracked<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.value, f)
    }
}
