//! The budget: it never hands out more than its limit, never refuses what fits, and always tells what is out.

mod rig;

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Barrier;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;

use leaktrail::{
    AllocError, ByteBuf, ByteBufAllocator, ByteBufMut, DirectMemory, DropPolicy, Level, UnpooledAllocator,
};
use proptest::prelude::*;
use proptest::sample::Index;
use rig::Rig;

const ROUNDS: u64 = if cfg!(debug_assertions) { 2_000 } else { 20_000 };

/// Netty adds first and looks then, so that two threads near the limit can both be refused where one would fit. Here
/// exactly as many are served as fit, in each round.
#[test]
fn of_four_that_ask_at_once_exactly_two_fit() {
    const THREADS: usize = 4;
    let memory = DirectMemory::with_limit(100);
    let barrier = Barrier::new(THREADS);
    let (served, wrong) = (AtomicU64::new(0), AtomicU64::new(0));
    // Counted and not asserted: a thread that panics between barriers leaves the others waiting.
    let holds = |it: bool| wrong.fetch_add(u64::from(!it), Ordering::Relaxed);
    thread::scope(|scope| {
        for nth in 0..THREADS {
            let (memory, barrier, served) = (&memory, &barrier, &served);
            scope.spawn(move || {
                for _ in 0..ROUNDS / 4 {
                    barrier.wait();
                    let reservation = memory.try_reserve(40);
                    served.fetch_add(u64::from(reservation.is_ok()), Ordering::Relaxed);
                    if let Err(error) = &reservation {
                        // Whatever a refused thread saw in use, its bytes did not fit beside it.
                        holds(error.used() + 40 > 100 && error.used() <= 100);
                    }
                    barrier.wait();
                    if nth == 0 {
                        holds(served.swap(0, Ordering::Relaxed) == 2);
                        holds((memory.used(), memory.reservations()) == (80, 2));
                    }
                    barrier.wait();
                    drop(reservation);
                }
            });
        }
    });
    assert_eq!(wrong.into_inner(), 0);
    assert_eq!((memory.used(), memory.reservations(), memory.peak()), (0, 0, 80));
}

/// The budget is as large as what the threads hold at most, so each request fits, and the last byte is used.
#[test]
fn what_fits_is_never_refused_and_nobody_ever_sees_more_than_the_limit() {
    const THREADS: u64 = 8;
    const SHARE: u64 = 1000;
    let memory = DirectMemory::with_limit(THREADS * SHARE);
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            while !done.load(Ordering::Relaxed) {
                assert!(memory.used() <= THREADS * SHARE && memory.peak() <= THREADS * SHARE);
                thread::yield_now();
            }
        });
        let workers: Vec<_> = (0..THREADS)
            .map(|nth| {
                let memory = memory.clone();
                scope.spawn(move || {
                    for round in 0..ROUNDS {
                        let part = (round * 7919 + nth) % SHARE;
                        let one = memory.try_reserve(part).unwrap();
                        let other = memory.try_reserve(SHARE - part).unwrap();
                        assert!(memory.used() >= SHARE);
                        drop(one);
                        drop(other);
                    }
                    memory.try_reserve(SHARE).unwrap()
                })
            })
            .collect();
        let last: Vec<_> = workers.into_iter().map(|worker| worker.join().unwrap()).collect();
        done.store(true, Ordering::Relaxed);
        assert_eq!((memory.used(), memory.reservations()), (THREADS * SHARE, THREADS));
        assert!(memory.try_reserve(1).is_err());
        drop(last);
    });
    assert_eq!((memory.used(), memory.reservations(), memory.peak()), (0, 0, THREADS * SHARE));
}

/// The same through an allocator, with buffers that grow to the last byte.
#[test]
fn buffers_of_many_threads_stay_within_the_limit() {
    let memory = DirectMemory::with_limit(4 * 1024);
    let allocator = UnpooledAllocator::new(memory.clone());
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..ROUNDS / 4 {
                    let mut buffer = allocator.allocate(512).unwrap();
                    buffer.try_reserve(1024).unwrap();
                    assert!(memory.used() <= 4 * 1024);
                    assert!(buffer.release());
                }
            });
        }
    });
    assert_eq!((memory.used(), memory.reservations()), (0, 0));
    assert!(memory.peak() <= 4 * 1024);
}

