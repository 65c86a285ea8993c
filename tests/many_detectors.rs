//! Detectors come and go without a trace: a test suite makes one for each test. A process of its own: its memory is
//! measured.

mod counting_allocator;
mod observed;

use leaktrail::{LeakDetector, Level, Tracked, Watched};
use observed::{assert_figures, config};

#[global_allocator]
static ALLOCATOR: counting_allocator::Counting = counting_allocator::Counting;

const DETECTORS: u64 = 10_000;

fn live_and_die(n: u64) {
    let level = [Level::Simple, Level::Advanced, Level::Paranoid][n as usize % 3];
    let detector = LeakDetector::new(config(level));
    let other = detector.clone();
    for name in ["One", "Two"] {
        Tracked::release(detector.resource(name).bytes(8).track(n));
        Watched::release(other.resource(name).bytes(8).watch(n));
    }
    assert_figures!(detector, { created: 4, released: 4 });
}

#[test]
fn ten_thousand_detectors_leave_nothing_behind() {
    // Once around for what is kept for good: the tables, and what this thread remembers of sites, which is bounded.
    (0..DETECTORS).for_each(live_and_die);
    let before = counting_allocator::live_bytes();
    (0..DETECTORS).for_each(live_and_die);
    let grown = counting_allocator::live_bytes().saturating_sub(before);
    assert!(grown < 256 * 1024, "{grown} B more after {DETECTORS} detectors more");
}
