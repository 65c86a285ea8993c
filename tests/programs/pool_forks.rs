//! A fork while threads allocate from a pool, release and trim: whatever lock they hold at that moment, no child waits for
//! it for ever, and its parent's buffers are good in it.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;

use leaktrail::{ByteBufAllocator, ChunkSize, DirectMemory, PooledAllocator};

use crate::fork::Child;
use crate::process::Named;

pub(crate) const TESTS: &[Named] = named![a_child_goes_on_with_its_parents_pool];

pub(crate) const PROGRAMS: &[Named] = named![forks_amid_a_pool];

const CHILDREN: u64 = 16;

fn a_child_goes_on_with_its_parents_pool() {
    let ended = program!(forks_amid_a_pool).run().with_status(0);
    ended.log_has(1, "sixteen children have gone on");
}

fn forks_amid_a_pool() {
    for round in 0..CHILDREN {
        let memory = DirectMemory::with_limit(64 << 20);
        // No cache in every other round: then nearly every step is under the lock of an arena.
        let builder = PooledAllocator::builder(memory.clone()).chunk_size(ChunkSize::KIB_64);
        let pool = if round % 2 == 0 { builder.cached_up_to(0).build() } else { builder.build() };
        let mut inherited = pool.allocate(5000).expect("there is room");
        inherited.put_slice(b"written by the parent");
        let (is_over, done) = (AtomicBool::new(false), AtomicU64::new(0));
        let child = thread::scope(|scope| {
            for _ in 0..3 {
                scope.spawn(|| {
                    while !is_over.load(Ordering::Relaxed) {
                        let number = done.fetch_add(1, Ordering::Relaxed);
                        let buffers: Vec<_> = (0..4).map(|_| pool.allocate((number % 60_000) as usize)).collect();
                        drop(buffers);
                        if number % 16 == 0 {
                            pool.trim();
                        }
                    }
                });
            }
            while done.load(Ordering::Relaxed) < 20 + round * 7 % 16 {
                thread::yield_now();
            }
            let child = Child::fork(|| {
                assert_eq!(&inherited[..], b"written by the parent");
                let mut own: Vec<_> =
                    (1..100).map(|number| pool.allocate(number * 300).expect("there is room")).collect();
                own.iter_mut().for_each(|buffer| buffer.resize(buffer.capacity(), 7));
                assert_eq!(&inherited[..], b"written by the parent");
                own.into_iter().for_each(|buffer| assert!(buffer.release()));
                inherited.try_reserve(100_000).expect("there is room");
                assert_eq!(&inherited[..], b"written by the parent");
                pool.trim();
                println!("{} B are used in the child", pool.stats().used());
            });
            is_over.store(true, Ordering::Relaxed);
            child
        });
        assert!(child.end().contains("B are used in the child"));
        assert_eq!(&inherited[..], b"written by the parent");
        assert!(inherited.release());
        assert_eq!((pool.stats().pinned(), pool.stats().buffers()), (0, 0));
        pool.trim();
        assert_eq!(memory.used(), 0);
    }
    println!("sixteen children have gone on");
}
