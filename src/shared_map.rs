//! The map that many threads share.

use std::fmt;
use std::hash::{BuildHasher, Hash, RandomState};
use std::ops::Deref;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use dashmap::DashMap;

/// A [`DashMap`] whose making never blocks.
///
/// `DashMap::default` asks once for the number of processors, behind a lock: reading the control group's files takes a
/// millisecond, and a child that is forked meanwhile would wait for ever for a thread that it does not have.
pub(crate) struct SharedMap<K, V, S = RandomState>(DashMap<K, V, S>);

impl<K: Eq + Hash, V, S: BuildHasher + Clone + Default> Default for SharedMap<K, V, S> {
    fn default() -> SharedMap<K, V, S> {
        SharedMap(DashMap::with_hasher_and_shard_amount(S::default(), shards()))
    }
}

impl<K, V, S> Deref for SharedMap<K, V, S> {
    type Target = DashMap<K, V, S>;

    fn deref(&self) -> &DashMap<K, V, S> {
        &self.0
    }
}

impl<K, V, S> fmt::Debug for SharedMap<K, V, S> {
    /// Not its contents, which are behind locks.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SharedMap").finish_non_exhaustive()
    }
}

/// Four shards a processor, as `DashMap` has them; a power of two.
fn shards() -> usize {
    /// 0 until it is known. Several threads may find it out, each the same.
    static SHARDS: AtomicUsize = AtomicUsize::new(0);
    // Relaxed: the number is the whole message.
    match SHARDS.load(Ordering::Relaxed) {
        0 => {
            let shards = (thread::available_parallelism().map_or(1, usize::from) * 4).next_power_of_two();
            SHARDS.store(shards, Ordering::Relaxed);
            shards
        }
        shards => shards,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_are_as_many_shards_as_dashmap_takes() {
        let map = SharedMap::<u64, u64>::default();
        map.insert(1, 2);
        assert_eq!(map.get(&1).as_deref(), Some(&2));
        assert!(shards() > 1 && shards().is_power_of_two());
    }
}