#[test]
fn the_largest_numbers_are_refused_without_overflow() {
    for (limit, held) in [(0, 0), (1, 1), (1000, 999), (u64::MAX - 1, 7), (u64::MAX, 7)] {
        let memory = DirectMemory::with_limit(limit);
        let reservation = memory.try_reserve(held).unwrap();
        for asked in [u64::MAX, u64::MAX - 1, (u64::MAX - held).saturating_add(1)] {
            let Err(error) = memory.try_reserve(asked) else {
                assert!(asked <= limit - held, "{asked} of {limit} beside {held}");
                continue;
            };
            assert!(asked > limit - held, "{asked} of {limit} beside {held}");
            let text = format!("failed to allocate {asked} byte(s) of direct memory (used: {held}, max: {limit})");
            assert_eq!(error.to_string(), text);
        }
        assert_eq!((memory.used(), memory.reservations()), (held, 1));
        drop(memory.try_reserve(limit - held).unwrap());
        drop(reservation);
        assert_eq!(memory.used(), 0);
    }
    let unlimited = DirectMemory::unlimited();
    assert!(unlimited.try_reserve(u64::MAX).is_err(), "a negative number, by a cast");
    assert_eq!((unlimited.limit(), unlimited.used(), unlimited.peak()), (None, 0, 0));
}

/// A capacity that no address space holds is the system's refusal where the budget has no limit, and Netty's text where
/// it has one. Either way nothing stays reserved.
#[test]
fn the_largest_buffers_are_refused_without_overflow() {
    for capacity in [usize::MAX, usize::MAX - 1, isize::MAX as usize + 1] {
        let limited = DirectMemory::with_limit(536_870_912);
        let _held = limited.try_reserve(520_093_983).unwrap();
        let error = UnpooledAllocator::new(limited.clone()).allocate(capacity).unwrap_err();
        assert_eq!(
            error.to_string(),
            format!("failed to allocate {capacity} byte(s) of direct memory (used: 520093983, max: 536870912)")
        );
        let unlimited = DirectMemory::unlimited();
        let allocator = UnpooledAllocator::new(unlimited.clone());
        let error = allocator.allocate(capacity).unwrap_err();
        assert!(matches!(error, AllocError::System { requested } if requested == capacity), "{error:?}");
        let mut buffer = allocator.allocate(4).unwrap();
        buffer.put_slice(b"head");
        assert!(matches!(buffer.try_reserve(capacity).unwrap_err(), AllocError::System { .. }));
        assert_eq!((&buffer[..], buffer.capacity(), unlimited.used()), (&b"head"[..], 4, 4));
    }
}

#[test]
fn what_a_panic_unwinds_over_comes_back_or_is_abandoned() {
    for policy in [DropPolicy::Release, DropPolicy::Reclaim, DropPolicy::Abandon] {
        let rig = Rig::new(Level::Advanced, policy, 1000);
        let kept = rig.filled(&[7; 100]);
        let panic = catch_unwind(AssertUnwindSafe(|| {
            let _reservation = rig.memory.try_reserve(300).unwrap();
            let _buffer = rig.allocator.allocate(20).unwrap();
            let _shared = kept.retain();
            resume_unwind(Box::new(rig.memory.used()));
        }));
        assert_eq!(panic.unwrap_err().downcast_ref(), Some(&420_u64));
        let abandoned = if policy == DropPolicy::Abandon { 120 } else { 0 };
        assert_eq!((rig.memory.used(), rig.memory.abandoned()), (100.max(abandoned), abandoned), "{policy:?}");
        assert_eq!(kept.release(), policy != DropPolicy::Abandon);
        assert_eq!((rig.memory.used(), rig.memory.reservations()), (abandoned, 0), "{policy:?}");
    }
}

#[derive(Clone, Debug)]
enum Step {
    Reserve(u64),
    Allocate(usize),
    Grow(usize),
    Freeze,
    Retain(Index),
    Slice(Index),
    Release(Index),
    Drop(Index),
    DropInPanic(Index),
    GiveUp(Index),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        1 => (0..300_u64).prop_map(Step::Reserve),
        3 => (0..300_usize).prop_map(Step::Allocate),
        1 => (0..300_usize).prop_map(Step::Grow),
        2 => Just(Step::Freeze),
        3 => any::<Index>().prop_map(Step::Retain),
        2 => any::<Index>().prop_map(Step::Slice),
        3 => any::<Index>().prop_map(Step::Release),
        1 => any::<Index>().prop_map(Step::Drop),
        1 => any::<Index>().prop_map(Step::DropInPanic),
        1 => any::<Index>().prop_map(Step::GiveUp),
    ];
    prop::collection::vec(step, 0..60)
}

/// What one buffer should cost.
#[derive(Clone, Copy, Debug)]
struct Model {
    bytes: u64,
    references: u64,
    is_abandoned: bool,
}

/// A program that does everything that can be done with buffers, and what it should find in the books.
struct World {
    rig: Rig,
    policy: DropPolicy,
    writing: Option<(ByteBufMut, usize)>,
    shared: Vec<(ByteBuf, usize)>,
    reservations: Vec<leaktrail::Reservation>,
    buffers: Vec<Model>,
    given_up: u64,
    released: u64,
    lost: u64,
}

impl World {
    fn used(&self) -> u64 {
        let out = |model: &&Model| model.references > 0 || model.is_abandoned;
        let buffers: u64 = self.buffers.iter().filter(out).map(|model| model.bytes).sum();
        buffers + self.reservations.iter().map(|reservation| reservation.bytes()).sum::<u64>() + self.given_up
    }

