//! Netty's tests of its pooled allocator, by meaning: each is named where it is carried over.

mod pool_pattern;

use std::num::NonZeroUsize;
use std::sync::{Arc, Barrier};
use std::thread;

use leaktrail::{ByteBufAllocator, ByteBufMut, ChunkSize, DirectMemory, PoolStats, PooledAllocator};
use pool_pattern::{check, fill};

/// Netty's invariant of `PooledByteBufAllocatorTest`, at every step.
#[track_caller]
fn assert_figures(pool: &PooledAllocator, capacities: u64) -> PoolStats {
    let stats = pool.stats();
    assert_eq!(stats.by_buffers(), capacities);
    assert!(capacities <= stats.pinned() && stats.pinned() <= stats.used(), "{stats}");
    assert_eq!(stats.used(), pool.memory().used(), "{stats}");
    stats
}

/// Numbers that look random and are the same in each run.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, most: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % most
    }
}

/// `PooledByteBufAllocatorTest.testUsedDirectMemory`: 0 at first, a chunk after the first buffer, a chunk after its
/// release too; and `testUsedDirectMemoryHuge`: a huge buffer is used to the byte and goes back at once.
#[test]
fn used_is_chunks_and_huge_buffers_to_the_byte() {
    let memory = DirectMemory::unlimited();
    let pool = PooledAllocator::new(memory.clone());
    assert_eq!((pool.stats().used(), pool.stats().chunk_bytes()), (0, 4 << 20));
    let mut buffer = pool.allocate(1024).unwrap();
    assert_eq!(pool.stats().used(), 4 << 20);
    buffer.try_reserve(2048).unwrap();
    assert_eq!((buffer.capacity(), pool.stats().used()), (2048, 4 << 20));
    assert!(buffer.release());
    assert_eq!(pool.stats().used(), 4 << 20);

    let huge = pool.allocate(32 << 20).unwrap();
    assert_eq!((pool.stats().used(), pool.stats().direct_bytes()), (36 << 20, 32 << 20));
    assert!(huge.release());
    assert_eq!((pool.stats().used(), pool.trim(), memory.used()), (4 << 20, 4 << 20, 0));
}

/// `testUsedDirectMemory` with its eight sizes: capacity <= pinned <= used at every step, and pinned is 0 at the end.
#[test]
fn pinned_follows_eight_sizes_up_and_down() {
    let pool = PooledAllocator::new(DirectMemory::unlimited());
    let mut out: Vec<ByteBufMut> = Vec::new();
    let sum = |out: &[ByteBufMut]| out.iter().map(|buffer| buffer.capacity() as u64).sum();
    for doubling in 0..8 {
        out.push(pool.allocate(1024 << doubling).unwrap());
        assert_figures(&pool, sum(&out));
        let last = out.last_mut().unwrap();
        last.try_reserve((1024 << doubling) * 2).unwrap();
        assert_figures(&pool, sum(&out));
    }
    let mut numbers = Numbers(1);
    while !out.is_empty() {
        let at = numbers.below(out.len() as u64) as usize;
        assert!(out.swap_remove(at).release());
        assert_figures(&pool, sum(&out));
    }
    assert_eq!(pool.stats().pinned(), 0);
    // Thirty of random sizes in mixed order.
    for _ in 0..30 {
        out.push(pool.allocate(1 + numbers.below(100_000) as usize).unwrap());
        assert_figures(&pool, sum(&out));
        if numbers.below(3) == 0 {
            let at = numbers.below(out.len() as u64) as usize;
            out.swap_remove(at).release();
            assert_figures(&pool, sum(&out));
        }
    }
    out.clear();
    assert_eq!(pool.stats().pinned(), 0);
    pool.trim();
    assert_eq!(pool.memory().used(), 0);
}

