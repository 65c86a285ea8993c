//! What it matters how many handles are alive.

use leaktrail::{LeakDetector, Level, Watched};
use leaktrail_benches::bodies::{among, detector};
use leaktrail_benches::clock::cpu_ns;
use leaktrail_benches::rows::{Rows, median, say};

const LIVE: u64 = 100_000;

pub(crate) fn measure() {
    for level in [Level::Simple, Level::Paranoid] {
        for live in [1, 256, LIVE as usize] {
            // One after the other: a crowd with trails leaves no room for those of others.
            let mut rows = Rows::default();
            let mut body = among(live, detector(level));
            // The crowd gathers before the clock starts.
            body(1);
            rows.add_at(30, &format!("{level} among {live}"), body);
            rows.measure(21);
        }
    }
    for (level, lines) in [(Level::Simple, 1), (Level::Simple, 1_000), (Level::Paranoid, 1)] {
        snapshot(level, lines);
    }
}

/// A snapshot of 100,000 live handles of so many resources.
fn snapshot(level: Level, lines: u64) {
    let detector: LeakDetector = detector(level);
    let mut held: Vec<Watched<u64>> = Vec::with_capacity(LIVE as usize);
    for line in 0..lines {
        let resource = detector.resource(String::leak(format!("Resource {line}")));
        held.extend((0..LIVE / lines).map(|number| resource.watch(number)));
    }
    let mut taken: Vec<f64> = (0..51)
        .map(|_| {
            let start = cpu_ns();
            assert_eq!(detector.snapshot().live(), LIVE);
            (cpu_ns() - start) as f64
        })
        .collect();
    say(&format!("{level} snapshot of {lines}"), median(&mut taken));
}
