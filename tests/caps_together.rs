//! Everything at its bound at once: sites, stacks, trails and records of one detector stay within 32 MiB. A process of its
//! own: its memory is measured.

mod counting_allocator;
mod observed;

use std::hint::black_box;

use leaktrail::{LeakDetector, Level, Watched};
use observed::{assert_figures, config};

#[global_allocator]
static ALLOCATOR: counting_allocator::Counting = counting_allocator::Counting;

const LIMIT: u64 = 32 << 20;
const SITES: u64 = 8_192;
/// What each thread remembers of the sites it uses is not in the limit.
const THREAD: u64 = 4 * 1024 + SITES * 96;
const HANDLES: u64 = 100_000;

/// Another stack for each `path`: its bits choose the calls, and below them lies as much again.
#[inline(never)]
fn descend(path: u64, depth: u32, open: &mut dyn FnMut() -> Watched<u64>) -> Watched<u64> {
    match (depth, path & 1) {
        (0, _) => open(),
        (_, 0) => black_box(descend(path >> 1, depth - 1, open)),
        _ => black_box(descend(path >> 1, depth - 1, open)),
    }
}

#[test]
fn sites_stacks_trails_and_records_together_stay_within_32_mib() {
    let names: Vec<&'static str> = (0..SITES + 100).map(|n| &*String::leak(format!("Resource{n}"))).collect();
    let mut held = Vec::with_capacity(HANDLES as usize);
    let before = counting_allocator::live_bytes();
    counting_allocator::forget_peak();

    let detector = LeakDetector::new(config(Level::Paranoid).target_records(4));
    for (n, name) in (0..HANDLES).zip(names.iter().cycle()) {
        let mut open = || detector.resource(name).bytes(64).watch(n);
        let handle = descend(n % 20_000, 30, &mut open);
        for _ in 0..3 {
            Watched::touch_with(&handle, "a fixed text");
        }
        held.push(handle);
    }

    let peak = counting_allocator::peak_bytes() - before;
    assert!(peak <= LIMIT + THREAD, "{peak} B");
    assert!(peak > LIMIT / 2, "{peak} B: this test does not reach the bound");
    let discarded = detector.snapshot().discarded();
    assert!(discarded.trails() > 0 && discarded.sites() > 0, "{discarded:?}");
    assert_figures!(detector, { created: HANDLES, live: HANDLES });
    assert_eq!(detector.snapshot().live_bytes(), HANDLES * 64);
    drop(held);
    assert_figures!(detector, { created: HANDLES, released: HANDLES });
}
