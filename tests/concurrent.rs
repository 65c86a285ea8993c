//! Many threads at once: nothing is counted twice or not at all, nothing is reported that was released, and no snapshot shows
//! more gone than was created.
//!
//! After Netty's `ResourceLeakDetectorTest.testConcurrentUsage`, with its numbers in an optimised build: 50 threads, 1,000
//! rounds, 100 resources a round, each traced.

mod observed;

use std::cell::RefCell;
use std::num::NonZeroU32;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::channel;
use std::sync::{Arc, Barrier};
use std::thread;

use leaktrail::{LeakDetector, Level, Snapshot, Tracked, Watched};
use observed::{Observed, assert_figures, config, detector};

const THREADS: u64 = 50;
const ROUNDS: u64 = if cfg!(debug_assertions) { 20 } else { 1_000 };
const RESOURCES: u64 = 100;

/// At SIMPLE with an interval of 1, as in Netty's test: every handle has a trail.
fn every_handle_traced() -> LeakDetector {
    LeakDetector::new(config(Level::Simple).sampling_interval(NonZeroU32::MIN))
}

#[test]
fn fifty_threads_that_release_everything_report_nothing() {
    let detector = every_handle_traced();
    let observed = Observed::of(&detector);
    let together = Barrier::new(THREADS as usize);
    thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                together.wait();
                for _ in 0..ROUNDS {
                    let opened: Vec<_> = (0..RESOURCES).map(|n| detector.track(n)).collect();
                    for (n, handle) in (0..).zip(opened) {
                        assert_eq!(Tracked::release(handle), n);
                    }
                }
            });
        }
    });
    let all = THREADS * ROUNDS * RESOURCES;
    assert_figures!(detector, { created: all, released: all });
    assert!(observed.reports().is_empty(), "a false report");
}

#[test]
fn fifty_creators_that_have_ended_before_others_release_report_nothing() {
    const ROUNDS: u64 = if cfg!(debug_assertions) { 4 } else { 100 };
    let detector = every_handle_traced();
    let observed = Observed::of(&detector);
    for _ in 0..ROUNDS {
        let (opened, to_release) = channel();
        let creators: Vec<_> = (0..THREADS)
            .map(|_| {
                let (detector, opened) = (detector.clone(), opened.clone());
                thread::spawn(move || {
                    opened.send((0..RESOURCES).map(|n| detector.track(n)).collect::<Vec<_>>()).unwrap()
                })
            })
            .collect();
        drop(opened);
        for creator in creators {
            creator.join().unwrap();
        }
        thread::scope(|scope| {
            for handles in to_release {
                scope.spawn(|| handles.into_iter().for_each(|handle| drop(Tracked::into_watched(handle))));
            }
        });
    }
    let all = THREADS * ROUNDS * RESOURCES;
    assert_figures!(detector, { created: all, released: all });
    assert!(observed.reports().is_empty(), "a false report");
}

#[test]
fn one_lost_handle_among_all_of_them_is_found() {
    let detector = every_handle_traced();
    let observed = Observed::of(&detector);
    thread::scope(|scope| {
        for number in 0..THREADS {
            let detector = &detector;
            scope.spawn(move || {
                for n in 0..RESOURCES {
                    let handle = detector.track(n);
                    if (number, n) == (7, 42) {
                        drop(handle);
                    } else {
                        Tracked::release(handle);
                    }
                }
            });
        }
    });
    assert_figures!(detector, { created: THREADS * RESOURCES, released: THREADS * RESOURCES - 1, leaked: 1 });
    assert_eq!(observed.only().count(), 1);
}

/// Asserts of each row that nothing is gone that was never created.
fn assert_possible(snapshot: &Snapshot) {
    for stats in snapshot.sites() {
        let gone = stats.released() + stats.leaked() + stats.untracked();
        assert!(gone <= stats.created(), "{stats:?}");
        assert!(stats.leaked_bytes() <= stats.created() * 64, "{stats:?}");
    }
    assert!(snapshot.released() + snapshot.leaked() + snapshot.untracked() <= snapshot.created(), "{snapshot}");
}

#[test]
fn a_snapshot_never_shows_more_gone_than_created() {
    const EACH: u64 = if cfg!(debug_assertions) { 3_000 } else { 100_000 };
    let detector = detector(Level::Advanced);
    let (handed_over, done) = (AtomicBool::new(false), &AtomicU64::new(0));
    thread::scope(|scope| {
        let (to_others, from_others) = channel();
        for number in 0..4_u64 {
            let (detector, to_others) = (&detector, to_others.clone());
            scope.spawn(move || {
                for n in 0..EACH {
                    let handle = detector.resource(["One", "Two"][n as usize % 2]).bytes(64).track(n);
                    match (n + number) % 4 {
                        0 => drop(handle),
                        1 => drop(Tracked::into_watched(handle)),
                        2 => {
                            Tracked::into_untracked(handle, "a test");
                        }
                        _ => to_others.send(handle).unwrap(),
                    }
                }
                done.fetch_add(1, Ordering::Relaxed);
            });
        }
        drop(to_others);
        scope.spawn(|| {
            // What one thread created another releases: the order of the counters is what keeps a snapshot possible.
            for handle in from_others {
                Tracked::release(handle);
            }
            handed_over.store(true, Ordering::Relaxed);
        });
        for _ in 0..2 {
            scope.spawn(|| {
                while !handed_over.load(Ordering::Relaxed) {
                    assert_possible(&detector.snapshot());
                    detector.flush();
                }
            });
        }
    });
    assert_eq!(done.load(Ordering::Relaxed), 4);
    assert_figures!(detector, { created: 4 * EACH, released: 2 * EACH, leaked: EACH, untracked: EACH });
    assert_possible(&detector.snapshot());
}

