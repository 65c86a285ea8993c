//! Arenas, and the threads that have something of them at hand.

use std::sync::{Arc, Weak};

use super::at_hand;
use super::place::{Arenas, ChunkSize, Ledger};
use super::pool_stats::{ArenaStats, PoolStats};
use super::thread_cache::ThreadCache;
use crate::memory::{ChildLock, DirectMemory, ReclaimHook};

/// What the clones of a [`PooledAllocator`](super::PooledAllocator) share. With the last of them the threads' caches are
/// emptied and idle chunks go; a chunk that buffers have goes with the last of those.
#[derive(Debug)]
pub(super) struct Pool {
    arenas: Arc<Arenas>,
    /// The caches of all threads that have allocated here; the threads own them.
    caches: ChildLock<Vec<Weak<ThreadCache>>>,
    cached_up_to_bytes: usize,
    _hook: ReclaimHook,
}

impl Pool {
    /// A pool without a chunk.
    pub(super) fn new(
        memory: &DirectMemory,
        chunk_size: ChunkSize,
        arenas: usize,
        cached_up_to_bytes: usize,
    ) -> Arc<Pool> {
        Arc::new_cyclic(|pool: &Weak<Pool>| {
            let pool = pool.clone();
            Pool {
                arenas: Arc::new(Arenas::new(memory.clone(), chunk_size, arenas)),
                caches: ChildLock::new(Vec::new()),
                cached_up_to_bytes,
                _hook: memory.on_reclaim(move |bytes| pool.upgrade().map_or(0, |pool| pool.give_back(bytes))),
            }
        })
    }

    pub(super) fn arenas(&self) -> &Arc<Arenas> {
        &self.arenas
    }

    /// Gives this thread a cache, unless it has one or ends already.
    #[cold]
    pub(super) fn join(&self) {
        if self.cached_up_to_bytes == 0 || at_hand::has(self.arenas.id()) {
            return;
        }
        let cache = Arc::new(ThreadCache::new(self.arenas.clone(), self.cached_up_to_bytes));
        if !at_hand::enter(&cache) {
            cache.retire();
        } else if let Some(mut caches) = self.caches.lock() {
            caches.retain(|cache| cache.strong_count() > 0);
            caches.push(Arc::downgrade(&cache));
        }
    }

    /// Gives back at least so many bytes, if there are so many: idle chunks first, then what becomes idle when no thread
    /// has anything at hand. Answers how many.
    fn give_back(&self, bytes: u64) -> u64 {
        let before = self.arenas.given_back();
        if self.arenas.trim(bytes) < bytes {
            self.caches().iter().for_each(|cache| drop(cache.drain()));
            self.arenas.trim(bytes.saturating_sub(self.arenas.given_back() - before));
        }
        self.arenas.given_back() - before
    }

    /// Gives everything back that is in no buffer and shares its chunk with none.
    pub(super) fn trim(&self) -> u64 {
        let before = self.arenas.given_back();
        self.caches().iter().for_each(|cache| drop(cache.drain()));
        self.arenas.trim(u64::MAX);
        self.arenas.given_back() - before
    }

    pub(super) fn stats(&self) -> PoolStats {
        let (mut ledger, mut at_hand_bytes, mut thread_caches) = (Ledger::default(), 0, 0);
        for (counted, bytes) in self.caches().iter().filter_map(|cache| cache.figures()) {
            ledger.add(counted);
            at_hand_bytes += bytes;
            thread_caches += 1;
        }
        ledger.add(self.arenas.ledger());
        let arenas: Vec<ArenaStats> = self.arenas.figures().into_iter().map(ArenaStats::new).collect();
        PoolStats::new(&self.arenas, arenas, ledger).with_threads(thread_caches, at_hand_bytes)
    }

    /// The caches of the threads that live; no lock is held when they are visited.
    fn caches(&self) -> Vec<Arc<ThreadCache>> {
        self.caches.lock().map(|caches| caches.iter().filter_map(Weak::upgrade).collect()).unwrap_or_default()
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        self.caches().iter().for_each(|cache| drop(cache.close()));
        self.arenas.close();
    }
}
