//! Families of references count towards the 32 MiB too: many live buffers, each retained and released again and again, so
//! that each has as many siblings to remember as it may. A process of its own: its memory is measured.

mod counting_allocator;
mod observed;

use leaktrail::{ByteBuf, ByteBufAllocator, DirectMemory, LeakAware, LeakDetector, Level, UnpooledAllocator};
use observed::{assert_figures, config};

#[global_allocator]
static ALLOCATOR: counting_allocator::Counting = counting_allocator::Counting;

const LIMIT: u64 = 32 << 20;
/// What each thread remembers of the sites it uses is not in the limit; here there are three sites.
const THREAD: u64 = 4 * 1024 + 3 * 96;
const BUFFERS: u64 = 65_000;
/// More than a family lists.
const SIBLINGS: u64 = 15;

/// Live buffers of no bytes, each with siblings that are gone.
fn hold(detector: &LeakDetector) -> (Vec<ByteBuf>, u64) {
    let allocator = LeakAware::new(UnpooledAllocator::new(DirectMemory::unlimited()), detector.clone());
    let mut held = Vec::with_capacity(BUFFERS as usize);
    let before = counting_allocator::live_bytes();
    counting_allocator::forget_peak();
    for _ in 0..BUFFERS {
        let buffer = allocator.allocate(0).expect("there is room").freeze();
        for _ in 0..SIBLINGS {
            buffer.retain().release();
        }
        held.push(buffer);
    }
    (held, counting_allocator::peak_bytes() - before)
}

#[test]
fn families_stay_within_32_mib() {
    // What the buffers take by themselves.
    let off = LeakDetector::new(config(Level::Disabled));
    let (held, plain) = hold(&off);
    drop(held);

    let detector = LeakDetector::new(config(Level::Paranoid));
    let (held, tracked) = hold(&detector);
    let peak = tracked.saturating_sub(plain);
    assert!(peak <= LIMIT + THREAD, "{peak} B");
    assert!(peak > LIMIT * 2 / 3, "{peak} B: this test does not reach the bound");
    let discarded = detector.snapshot().discarded();
    assert!(!discarded.is_empty(), "{discarded:?}");
    assert_figures!(detector, { created: BUFFERS * (SIBLINGS + 1), released: BUFFERS * SIBLINGS, live: BUFFERS });
    held.into_iter().for_each(|buffer| assert!(buffer.release()));
    assert_figures!(detector, { created: BUFFERS * (SIBLINGS + 1), released: BUFFERS * (SIBLINGS + 1) });
}
