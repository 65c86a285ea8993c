//! The caches of this thread, one for each pool that it allocates from.

use std::cell::RefCell;
use std::sync::Arc;

use super::place::{SizeClass, Slot};
use super::storage::Storage;
use super::thread_cache::{Surplus, ThreadCache, Wanted};

/// This thread's part in a pool; it ends with the thread.
#[derive(Debug)]
struct Membership {
    cache: Arc<ThreadCache>,
}

impl Drop for Membership {
    fn drop(&mut self) {
        drop(self.cache.retire());
    }
}

thread_local! {
    static MEMBERSHIPS: RefCell<Vec<Membership>> = const { RefCell::new(Vec::new()) };
}

/// Calls `visit` with this thread's cache of that pool; `None` where it has none, and while the thread ends: buffers are
/// dropped by destructors of thread-locals that run after ours.
#[inline]
fn with<R>(pool: u64, visit: impl FnOnce(&Arc<ThreadCache>) -> R) -> Option<R> {
    let visit = |memberships: &RefCell<Vec<Membership>>| {
        // Borrowed already: a global allocator that allocates from a pool, called while a cache is entered here.
        let memberships = memberships.try_borrow().ok()?;
        let found = memberships.iter().find(|membership| membership.cache.pool() == pool)?;
        Some(visit(&found.cache))
    };
    MEMBERSHIPS.try_with(visit).ok().flatten()
}

/// Makes `cache` this thread's, and lets those go whose pools are gone. False while the thread ends: it is the caller's
/// still.
pub(super) fn enter(cache: &Arc<ThreadCache>) -> bool {
    let enter = |memberships: &RefCell<Vec<Membership>>| {
        let mut memberships = memberships.try_borrow_mut().ok()?;
        let (kept, gone) = memberships.drain(..).partition(|membership| membership.cache.is_open());
        *memberships = kept;
        memberships.push(Membership { cache: cache.clone() });
        Some::<Vec<Membership>>(gone)
    };
    // Out of the borrow: what a header holds is dropped with it.
    MEMBERSHIPS.try_with(enter).ok().flatten().map(drop).is_some()
}

/// Whether this thread has a cache of that pool.
pub(super) fn has(pool: u64) -> bool {
    with(pool, |_| ()).is_some()
}

/// A header of that class from this thread's cache, with the buffer entered in the books.
#[inline]
pub(super) fn take(pool: u64, class: SizeClass, capacity: usize) -> Option<Box<Storage>> {
    with(pool, |cache| cache.take(class, capacity)).flatten()
}

/// What is worth fetching from the arenas for this thread; `None` without a cache.
pub(super) fn wanted(pool: u64, class: SizeClass) -> Option<Wanted> {
    // The sweep is due when a take found nothing; what it finds is dropped out here.
    drop(with(pool, |cache| cache.sweep()));
    with(pool, |cache| cache.wanted(class))
}

/// Keeps headers that nobody has had yet; those that there is no room for are dropped.
pub(super) fn stock_up(pool: u64, mut surplus: Surplus) {
    with(pool, |cache| cache.stock_up(&mut surplus));
}

/// Enters a buffer whose slot came from an arena.
pub(super) fn lend(slot: &Slot, capacity: usize) {
    if with(slot.pool(), |cache| cache.lend(slot.bytes(), capacity)) != Some(true) {
        slot.arenas().lend(slot.arena(), slot.bytes(), capacity);
    }
}

/// Enters that a buffer grew by so much within its slot.
pub(super) fn grow(slot: &Slot, more: usize) {
    if with(slot.pool(), |cache| cache.grow(more)) != Some(true) {
        slot.arenas().grow(slot.arena(), more);
    }
}

/// The end of a buffer that has a slot: this thread keeps it with its header, or it goes back to its arena.
#[inline]
pub(super) fn put_back(mut storage: Box<Storage>) {
    let capacity = storage.block.capacity();
    storage.block.end();
    let Some(slot) = storage.block.slot() else { return };
    let (pool, class) = (slot.pool(), slot.class());
    let is_waited_for = slot.arenas().memory().is_waited_for();
    let mut storage = Some(storage);
    let entered = with(pool, |cache| cache.put_back(&mut storage, class, capacity)) == Some(true);
    if is_waited_for {
        give_way(pool);
    }
    if let Some(storage) = storage {
        let unentered = if entered { None } else { Some(capacity) };
        past_the_cache(storage, class, unentered);
    }
}

/// Somebody waits for memory: what this thread has at hand goes, and with it every chunk that is idle then.
#[cold]
fn give_way(pool: u64) {
    drop(with(pool, |cache| cache.drain()));
}

/// A header that the cache has no room for; where its buffer's end is not in the cache's books, it is entered in the
/// arena's.
#[cold]
fn past_the_cache(storage: Box<Storage>, class: SizeClass, unentered: Option<usize>) {
    let Some(slot) = storage.block.slot() else { return };
    if let Some(capacity) = unentered {
        slot.arenas().take_back(slot.arena(), slot.bytes(), capacity);
    }
    let pool = slot.pool();
    drop(storage);
    // Half of what the cache has goes too, so that the next ones have room.
    drop(with(pool, |cache| cache.halve(class)));
}