/// `pinnedMemoryMustReflectBuffersInUseWithThreadLocalCaching` and its twin without: 10,000 rounds of 1 to 99 buffers, small
/// ones in even rounds, large ones in odd ones.
#[test]
fn pinned_reflects_the_buffers_in_use() {
    // In a build for debugging fewer rounds of the same kind; `.ci/deep` has them all.
    let rounds = if cfg!(debug_assertions) { 1_000 } else { 10_000 };
    for cached_up_to in [64 << 10, 0] {
        let pool = PooledAllocator::builder(DirectMemory::unlimited()).cached_up_to(cached_up_to).build();
        let mut numbers = Numbers(cached_up_to as u64);
        for round in 0..rounds {
            let count = 1 + numbers.below(99);
            let size = |numbers: &mut Numbers| {
                if round % 2 == 0 { 8 + numbers.below(120) } else { 1024 + numbers.below(99 * 1024) }
            };
            let out: Vec<ByteBufMut> =
                (0..count).map(|_| pool.allocate(size(&mut numbers) as usize).unwrap()).collect();
            if round % 100 < 2 {
                assert_figures(&pool, out.iter().map(|buffer| buffer.capacity() as u64).sum());
            }
            drop(out);
            assert_eq!(pool.stats().pinned(), 0, "round {round}");
        }
        pool.trim();
        assert_eq!(pool.memory().used(), 0);
    }
}

/// `AbstractByteBufAllocatorTest.shouldReuseChunks` and the event tests `shouldReuseTheSameChunk`, `shouldCreateTwoChunks`:
/// 128 buffers one after another come from one chunk, and one more than fit a chunk from two.
#[test]
fn a_chunk_is_used_again_and_a_second_one_only_when_it_is_full() {
    let memory = DirectMemory::unlimited();
    let builder = PooledAllocator::builder(memory.clone()).arenas(NonZeroUsize::MIN);
    let pool = builder.chunk_size(ChunkSize::new(1 << 20).unwrap()).build();
    for size in 0..128 {
        assert!(pool.allocate(size * 500).unwrap().release());
        assert_eq!(memory.used(), 1 << 20);
    }
    pool.trim();
    let mut out: Vec<ByteBufMut> = (0..16).map(|_| pool.allocate(64 << 10).unwrap()).collect();
    assert_eq!(pool.stats().arenas()[0].usage_percent().collect::<Vec<_>>(), [100]);
    out.push(pool.allocate(64 << 10).unwrap());
    assert_eq!((memory.used(), pool.stats().arenas()[0].chunks()), (2 << 20, 2));
}

/// `testCapacityChangeDoesntThrowAssertionError`: growing to the same capacity over and over, on two threads.
#[test]
fn growth_on_two_threads_unbalances_nothing() {
    let pool = PooledAllocator::new(DirectMemory::unlimited());
    thread::scope(|scope| {
        for seed in 0..2 {
            let pool = &pool;
            scope.spawn(move || {
                for round in 0..500 {
                    let mut buffer = pool.allocate(1).unwrap();
                    buffer.try_reserve(512).unwrap();
                    fill(&mut buffer, seed * 1000 + round);
                    buffer.try_reserve(512).unwrap();
                    check(&buffer, seed * 1000 + round);
                    assert!(buffer.release());
                }
            });
        }
    });
    assert_eq!((pool.stats().pinned(), pool.stats().buffers()), (0, 0));
}

/// `PooledByteBufAllocatorTest.testThreadCacheDestroyedByThreadCleaner`, `testNumThreadCachesWithNoDirectArenas` by meaning:
/// each thread that allocates has a cache, and none is left of those that ended.
#[test]
fn thread_caches_are_as_many_as_threads() {
    let pool = PooledAllocator::new(DirectMemory::unlimited());
    let (arrived, counted) = (Arc::new(Barrier::new(5)), Arc::new(Barrier::new(5)));
    thread::scope(|scope| {
        for _ in 0..4 {
            let (pool, arrived, counted) = (&pool, arrived.clone(), counted.clone());
            scope.spawn(move || {
                pool.allocate(100).unwrap().release();
                arrived.wait();
                counted.wait();
            });
        }
        arrived.wait();
        assert_eq!(pool.stats().thread_caches(), 4);
        let threads: Vec<u64> = pool.stats().arenas().iter().map(|arena| arena.threads()).collect();
        assert_eq!(threads.iter().sum::<u64>(), 4);
        assert!(threads.iter().max().unwrap() - threads.iter().min().unwrap() <= 1, "{threads:?}");
        counted.wait();
    });
    // A scope waits for its threads' work, not for the destructors of their thread-locals.
    while pool.stats().thread_caches() > 0 {
        thread::yield_now();
    }
    assert_eq!((pool.stats().cached_by_threads(), pool.trim()), (0, pool.memory().peak() - pool.memory().used()));
    assert_eq!(pool.memory().used(), 0);
}
