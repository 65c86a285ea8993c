//! What a walk decides: PARANOID at several depths, on stacks that repeat and that differ, and after the caches were swept.

use std::hint::black_box;
use std::time::Instant;

use leaktrail::{LeakDetector, Level, Tracked};
use leaktrail_benches::bodies::{bytes_mut, detector, touch, track};
use leaktrail_benches::deep;
use leaktrail_benches::paths::below_paths;
use leaktrail_benches::peers::trace;
use leaktrail_benches::rows::{Rows, median, say};

const ROUNDS: usize = 41;
/// What is read between two operations to sweep the caches of one core: three times its second level.
const SWEPT_BYTES: usize = 3 << 20;
const SWEEPS: usize = 2_001;

fn open_and_release(detector: &LeakDetector, number: u64) {
    black_box(Tracked::release(black_box(detector.track(number))));
}

/// The median of an operation, each right after a sweep, in nanoseconds on the wall less the clock's own.
fn swept(mut operation: impl FnMut(u64)) -> f64 {
    let memory = vec![1_u8; SWEPT_BYTES];
    let sweep = || black_box(memory.iter().step_by(64).map(|&byte| u64::from(byte)).sum::<u64>());
    let mut samples = Vec::with_capacity(SWEEPS);
    for number in 0..SWEEPS as u64 {
        sweep();
        let start = Instant::now();
        operation(number);
        samples.push(start.elapsed().as_nanos() as f64);
    }
    median(&mut samples)
}

/// `build` is how this program was built: it stands before each name.
pub(crate) fn measure(build: &str) {
    let mut rows = Rows::default();
    rows.add(&format!("{build} BytesMut"), bytes_mut());
    for depth in [10, 30, 60] {
        rows.add_at(depth, &format!("{build} trace {depth}"), trace());
        rows.add_at(depth, &format!("{build} PARANOID {depth}"), track(detector(Level::Paranoid)));
        rows.add_at(depth, &format!("{build} PARANOID touch {depth}"), touch(detector(Level::Paranoid)));
    }
    for paths in [1, 64, 4096] {
        rows.add(
            &format!("{build} descent {paths}"),
            below_paths(paths, |number| {
                black_box(number);
            }),
        );
        let detector = detector(Level::Paranoid);
        rows.add(
            &format!("{build} PARANOID paths {paths}"),
            below_paths(paths, move |number| open_and_release(&detector, number)),
        );
    }
    rows.measure(ROUNDS);

    let quiet = swept(|number| {
        black_box(number);
    });
    let detector = detector(Level::Paranoid);
    let mut taken = 0.0;
    let mut measure = |count| {
        taken = swept(|number| open_and_release(&detector, number));
        count
    };
    deep::below(deep::missing(30), &mut measure, 1);
    say(&format!("{build} PARANOID swept"), taken - quiet);
    let mut walk = trace();
    let mut measure = |count| {
        taken = swept(|_| {
            black_box(walk(1));
        });
        count
    };
    deep::below(deep::missing(30), &mut measure, 1);
    say(&format!("{build} trace swept"), taken - quiet);
}
