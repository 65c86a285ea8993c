//! At DISABLED nothing is allocated, nothing is counted and no thread runs. A process of its own: the thread that makes
//! reports is one for all detectors.
#![cfg(target_os = "linux")]

mod counting_allocator;
mod observed;

use leaktrail::{Hint, LeakDetector, Level, Tracked, Watched, track, watch};
use observed::{assert_figures, config};

#[global_allocator]
static ALLOCATOR: counting_allocator::Counting = counting_allocator::Counting;

/// Everything that a handle can go through.
fn lives(detector: &LeakDetector, resource: &leaktrail::Resource) {
    let mut lost = detector.track(1_u64);
    Tracked::touch(&lost);
    Tracked::touch_with(&lost, "a fixed text");
    // The conversion is what would allocate, and it is not made.
    Tracked::touch_with(&lost, Allocates);
    Tracked::set_bytes(&mut lost, 4096);
    drop(lost);
    Tracked::release(detector.track(2_u64));
    Tracked::release_with(detector.track(3_u64), |value| value + 1);
    Tracked::into_untracked(detector.track(4_u64), "a test");
    drop(Tracked::into_watched(detector.track(5_u64)));
    let (value, ticket) = Tracked::into_raw(detector.track(6_u64));
    Tracked::release(Tracked::from_raw(value, ticket).unwrap());
    let watched = detector.watch(7_u64);
    Watched::touch_with(&watched, "a fixed text");
    drop(watched);
    drop(resource.track(8_u64));
    drop(resource.watch(9_u64));
}

struct Allocates;

impl From<Allocates> for Hint {
    fn from(_: Allocates) -> Hint {
        Hint::from("x".repeat(100))
    }
}

/// The threads of the process.
fn threads() -> usize {
    std::fs::read_dir("/proc/self/task").expect("Linux has it").count()
}

#[test]
fn disabled_costs_no_allocation_no_thread_and_no_ledger_entry() {
    let detector = LeakDetector::new(config(Level::Disabled));
    let resource = detector.resource("Hinted").bytes(64).hint(String::from("owned, so that a copy would allocate"));
    let threads_before = threads();

    let calls = counting_allocator::calls_of_this_thread();
    for _ in 0..1_000 {
        lives(&detector, &resource);
    }
    assert_eq!(counting_allocator::calls_of_this_thread() - calls, 0, "allocations at DISABLED");
    assert_figures!(detector, {});
    assert!(detector.snapshot().sites().is_empty());
    detector.flush();
    assert_eq!(threads(), threads_before, "threads at DISABLED");

    // The same by the global verbs, once the global detector stands.
    LeakDetector::global().set_level(Level::Disabled);
    let calls = counting_allocator::calls_of_this_thread();
    drop((track(1), watch(2)));
    assert_eq!(counting_allocator::calls_of_this_thread() - calls, 0, "allocations at DISABLED, globally");
    assert_eq!(threads(), threads_before, "threads at DISABLED, globally");

    // The instruments can tell the difference.
    detector.set_level(Level::Simple);
    let calls = counting_allocator::calls_of_this_thread();
    lives(&detector, &resource);
    assert!(counting_allocator::calls_of_this_thread() > calls);
    assert_eq!(threads(), threads_before + 1, "one thread for all detectors");
    assert_eq!(detector.snapshot().created(), 9);
}
