//! One site's counters.

use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use super::cell::SiteCell;
use super::counts::Counts;
use super::growth::Growth;
use super::marks::Marks;
use super::tally::Tally;
use crate::report::{Origin, Site};

/// What a row counts for; fixed while the row is in use.
#[derive(Debug)]
pub(crate) struct RowMeta {
    /// The number of the ledger that the row belongs to.
    pub(crate) ledger: u64,
    /// The process that made the row: a forked child inherits its parent's rows and leaves them alone.
    pub(crate) generation: u32,
    /// The resource's name.
    pub(crate) resource: Arc<str>,
    /// The call that created the handles.
    pub(crate) site: Site,
    /// How they came to be.
    pub(crate) origin: Origin,
    /// What the last looks at the row saw, for "in the last 60 s" and "not at 0 since".
    pub(super) marks: Marks,
    /// Whether the live count rises from window to window; the tick alone looks.
    pub(super) growth: Mutex<Growth>,
}

/// Rows that have full trails to grant: a handful at most, and nearly always none.
static PROMOTED: AtomicU32 = AtomicU32::new(0);

/// True if some row has full trails to grant: what a creation asks before it looks at its own row.
#[inline]
pub(crate) fn is_any_promoted() -> bool {
    // Relaxed: see `set_boost`.
    PROMOTED.load(Ordering::Relaxed) != 0
}

/// One site: the counts that are no thread's own, and what the site is.
///
/// Threads count in cells of their own; a row has the counts of threads that are gone, of threads that are ending, and the
/// rare events: losses and what was given up. A row's whole is the sum over its cells and itself.
#[derive(Debug, Default)]
pub(crate) struct Row {
    tally: Tally,
    leaked: AtomicU64,
    leaked_bytes: AtomicU64,
    untracked: AtomicU64,
    untracked_bytes: AtomicU64,
    /// How many of the next handles get a full trail (promotion).
    boost: AtomicU32,
    /// A loss of this row waits in the queue of its detector; others need not queue too.
    loss_queued: AtomicBool,
    meta: RwLock<Option<Arc<RowMeta>>>,
}

impl Row {
    /// One handle more, from a thread without a cell.
    pub(crate) fn create_shared(&self, bytes: u64) {
        self.tally.create_shared(bytes);
    }

    /// One handle was given back, by a thread without a cell.
    pub(super) fn release_shared(&self, bytes: u64) {
        self.tally.release_shared(bytes);
    }

    /// A live handle's size changed, on a thread without a cell.
    pub(super) fn resize_shared(&self, from: u64, to: u64) {
        self.tally.resize_shared(from, to);
    }

    /// Takes over the counts of a cell whose thread is done with it.
    pub(super) fn fold(&self, cell: &SiteCell) {
        cell.tally.fold_into(&self.tally);
    }

    /// One handle was lost.
    pub(crate) fn leak(&self, bytes: u64) {
        // Release: pairs with the Acquire loads of `add_minus_to`.
        self.leaked_bytes.fetch_add(bytes, Ordering::Release);
        self.leaked.fetch_add(1, Ordering::Release);
    }

    /// One handle was given up on purpose.
    pub(crate) fn untrack(&self, bytes: u64) {
        // Release: pairs with the Acquire loads of `add_minus_to`.
        self.untracked_bytes.fetch_add(bytes, Ordering::Release);
        self.untracked.fetch_add(1, Ordering::Release);
    }

    /// Adds the row's minus side to a sum; read before any plus side.
    pub(super) fn add_minus_to(&self, sum: &mut Counts) {
        self.tally.add_minus_to(sum);
        // Acquire: pairs with the Release additions of `leak` and `untrack`, as in the tally.
        sum.leaked += self.leaked.load(Ordering::Acquire);
        sum.leaked_bytes += self.leaked_bytes.load(Ordering::Acquire);
        sum.untracked += self.untracked.load(Ordering::Acquire);
        sum.untracked_bytes += self.untracked_bytes.load(Ordering::Acquire);
    }

    /// Adds the row's plus side to a sum.
    pub(super) fn add_plus_to(&self, sum: &mut Counts) {
        self.tally.add_plus_to(sum);
    }

    /// Handles of the site that were lost, and their bytes: the part of the counts that is in one place.
    pub(crate) fn lost(&self) -> (u64, u64) {
        (self.leaked.load(Ordering::Acquire), self.leaked_bytes.load(Ordering::Acquire))
    }

    /// Gives the next `handles` handles a full trail.
    pub(crate) fn set_boost(&self, handles: u32) {
        // Relaxed: a wish, not a message; a creation that misses it by a moment is a creation before it.
        let before = self.boost.swap(handles, Ordering::Relaxed);
        match (before, handles) {
            (0, 1..) => _ = PROMOTED.fetch_add(1, Ordering::Relaxed),
            (1.., 0) => _ = PROMOTED.fetch_sub(1, Ordering::Relaxed),
            _ => {}
        }
    }

    /// How many of the next handles will get a full trail.
    pub(crate) fn boost(&self) -> u32 {
        self.boost.load(Ordering::Relaxed)
    }

    /// Takes one of the full trails that a promotion granted.
    pub(crate) fn take_boost(&self) -> bool {
        let taken = self.boost.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1));
        if taken == Ok(1) {
            PROMOTED.fetch_sub(1, Ordering::Relaxed);
        }
        taken.is_ok()
    }

    /// Marks that a loss of this row is queued; true if none was.
    pub(crate) fn queue_loss(&self) -> bool {
        // AcqRel: pairs with `unqueue_loss`, so that a loss counted before a failed attempt is seen by the pass that
        // clears the mark afterwards.
        !self.loss_queued.swap(true, Ordering::AcqRel)
    }

    /// Takes the mark off, before the row's count is read.
    pub(crate) fn unqueue_loss(&self) {
        self.loss_queued.swap(false, Ordering::AcqRel);
    }

    /// What the row counts for; nothing while it is free.
    pub(crate) fn meta(&self) -> Option<Arc<RowMeta>> {
        self.meta.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Puts the row to use.
    pub(super) fn assign(&self, meta: Arc<RowMeta>) {
        *self.meta.write().unwrap_or_else(PoisonError::into_inner) = Some(meta);
    }

    /// Makes a row that nothing refers to any more free and empty again.
    pub(super) fn clear(&self) {
        *self.meta.write().unwrap_or_else(PoisonError::into_inner) = None;
        // Relaxed throughout: the row is reached by its next user through the lock of the free list.
        self.tally.clear();
        for counter in [&self.leaked, &self.leaked_bytes, &self.untracked, &self.untracked_bytes] {
            counter.store(0, Ordering::Relaxed);
        }
        self.set_boost(0);
        self.loss_queued.store(false, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_boost_is_taken_as_often_as_it_was_granted() {
        let row = Row::default();
        assert!(!row.take_boost());
        row.set_boost(64);
        assert_eq!((0..100).filter(|_| row.take_boost()).count(), 64);
    }

    #[test]
    fn one_loss_is_queued_at_a_time() {
        let row = Row::default();
        assert!(row.queue_loss());
        assert!(!row.queue_loss());
        row.unqueue_loss();
        assert!(row.queue_loss());
    }
}
