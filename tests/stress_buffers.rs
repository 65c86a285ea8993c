//! Eight threads pass pattern-filled buffers around, retain, slice, join, convert, release and lose them, while others
//! change the level, flush and look. In the end nothing is out, every byte was right, and every count is exact.

mod rig;

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Barrier, Mutex};
use std::thread;

use bytes::Bytes;
use leaktrail::{ByteBuf, ByteBufAllocator, DropPolicy, Level};
use rig::Rig;

const THREADS: usize = 8;
const ROUNDS: u64 = if cfg!(debug_assertions) { 1_000 } else { 20_000 };
const LIMIT: u64 = 64 << 10;

/// What a thread hands to another: a reference, and where in which pattern it begins.
enum Parcel {
    Shared { body: ByteBuf, seed: u64, begin: usize },
    Converted { bytes: Bytes, seed: u64, begin: usize },
}

/// What stands at a place of a buffer.
fn pattern(seed: u64, place: usize) -> u8 {
    (seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 56) as u8 ^ (place as u8).wrapping_mul(31)
}

fn is_pattern(bytes: &[u8], seed: u64, begin: usize) -> bool {
    bytes.iter().enumerate().all(|(place, &byte)| byte == pattern(seed, begin + place))
}

/// A small generator, so that each thread has its own draws.
struct Draws(u64);

impl Draws {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % bound
    }
}

#[derive(Default)]
struct Tally {
    created: AtomicU64,
    lost: AtomicU64,
    refused: AtomicU64,
}

impl Tally {
    fn count(figure: &AtomicU64, more: u64) {
        figure.fetch_add(more, Ordering::Relaxed);
    }
}

struct World {
    rig: Rig,
    queues: [Mutex<VecDeque<Parcel>>; THREADS],
    tally: Tally,
    /// One in so many references is lost; 0 for none.
    lose_one_in: u64,
}

impl World {
    fn send(&self, draws: &mut Draws, parcel: Parcel) {
        let to = draws.below(THREADS as u64) as usize;
        self.queues[to].lock().unwrap().push_back(parcel);
    }

    fn create(&self, draws: &mut Draws) {
        // One in a hundred asks for more than there will ever be.
        let capacity = if draws.below(100) == 0 { LIMIT as usize + 1 } else { 1 + draws.below(2_000) as usize };
        let Ok(mut buffer) = self.rig.allocator.allocate(capacity) else {
            return Tally::count(&self.tally.refused, 1);
        };
        Tally::count(&self.tally.created, 1);
        let seed = draws.below(u64::MAX);
        for place in 0..capacity / 2 {
            buffer.put_slice(&[pattern(seed, place)]);
        }
        // Half of them grow on the way, if there is room.
        if draws.below(2) == 0 && buffer.try_reserve(capacity).is_err() {
            Tally::count(&self.tally.refused, 1);
        }
        for place in buffer.len()..buffer.capacity() {
            buffer.put_slice(&[pattern(seed, place)]);
        }
        assert_eq!(buffer.len(), buffer.capacity());
        buffer.touch_with("filled");
        self.send(draws, Parcel::Shared { body: buffer.freeze(), seed, begin: 0 });
    }

    fn receive(&self, draws: &mut Draws, parcel: Parcel, forward: bool) {
        let (body, seed, begin) = match parcel {
            Parcel::Shared { body, seed, begin } => (body, seed, begin),
            Parcel::Converted { bytes, seed, begin } => {
                assert!(is_pattern(&bytes, seed, begin));
                if forward && draws.below(4) == 0 {
                    let begin = begin + bytes.len() / 2;
                    let bytes = bytes.slice(bytes.len() / 2..);
                    self.send(draws, Parcel::Converted { bytes, seed, begin });
                }
                return;
            }
        };
        assert!(is_pattern(&body, seed, begin), "{body:?}");
        match draws.below(if forward { 8 } else { 1 }) {
            1 => {
                Tally::count(&self.tally.created, 1);
                let retained = body.retain();
                self.send(draws, Parcel::Shared { body: retained, seed, begin });
            }
            2 => {
                Tally::count(&self.tally.created, 1);
                let from = draws.below(body.len() as u64 + 1) as usize;
                let part = body.slice(from..);
                self.send(draws, Parcel::Shared { body: part, seed, begin: begin + from });
            }
            3 => {
                Tally::count(&self.tally.created, 2);
                let middle = body.len() / 2;
                let joined = ByteBuf::join([body.slice(..middle), body.slice(middle..)]);
                assert!(is_pattern(&joined.copy_to_vec(), seed, begin));
                joined.release();
            }
            4 => return self.send(draws, Parcel::Converted { bytes: Bytes::from(body), seed, begin }),
            5 => return self.send(draws, Parcel::Shared { body, seed, begin }),
            _ => body.touch(),
        }
        if self.lose_one_in > 0 && draws.below(self.lose_one_in) == 0 {
            Tally::count(&self.tally.lost, 1);
            drop(body);
        } else {
            body.release();
        }
    }

