//! Eight threads cross buffers of a pool: what one allocates another checks and releases, while a third trims.

mod pool_pattern;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;

use leaktrail::{ByteBufAllocator, ByteBufMut, ChunkSize, DirectMemory, PooledAllocator};
use pool_pattern::{check, fill};

const THREADS: usize = 8;
const ROUNDS: u64 = if cfg!(debug_assertions) { 2_000 } else { 30_000 };
const LIMIT: u64 = 8 << 20;

/// Sizes of all kinds; the budget holds all that may be out.
fn size(number: u64) -> usize {
    match number % 16 {
        0..=7 => (number * 37 % 500) as usize,
        8..=13 => (number * 41 % 9_000) as usize,
        14 => (number * 43 % 40_000) as usize,
        _ => (number * 47 % 70_000) as usize,
    }
}

#[test]
fn eight_threads_cross_buffers() {
    let memory = DirectMemory::with_limit(LIMIT);
    let builder =
        PooledAllocator::builder(memory.clone()).chunk_size(ChunkSize::new(256 << 10).expect("a power of two"));
    let pool = builder.build();
    let (senders, receivers): (Vec<_>, Vec<_>) = (0..THREADS).map(|_| channel::<(u64, ByteBufMut)>()).unzip();
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        let workers: Vec<_> = receivers
            .into_iter()
            .enumerate()
            .map(|(number, receiver)| {
                let (pool, next): (_, Sender<_>) = (pool.clone(), senders[(number + 1) % THREADS].clone());
                scope.spawn(move || work(number as u64, &pool, &next, &receiver))
            })
            .collect();
        drop(senders);
        let (watched, pool, done) = (&memory, &pool, &done);
        scope.spawn(move || {
            while !done.load(Ordering::Relaxed) {
                assert!(watched.used() <= LIMIT);
                pool.trim();
                let stats = pool.stats();
                assert!(stats.pinned() <= stats.used(), "{stats}");
                thread::yield_now();
            }
        });
        let refused: u64 = workers.into_iter().map(|worker| worker.join().expect("a worker does not panic")).sum();
        done.store(true, Ordering::Relaxed);
        assert!(refused < ROUNDS, "{refused} of {} were refused", ROUNDS * THREADS as u64);
    });
    let stats = pool.stats();
    assert_eq!((stats.buffers(), stats.by_buffers(), stats.pinned()), (0, 0, 0), "{stats}");
    pool.trim();
    assert_eq!((memory.used(), memory.reservations()), (0, 0));
    assert_eq!((memory.figures().cached(), memory.figures().overhead()), (0, 0));
}

/// Allocates, passes on every other one, and checks and releases what comes; answers how many were refused.
fn work(
    number: u64,
    pool: &PooledAllocator,
    next: &Sender<(u64, ByteBufMut)>,
    receiver: &Receiver<(u64, ByteBufMut)>,
) -> u64 {
    let (mut kept, mut refused) = (Vec::new(), 0);
    for round in 0..ROUNDS {
        let seed = number << 32 | round;
        match pool.allocate(size(seed.wrapping_mul(2_654_435_761) >> 7)) {
            Ok(mut buffer) => {
                fill(&mut buffer, seed);
                if round % 2 == 0 {
                    // One that has ended already drops what comes.
                    let _ = next.send((seed, buffer));
                } else {
                    kept.push((seed, buffer));
                }
            }
            Err(_) => refused += 1,
        }
        for (seed, buffer) in receiver.try_iter().chain((kept.len() > 10).then(|| kept.swap_remove(3))) {
            check(&buffer, seed);
            if seed % 3 == 0 { assert!(buffer.freeze().release()) } else { assert!(buffer.release()) }
        }
    }
    kept.into_iter().for_each(|(seed, buffer)| check(&buffer, seed));
    refused
}
