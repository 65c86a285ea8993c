//! What a thread remembers beside the 32 MiB: 4 KiB, and 96 B for each site that it uses. A process of its own: its memory is
//! measured.

mod counting_allocator;
mod observed;

use std::sync::Barrier;
use std::thread;

use leaktrail::{LeakDetector, Level, Tracked};
use observed::{assert_figures, config};

#[global_allocator]
static ALLOCATOR: counting_allocator::Counting = counting_allocator::Counting;

const SITES: u64 = 8_000;
const THREAD: u64 = 4 * 1024;
const SITE: u64 = 96;

/// Uses each site, and returns what more is allocated afterwards.
#[inline(never)]
fn use_all(detector: &LeakDetector, names: &[&'static str]) -> u64 {
    let before = counting_allocator::live_bytes();
    for name in names {
        Tracked::release(detector.resource(name).track(()));
    }
    counting_allocator::live_bytes() - before
}

#[test]
fn a_thread_remembers_96_bytes_a_site() {
    let names: Vec<&'static str> = (0..SITES).map(|n| &*String::leak(format!("Resource{n}"))).collect();
    let detector = LeakDetector::new(config(Level::Simple));
    let (first_is_done, second_is_done) = (Barrier::new(2), Barrier::new(2));
    let (first, second) = thread::scope(|scope| {
        let first = scope.spawn(|| {
            let taken = use_all(&detector, &names);
            first_is_done.wait();
            // Its cells are not to be had for the other one.
            second_is_done.wait();
            taken
        });
        first_is_done.wait();
        // Rows, names and stacks are there: what is new is the thread's own.
        let second = scope.spawn(|| use_all(&detector, &names)).join().unwrap();
        second_is_done.wait();
        (first.join().unwrap(), second)
    });
    assert!(second <= THREAD + SITE * SITES, "{second} B are {} B a site", second / SITES);
    assert!(second >= 64 * SITES && first > second, "{first} B, {second} B: not all is seen");
    assert_figures!(detector, { created: 2 * SITES, released: 2 * SITES });
}
