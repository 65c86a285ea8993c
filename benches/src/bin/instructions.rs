//! `instructions MODE COUNT`: one operation so many times, for callgrind to count. Two counts tell what one costs.

use std::hint::black_box;
use std::num::NonZeroU32;

use bytes::BytesMut;
use leaktrail::{
    ByteBufAllocator, Config, DirectMemory, LeakDetector, Level, PooledAllocator, ReportTo, Tracked,
};
use leaktrail_benches::deep;

/// Handles are created and released in the loop; nothing but the first one of the line is sampled.
fn handles(level: Level, count: u64) {
    let config = Config::new().level(level).report(ReportTo::Off).sampling_interval(NonZeroU32::MAX);
    let detector = LeakDetector::new(config);
    for number in 0..count {
        let handle = detector.track(black_box(number));
        black_box(Tracked::release(handle));
    }
}

/// The same through a kind of resource with a name and a size, as an allocator's wrapper does it.
fn named(level: Level, count: u64) {
    let config = Config::new().level(level).report(ReportTo::Off).sampling_interval(NonZeroU32::MAX);
    let detector = LeakDetector::new(config);
    let resource = detector.resource("Connection").bytes(4096);
    for number in 0..count {
        let handle = resource.track(black_box(number));
        black_box(Tracked::release(handle));
    }
}

/// Bytes are reserved and given back in the loop, with nobody waiting.
fn reservations(count: u64) {
    let memory = DirectMemory::with_limit(1 << 30);
    for number in 0..count {
        drop(black_box(memory.try_reserve(black_box(number & 1023)).expect("the budget is large enough")));
    }
}

/// A pool's buffers of 4 KiB are allocated and released in the loop.
fn pooled(count: u64) {
    let pool = PooledAllocator::new(DirectMemory::with_limit(1 << 30));
    for number in 0..count {
        black_box(black_box(pool.allocate(black_box(4096)).expect("room for one buffer")).release());
        black_box(number);
    }
}

/// The floor of that.
fn bytes_mut(count: u64) {
    for number in 0..count {
        drop(black_box(BytesMut::with_capacity(black_box(4096))));
        black_box(number);
    }
}

/// The same at PARANOID below 30 frames: each handle has a trail with a stack.
fn handles_below(frames: usize, count: u64) {
    let detector = LeakDetector::new(Config::new().level(Level::Paranoid).report(ReportTo::Off));
    let mut body = |count| {
        for number in 0..count {
            let handle = detector.track(black_box(number));
            black_box(Tracked::release(handle));
        }
        count
    };
    deep::below(deep::missing(frames), &mut body, count);
}

/// What the gate takes off: the loop, and its number kept from the optimiser.
fn empty(count: u64) {
    for number in 0..count {
        black_box(number);
    }
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [mode, count] = arguments.as_slice() else { panic!("instructions MODE COUNT") };
    let count: u64 = count.parse().expect("a count");
    match mode.as_str() {
        "empty" => empty(count),
        "disabled" => handles(Level::Disabled, count),
        "simple" => handles(Level::Simple, count),
        "advanced" => handles(Level::Advanced, count),
        "named_disabled" => named(Level::Disabled, count),
        "named_simple" => named(Level::Simple, count),
        "reservation" => reservations(count),
        "pooled" => pooled(count),
        "bytes_mut" => bytes_mut(count),
        "paranoid" => handles_below(30, count),
        mode => panic!("no mode {mode}: empty, disabled, simple, advanced, named_disabled, named_simple, reservation, pooled, bytes_mut, paranoid"),
    }
}
