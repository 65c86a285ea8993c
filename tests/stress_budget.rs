//! Threads and tasks ask a tree of budgets for more than there is: everybody who waits is served, nobody who gives up leaves
//! anything behind, and at each halt what is used is what is live and what was abandoned.

use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::pin::pin;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Barrier, Mutex};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};
use std::time::Duration;

use leaktrail::{DirectMemory, OutOfDirectMemory, Reservation, Reserving};

const THREADS: u64 = 8;
const ROUNDS: u64 = if cfg!(debug_assertions) { 200 } else { 2_000 };
const STEPS: u64 = 40;
const LIMIT: u64 = 10_000;
/// What a thread keeps while it waits or stands at a halt, at most: with that of all others there is room for any request.
const KEPT: u64 = 100;
/// The largest request, below the limit of each budget by what all may keep.
const LARGEST: u64 = 4_000;
/// Who is not served within this time is never served.
const PATIENCE: Duration = Duration::from_secs(100);

struct Draws(u64);

impl Draws {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % bound
    }
}

struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

/// Polls until it is ready, or `polls` times.
fn poll_some(waiting: &mut Reserving, polls: u64) -> Option<Result<Reservation, OutOfDirectMemory>> {
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    for _ in 0..polls {
        if let Poll::Ready(reserved) = pin!(&mut *waiting).poll(&mut Context::from_waker(&waker)) {
            return Some(reserved);
        }
        thread::park_timeout(Duration::from_millis(1));
    }
    None
}

struct World {
    budgets: [DirectMemory; 3],
    halt: Barrier,
    held: Mutex<Vec<(usize, u64)>>,
    abandoned: AtomicU64,
    served: AtomicU64,
    given_up: AtomicU64,
    wrong: AtomicU64,
}

impl World {
    /// Counted and not asserted: a thread that panics between halts leaves the others waiting.
    fn holds(&self, it: bool) {
        self.wrong.fetch_add(u64::from(!it), Ordering::Relaxed);
    }

    fn step(&self, draws: &mut Draws, kept: &mut Vec<(usize, Reservation)>) {
        let at = draws.below(3) as usize;
        let memory = &self.budgets[at];
        let bytes = 1 + draws.below(LARGEST);
        match draws.below(8) {
            0 | 1 => {
                if let Ok(reservation) = memory.try_reserve(bytes) {
                    self.holds(reservation.bytes() == bytes);
                    if draws.below(3) == 0 {
                        let _ = catch_unwind(AssertUnwindSafe(move || {
                            let _lost = reservation;
                            resume_unwind(Box::new(()));
                        }));
                    }
                }
            }
            2..=4 => {
                let reserved = memory.reserve_timeout(bytes, PATIENCE);
                self.holds(reserved.is_ok());
                self.served.fetch_add(1, Ordering::Relaxed);
                if draws.below(4) == 0 {
                    thread::yield_now();
                }
            }
            5 => {
                let mut waiting = memory.reserve_async(bytes);
                let reserved = poll_some(&mut waiting, u64::MAX);
                self.holds(matches!(reserved, Some(Ok(_))));
                self.served.fetch_add(1, Ordering::Relaxed);
            }
            6 => {
                let mut waiting = memory.reserve_async(bytes);
                if poll_some(&mut waiting, draws.below(3)).is_none() {
                    self.given_up.fetch_add(1, Ordering::Relaxed);
                    if draws.below(2) == 0 {
                        drop(waiting.give_up());
                    }
                }
            }
            _ => {
                kept.clear();
                let small = memory.reserve_timeout(1 + draws.below(KEPT), PATIENCE);
                self.holds(small.is_ok());
                kept.extend(small.ok().map(|reservation| (at, reservation)));
                if draws.below(20) == 0
                    && let Some((_, reservation)) = kept.pop()
                {
                    drop(reservation);
                    if let Ok(byte) = self.budgets[0].try_reserve(1) {
                        byte.abandon();
                        self.abandoned.fetch_add(1, Ordering::Relaxed);
                    }
                }
            }
        }
    }

    /// Nobody asks and nobody waits: the books are what everybody holds.
    fn check(&self) {
        let held = std::mem::take(&mut *self.held.lock().unwrap());
        let abandoned = self.abandoned.load(Ordering::Relaxed);
        let sum =
            |of: &dyn Fn(usize) -> bool| held.iter().filter(|(at, _)| of(*at)).map(|(_, bytes)| bytes).sum::<u64>();
        let live = |of: &dyn Fn(usize) -> bool| held.iter().filter(|(at, _)| of(*at)).count() as u64;
        let [root, one, other] = self.budgets.each_ref().map(DirectMemory::figures);
        self.holds((root.reserved(), root.reservations()) == (sum(&|_| true) + abandoned, live(&|_| true)));
        self.holds(root.abandoned() == abandoned && root.waiting() == 0);
        self.holds((one.reserved(), one.reservations()) == (sum(&|at| at == 1), live(&|at| at == 1)));
        self.holds((other.reserved(), other.reservations()) == (sum(&|at| at == 2), live(&|at| at == 2)));
    }
}

#[test]
fn everybody_who_waits_is_served_and_every_byte_is_accounted_for() {
    let root = DirectMemory::with_limit(LIMIT);
    let budgets = [root.clone(), root.child("one", 5_000), root.child("other", 6_000)];
    let world = World {
        budgets,
        halt: Barrier::new(THREADS as usize),
        held: Mutex::default(),
        abandoned: AtomicU64::new(0),
        served: AtomicU64::new(0),
        given_up: AtomicU64::new(0),
        wrong: AtomicU64::new(0),
    };
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            while !done.load(Ordering::Relaxed) {
                for memory in &world.budgets {
                    let (used, limit) = (memory.used(), memory.limit().unwrap());
                    world.holds(used <= limit && memory.peak() <= limit);
                }
                thread::sleep(Duration::from_micros(200));
            }
        });
        let workers: Vec<_> = (0..THREADS)
            .map(|nth| {
                let world = &world;
                scope.spawn(move || {
                    let mut draws = Draws(0x9E37_79B9_7F4A_7C15 ^ (nth + 1));
                    for _ in 0..ROUNDS {
                        let mut kept = Vec::new();
                        for _ in 0..STEPS {
                            world.step(&mut draws, &mut kept);
                        }
                        world.held.lock().unwrap().extend(kept.iter().map(|(at, kept)| (*at, kept.bytes())));
                        world.halt.wait();
                        if nth == 0 {
                            world.check();
                        }
                        world.halt.wait();
                    }
                })
            })
            .collect();
        let ended: Vec<_> = workers.into_iter().map(|worker| worker.join()).collect();
        done.store(true, Ordering::Relaxed);
        assert!(ended.iter().all(Result::is_ok), "{ended:?}");
    });
    assert_eq!(world.wrong.into_inner(), 0);
    assert!(world.served.into_inner() > 0 && world.given_up.into_inner() > 0);
    let figures = root.figures();
    assert_eq!((figures.reserved(), figures.reservations()), (world.abandoned.into_inner(), 0));
    assert!(figures.waited().count() > 0, "somebody waited");
}
