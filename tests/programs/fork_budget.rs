//! A child that was forked while other threads reserve, wait, reclaim and watch goes on with the budget that it inherited.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use leaktrail::{DirectMemory, Monitor, Reservation};

use crate::fork::Child;
use crate::process::Named;

pub(crate) const TESTS: &[Named] = named![a_child_goes_on_with_its_budget];

pub(crate) const PROGRAMS: &[Named] = named![forks_while_others_wait];

const LIMIT: u64 = 1000;
/// What the main thread holds across every fork.
const MINE: u64 = 400;
const FORKS: usize = 20;
/// Long enough for whatever is to happen.
const PATIENCE: Duration = Duration::from_secs(20);

fn a_child_goes_on_with_its_budget() {
    let ended = program!(forks_while_others_wait).run().with_status(0);
    assert_eq!(ended.stdout, "all children went on\n", "{ended}");
}

/// In a child, where no other thread is.
fn go_on(memory: &DirectMemory, mine: Reservation, monitor: Monitor) {
    assert!(!monitor.is_running(), "a child has no monitor");
    drop(monitor);
    // What lay in the cache comes back by the hook, unless a thread that the child does not have was just at it.
    assert!(memory.reserve_timeout(LIMIT, Duration::ZERO).is_err());
    // What those threads held is out for good, and counted.
    let theirs = memory.used() - MINE;
    assert!(theirs <= LIMIT - MINE);
    drop(mine);
    assert_eq!(memory.used(), theirs);

    let held = memory.reserve(LIMIT - theirs).expect("nobody else is here");
    assert!(memory.reserve_timeout(1, Duration::from_millis(3)).is_err());
    assert!(memory.try_reserve(1).is_err());
    thread::scope(|scope| {
        let waiting = scope.spawn(|| memory.reserve_timeout(LIMIT - theirs, PATIENCE).map(drop));
        while memory.figures().waiting() == 0 {
            thread::yield_now();
        }
        drop(held);
        waiting.join().expect("it does not panic").expect("it is served");
    });
    let figures = memory.figures();
    assert_eq!((figures.reserved(), figures.waiting()), (theirs, 0));
    let (stock, attached) = (memory.stock(), memory.on_reclaim(|_| 0));
    drop((stock, attached));
}

/// Ends the threads, also when a child has failed.
struct Ends<'a>(&'a AtomicBool);

impl Drop for Ends<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

fn forks_while_others_wait() {
    let memory = DirectMemory::with_limit(LIMIT);
    let tenant = memory.child("tenant", LIMIT);
    let cache: Arc<Mutex<Vec<Reservation>>> = Arc::default();
    let done = AtomicBool::new(false);
    let mine = memory.reserve(MINE).expect("there is room");
    let mut held = Some((mine, memory.monitor(Duration::from_millis(1), |_| ())));
    let kept = cache.clone();
    let _attached = memory.on_reclaim(move |_| {
        // By trial: in a child a thread that it does not have may be in here.
        kept.try_lock().map_or(0, |mut kept| kept.drain(..).map(|reservation| reservation.bytes()).sum())
    });
    thread::scope(|scope| {
        let _ends = Ends(&done);
        for nth in 0..4_u64 {
            let (memory, tenant, cache, done) = (&memory, &tenant, &cache, &done);
            scope.spawn(move || {
                while !done.load(Ordering::Relaxed) {
                    let asked = if nth % 2 == 0 { memory } else { tenant };
                    let reserved = asked.reserve_timeout(100 * (nth + 1), PATIENCE).expect("its turn comes");
                    if nth == 0 {
                        cache.lock().expect("nobody panics").push(reserved);
                    }
                }
            });
        }
        for _ in 0..FORKS {
            // The child takes its own copy of it.
            let child = Child::fork(|| {
                let (mine, monitor) = held.take().expect("it is there in each child");
                go_on(&memory, mine, monitor);
            });
            assert_eq!(child.end(), "");
        }
    });
    drop(held);
    cache.lock().expect("nobody panics").clear();
    assert_eq!((memory.used(), memory.reservations(), memory.figures().waiting()), (0, 0, 0));
    println!("all children went on");
}
