//! A fork while other threads create, lose and report like mad: whatever they hold at that moment, no child waits for it.

use std::hint;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::{SystemTime, UNIX_EPOCH};

use leaktrail::{LeakDetector, Level, Tracked};
use log::LevelFilter;

use crate::fork::Child;
use crate::process::{Named, log_to_stdout};

pub(crate) const TESTS: &[Named] = named![
    no_child_hangs_while_the_parents_threads_create_and_lose,
    a_child_resolves_symbols_whatever_the_parent_resolves,
    no_child_hangs_while_the_parent_uses_it_for_the_first_time,
];

pub(crate) const PROGRAMS: &[Named] =
    named![forks_under_load, forks_while_symbols_are_resolved, forks_during_the_first_use];

fn no_child_hangs_while_the_parents_threads_create_and_lose() {
    for level in ["simple", "paranoid"] {
        let ended = program!(forks_under_load).env("LEAK_DETECTION_LEVEL", level).run().with_status(0);
        ended.log_has(1, "fifty children have told their own");
    }
}

fn a_child_resolves_symbols_whatever_the_parent_resolves() {
    let program = program!(forks_while_symbols_are_resolved).env("LEAK_DETECTION_REPORT", "stderr");
    let ended = program.run().with_status(0);
    ended.log_has(1, "fifty children have told their own");
}

fn no_child_hangs_while_the_parent_uses_it_for_the_first_time() {
    // There is one first use in a process, and it is short: so many processes, of which some fork in the middle of it.
    for _ in 0..60 {
        program!(forks_during_the_first_use).env("LEAK_DETECTION_REPORT", "stderr").run().with_status(0);
    }
}

/// Creates two at one site, and loses one of them.
fn lose_one_of_two(detector: &LeakDetector) {
    let mut handles: Vec<_> = (0..2).map(|number| detector.resource("Own").track(number)).collect();
    handles.pop().map(Tracked::release).expect("there are two");
}

#[track_caller]
fn assert_own_only(said: &str) {
    let summary = "ERROR leaktrail: LEAK: summary at exit: 1 of 2 lost at 1 site, 0 B; 0 live; ";
    assert_eq!(said.lines().filter(|line| line.starts_with(summary)).count(), 1, "{said}");
    assert_eq!(said.lines().filter(|line| line.contains("LEAK: Own.release() was not called")).count(), 1, "{said}");
    assert!(!said.contains("Busy"), "{said}");
}

/// Fifty times: starts threads that do `work` again and again, forks in the middle of it, lets them end, and has `check` read
/// what the child has to say.
fn fork_fifty_times_amid(threads: usize, work: impl Fn(u64) + Sync, child: impl Fn(u64), check: impl Fn(&str)) {
    for round in 0..50 {
        let (is_over, done) = (AtomicBool::new(false), AtomicU64::new(0));
        let child = thread::scope(|scope| {
            for _ in 0..threads {
                scope.spawn(|| {
                    while !is_over.load(Ordering::Relaxed) {
                        work(done.fetch_add(1, Ordering::Relaxed));
                    }
                });
            }
            // All of them are at it, each time at something else.
            while done.load(Ordering::Relaxed) < round * 7 % 16 + threads as u64 {
                thread::yield_now();
            }
            let child = Child::fork(|| child(round));
            is_over.store(true, Ordering::Relaxed);
            child
        });
        check(&child.end());
    }
    println!("fifty children have told their own");
}

fn forks_under_load() {
    log_to_stdout(LevelFilter::Off);
    let detector = LeakDetector::global();
    let work = |number: u64| {
        let busy = detector.resource("Busy").track(number);
        Tracked::touch_with(&busy, "at work");
        match number % 16 {
            0 => detector.flush(),
            1 => drop(detector.subscribe(|_| {})),
            2 => drop(detector.snapshot()),
            3 => detector.set_level(detector.level()),
            _ => {}
        }
        if number.is_multiple_of(3) { drop(busy) } else { drop(Tracked::release(busy).to_string()) }
    };
    let child = |round: u64| {
        lose_one_of_two(detector);
        // Some flush themselves, the others leave it to their exit.
        if round.is_multiple_of(2) {
            detector.flush();
        }
    };
    fork_fifty_times_amid(4, work, child, assert_own_only);
}

/// Another stack for each depth.
fn lose_at_depth(detector: &LeakDetector, depth: u64) {
    if depth > 0 {
        lose_at_depth(detector, hint::black_box(depth - 1));
    } else {
        drop(detector.resource("Busy").track(0));
    }
}

fn forks_while_symbols_are_resolved() {
    log_to_stdout(LevelFilter::Off);
    let detector = LeakDetector::global();
    detector.set_level(Level::Paranoid);
    let work = |number: u64| {
        lose_at_depth(detector, number % 20);
        // Each flush has a symboliser of its own, which knows nothing yet.
        detector.flush();
    };
    let child = |_| {
        lose_one_of_two(detector);
        detector.flush();
    };
    fork_fifty_times_amid(1, work, child, |said| {
        assert_own_only(said);
        assert!(said.contains("lose_one_of_two (tests/programs/fork_under_load.rs:"), "{said}");
    });
}

fn forks_during_the_first_use() {
    let detector = LeakDetector::global();
    let is_at_it = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            is_at_it.store(true, Ordering::Release);
            Tracked::release(detector.resource("Busy").track(0));
        });
        while !is_at_it.load(Ordering::Acquire) {
            hint::spin_loop();
        }
        // A moment that is another one in each process.
        let nanos = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| time.subsec_nanos());
        (0..nanos % 20_000).for_each(|_| hint::spin_loop());
        let said = Child::fork(|| drop(detector.resource("Own").watch(0))).end();
        assert_eq!(said, "INFO leaktrail: clean at exit: 1 created, all released, level SIMPLE\n");
    });
}