#[test]
fn no_row_is_read_between_a_creation_and_its_release() {
    const SNAPSHOTS: u64 = if cfg!(debug_assertions) { 30_000 } else { 300_000 };
    let detector = detector(Level::Simple);
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while !done.load(Ordering::Relaxed) {
                    Tracked::release(detector.resource("Hot").bytes(64).track(1));
                }
            });
        }
        for _ in 0..SNAPSHOTS {
            assert_possible(&detector.snapshot());
        }
        done.store(true, Ordering::Relaxed);
    });
    let all = detector.snapshot().created();
    assert_figures!(detector, { created: all, released: all });
}

#[test]
fn levels_may_change_while_handles_come_and_go() {
    const EACH: u64 = if cfg!(debug_assertions) { 20_000 } else { 200_000 };
    let detector = detector(Level::Simple);
    let left = AtomicU64::new(4);
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                let mut held = Vec::new();
                for n in 0..EACH {
                    held.push(detector.resource("Changing").bytes(n % 1_000).watch(n));
                    if held.len() == 64 {
                        held.clear();
                    }
                }
                left.fetch_sub(1, Ordering::Relaxed);
            });
        }
        scope.spawn(|| {
            let levels = [Level::Paranoid, Level::Disabled, Level::Advanced, Level::Simple];
            for level in levels.into_iter().cycle() {
                detector.set_level(level);
                assert_possible(&detector.snapshot());
                if left.load(Ordering::Relaxed) == 0 {
                    break;
                }
            }
        });
    });
    let snapshot = detector.snapshot();
    assert!(snapshot.created() <= 4 * EACH);
    assert_eq!((snapshot.released(), snapshot.live(), snapshot.live_bytes()), (snapshot.created(), 0, 0));
}

#[test]
fn ten_thousand_threads_are_counted_to_the_last() {
    const ALL: u64 = if cfg!(miri) { 20 } else { 10_000 };
    let detector = detector(Level::Advanced);
    let mut inherited = Vec::new();
    for _ in 0..ALL / 10 {
        let threads: Vec<_> = (0..10)
            .map(|n| {
                let detector = detector.clone();
                thread::spawn(move || {
                    Tracked::release(detector.track(n));
                    let kept = detector.track(n);
                    Tracked::touch(&kept);
                    kept
                })
            })
            .collect();
        inherited.extend(threads.into_iter().map(|thread| thread.join().unwrap()));
    }
    assert_figures!(detector, { created: 2 * ALL, released: ALL, live: ALL });
    inherited.into_iter().for_each(|handle| drop(Tracked::release(handle).to_string()));
    assert_figures!(detector, { created: 2 * ALL, released: 2 * ALL });
}

/// Opens, touches and loses handles while the thread's own memory is going away.
struct AtTheEnd(LeakDetector, Option<Tracked<u8>>);

impl Drop for AtTheEnd {
    fn drop(&mut self) {
        drop(self.1.take());
        let late = self.0.resource("Late").track(1);
        Tracked::touch_with(&late, "in a destructor");
        drop(late);
        Watched::release(self.0.resource("Late").watch(2));
    }
}

thread_local! {
    static KEPT: RefCell<Vec<AtTheEnd>> = const { RefCell::new(Vec::new()) };
}

#[test]
fn handles_live_and_die_in_thread_locals() {
    for level in [Level::Simple, Level::Advanced, Level::Paranoid] {
        let detector = Arc::new(detector(level));
        for first_use in [true, false] {
            let detector = detector.clone();
            let thread = thread::spawn(move || {
                // Registered after the detector's own thread-locals in one thread, before them in the other: destructors
                // run in the reverse order, so in the other they find the detector's gone.
                let early = first_use.then(|| detector.track(0));
                KEPT.with_borrow_mut(Vec::clear);
                let at_the_end = AtTheEnd(LeakDetector::clone(&detector), Some(detector.track(3)));
                KEPT.with_borrow_mut(|kept| kept.push(at_the_end));
                early.map(Tracked::release);
            });
            thread.join().unwrap();
        }
        assert_figures!(detector, { created: 7, released: 3, leaked: 4 }, "at {level}");
    }
}
