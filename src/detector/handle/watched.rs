//! The handle whose drop is the release.

use std::fmt;
use std::ops::{Deref, DerefMut};
use std::panic::Location;

use super::ticket::Ticket;
use crate::report::Hint;

/// A value whose drop gives it back: it is never lost, and the ledger finds what is never dropped.
///
/// For buffers, permits, files, sockets: whatever its own `Drop` returns. A map that nobody empties, a cycle of `Arc`s or
/// a task that nobody polls shows as a live count, by line.
///
/// # Examples
///
/// ```
/// use leaktrail::{Config, LeakDetector};
///
/// let detector = LeakDetector::new(Config::new());
/// let mut cache = vec![detector.watch([0_u8; 16])];
/// assert_eq!(detector.snapshot().live(), 1);
/// cache.clear();
/// assert_eq!(detector.snapshot().released(), 1);
/// ```
#[must_use = "a watched value is released as soon as it is dropped"]
pub struct Watched<T> {
    value: T,
    // Last, so that it is dropped last: the release counts once the value is gone.
    ticket: ReleasedOnDrop,
}

/// The ticket of a handle whose drop is the release.
struct ReleasedOnDrop(Ticket);

impl Drop for ReleasedOnDrop {
    #[inline]
    fn drop(&mut self) {
        if self.0.is_counted() {
            self.0.take().release();
        }
    }
}

impl<T> Watched<T> {
    #[inline]
    pub(in crate::detector) fn new(value: T, ticket: Ticket) -> Watched<T> {
        Watched { value, ticket: ReleasedOnDrop(ticket) }
    }

    /// Gives the value out and counts it as released.
    pub fn release(this: Watched<T>) -> T {
        let Watched { value, ticket } = this;
        drop(ticket);
        value
    }

    /// Gives the value out and stops following it. It is counted apart, as untracked.
    ///
    /// `reason` is for the reader of the code.
    pub fn into_untracked(this: Watched<T>, reason: &'static str) -> T {
        let _ = reason;
        let Watched { value, mut ticket } = this;
        ticket.0.take().untrack();
        value
    }

    /// Records that the value is in use here.
    ///
    /// # Cost
    /// Nothing for a handle without a trail; else a walk of the stack.
    #[track_caller]
    pub fn touch(this: &Watched<T>) {
        this.ticket.0.touch(|| None, Location::caller());
    }

    /// Records that the value is in use here, with a hint for the report.
    #[track_caller]
    pub fn touch_with(this: &Watched<T>, hint: impl Into<Hint>) {
        this.ticket.0.touch(|| Some(Hint::made(|| hint.into())), Location::caller());
    }

    /// Changes the size that the handle is counted with.
    pub fn set_bytes(this: &mut Watched<T>, bytes: u64) {
        this.ticket.0.set_bytes(bytes);
    }
}

impl<T> Deref for Watched<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}

impl<T> DerefMut for Watched<T> {
    fn deref_mut(&mut self) -> &mut T {
        &mut self.value
    }
}

impl<T> AsRef<T> for Watched<T> {
    fn as_ref(&self) -> &T {
        &self.value
    }
}

impl<T> AsMut<T> for Watched<T> {
    fn as_mut(&mut self) -> &mut T {
        &mut self.value
    }
}

impl<T: fmt::Debug> fmt::Debug for Watched<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.value, f)
    }
}

impl<T: fmt::Display> fmt::Display for Watched<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.value, f)
    }
}