    fn step(&mut self, step: Step) {
        let used = self.used();
        let fits = |bytes: u64| used + bytes <= 2000;
        let in_panic = matches!(step, Step::DropInPanic(_));
        let at = |index: &Index, len: usize| (len > 0).then(|| index.index(len));
        match step {
            Step::Reserve(bytes) => match self.rig.memory.try_reserve(bytes) {
                Ok(reservation) => self.reservations.push(reservation),
                Err(error) => assert!(!fits(bytes) && error.used() == used),
            },
            Step::Allocate(capacity) if self.writing.is_none() => match self.rig.allocator.allocate(capacity) {
                Ok(buffer) => {
                    self.writing = Some((buffer, self.buffers.len()));
                    self.buffers.push(Model { bytes: capacity as u64, references: 1, is_abandoned: false });
                }
                Err(_) => assert!(!fits(capacity as u64)),
            },
            Step::Grow(more) => {
                let Some((buffer, id)) = &mut self.writing else { return };
                let missing = more.saturating_sub(buffer.capacity()) as u64;
                assert_eq!(buffer.try_reserve(more).is_ok(), fits(missing));
                self.buffers[*id].bytes = buffer.capacity() as u64;
            }
            Step::Freeze => self.shared.extend(self.writing.take().map(|(buffer, id)| (buffer.freeze(), id))),
            Step::Retain(index) | Step::Slice(index) => {
                let Some(index) = at(&index, self.shared.len()) else { return };
                let (body, id) = &self.shared[index];
                let next = if index % 2 == 0 { body.retain() } else { body.slice(..) };
                self.buffers[*id].references += 1;
                self.shared.push((next, *id));
            }
            Step::Release(index) => {
                let Some(index) = at(&index, self.shared.len()) else { return };
                let (body, id) = self.shared.swap_remove(index);
                self.buffers[id].references -= 1;
                let last = self.buffers[id].references == 0 && !self.buffers[id].is_abandoned;
                assert_eq!(body.release(), last);
                self.released += 1;
            }
            Step::Drop(index) | Step::DropInPanic(index) => {
                let (body, id) = match at(&index, self.shared.len()) {
                    Some(index) => self.shared.swap_remove(index),
                    None => match self.writing.take() {
                        Some((buffer, id)) => (buffer.freeze(), id),
                        None => return,
                    },
                };
                let panic = catch_unwind(AssertUnwindSafe(move || {
                    let _lost = body;
                    if in_panic {
                        resume_unwind(Box::new(()));
                    }
                }));
                drop(panic);
                self.buffers[id].references -= 1;
                self.buffers[id].is_abandoned |= self.policy == DropPolicy::Abandon;
                if self.policy == DropPolicy::Release { self.released += 1 } else { self.lost += 1 }
            }
            Step::GiveUp(index) => {
                let Some(index) = at(&index, self.reservations.len()) else { return };
                let reservation = self.reservations.swap_remove(index);
                self.given_up += reservation.bytes();
                reservation.abandon();
            }
            Step::Allocate(_) => {}
        }
    }

    fn check(&self) {
        let memory = &self.rig.memory;
        let abandoned: u64 = self.buffers.iter().filter(|model| model.is_abandoned).map(|model| model.bytes).sum();
        assert_eq!((memory.used(), memory.abandoned()), (self.used(), abandoned + self.given_up));
        let live = |model: &&Model| model.references > 0 && !model.is_abandoned;
        let reservations = self.buffers.iter().filter(live).count() + self.reservations.len();
        assert_eq!(memory.reservations(), reservations as u64);
        let live = self.buffers.iter().map(|model| model.references).sum::<u64>();
        let created = live + self.released + self.lost;
        assert_eq!(self.rig.counts(), (created, self.released, self.lost, live));
        let live_bytes = self.buffers.iter().map(|model| model.references * model.bytes).sum::<u64>();
        assert_eq!(self.rig.detector.snapshot().live_bytes(), live_bytes);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, failure_persistence: None, ..ProptestConfig::default() })]

    /// At each step what is used is what is live and what was abandoned, and the ledger agrees with the budget.
    #[test]
    fn used_is_live_and_abandoned_at_each_step(
        steps in steps(),
        policy in prop::sample::select(vec![DropPolicy::Release, DropPolicy::Reclaim, DropPolicy::Abandon]),
        level in prop::sample::select(vec![Level::Simple, Level::Paranoid]),
    ) {
        let mut world = World {
            rig: Rig::new(level, policy, 2000),
            policy,
            writing: None,
            shared: Vec::new(),
            reservations: Vec::new(),
            buffers: Vec::new(),
            given_up: 0,
            released: 0,
            lost: 0,
        };
        for step in steps {
            world.step(step);
            world.check();
        }
    }
}