    fn work(&self, nth: usize, barrier: &Barrier) {
        let mut draws = Draws(0x2545_F491_4F6C_DD1D ^ (nth as u64 + 1) << 17);
        let next = |queue: u64| self.queues[queue as usize].lock().unwrap().pop_front();
        barrier.wait();
        let rounds = catch_unwind(AssertUnwindSafe(|| {
            for _ in 0..ROUNDS {
                self.create(&mut draws);
                // From anybody's queue, so that one that is not scheduled holds nobody's memory.
                for _ in 0..4 {
                    if let Some(parcel) = next(draws.below(THREADS as u64)) {
                        self.receive(&mut draws, parcel, true);
                    }
                }
            }
        }));
        // The others wait for each, also for one that saw what it should not.
        barrier.wait();
        rounds.unwrap_or_else(|panic| resume_unwind(panic));
        // Nobody sends any more.
        while let Some(parcel) = next(nth as u64) {
            self.receive(&mut draws, parcel, false);
        }
    }

    /// Changes the level, asks for reports and looks at the figures, which are never impossible.
    fn disturb(&self, done: &AtomicBool) {
        let levels = [Level::Simple, Level::Advanced, Level::Paranoid];
        for level in levels.into_iter().cycle() {
            if done.load(Ordering::Relaxed) {
                return;
            }
            self.rig.detector.set_level(level);
            self.rig.detector.flush();
            let now = self.rig.detector.snapshot();
            assert!(now.sites().iter().all(|site| site.released() + site.leaked() <= site.created()), "{now}");
            assert!(self.rig.memory.used() <= LIMIT);
            thread::yield_now();
        }
    }
}

fn run(policy: DropPolicy, lose_one_in: u64) -> World {
    let world = World {
        rig: Rig::new(Level::Simple, policy, LIMIT),
        queues: Default::default(),
        tally: Tally::default(),
        lose_one_in,
    };
    let (barrier, done) = (Barrier::new(THREADS), AtomicBool::new(false));
    thread::scope(|scope| {
        scope.spawn(|| world.disturb(&done));
        let workers: Vec<_> = (0..THREADS)
            .map(|nth| {
                let (world, barrier) = (&world, &barrier);
                scope.spawn(move || world.work(nth, barrier))
            })
            .collect();
        let ends: Vec<_> = workers.into_iter().map(|worker| worker.join()).collect();
        done.store(true, Ordering::Relaxed);
        ends.into_iter().for_each(|end| end.expect("a worker saw what it should not"));
    });
    world
}

fn check(world: &World, leaked: u64) {
    let created = world.tally.created.load(Ordering::Relaxed);
    assert_eq!(world.rig.counts(), (created, created - leaked, leaked, 0));
    assert!(created > THREADS as u64 * ROUNDS / 2, "{created} is no stress");
    assert!(world.tally.refused.load(Ordering::Relaxed) > 0 && world.rig.memory.peak() <= LIMIT);
}

#[test]
fn what_everybody_releases_is_back_and_nothing_is_reported() {
    let world = run(DropPolicy::Reclaim, 0);
    check(&world, 0);
    world.rig.assert_all_came_back();
    assert!(world.rig.reports().is_empty());
}

#[test]
fn what_is_lost_is_counted_to_the_last_one_and_its_memory_comes_back() {
    let world = run(DropPolicy::Reclaim, 50);
    let lost = world.tally.lost.load(Ordering::Relaxed);
    assert!(lost > 0);
    check(&world, lost);
    world.rig.assert_all_came_back();
    // The newest report of each cause has its final count.
    let mut told: Vec<_> = world.rig.reports().iter().map(|report| (report.site().clone(), report.count())).collect();
    told.sort_unstable();
    let last = told.chunk_by(|one, next| one.0 == next.0).map(|cause| cause[cause.len() - 1].1);
    assert_eq!(last.sum::<u64>(), lost);
}

#[test]
fn where_a_drop_is_the_release_nothing_is_lost() {
    let world = run(DropPolicy::Release, 3);
    check(&world, 0);
    world.rig.assert_all_came_back();
}

#[test]
fn what_is_abandoned_stays_out_to_the_byte() {
    let world = run(DropPolicy::Abandon, ROUNDS);
    check(&world, world.tally.lost.load(Ordering::Relaxed));
    let memory = &world.rig.memory;
    assert!(memory.abandoned() > 0);
    assert_eq!((memory.used(), memory.reservations()), (memory.abandoned(), 0));
}
