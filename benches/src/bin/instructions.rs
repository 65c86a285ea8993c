//! `instructions MODE COUNT`: one operation so many times, for callgrind to count. Two counts tell what one costs.

use std::hint::black_box;
use std::num::NonZeroU32;

use leaktrail::{Config, LeakDetector, Level, ReportTo, Tracked};
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
        "paranoid" => handles_below(30, count),
        mode => panic!("no mode {mode}: empty, disabled, simple, advanced, paranoid"),
    }
}
