//! Stacks are stored once each in the process, up to a bound; this test fills it, so it has a process of its own.

mod observed;

use std::hint::black_box;

use leaktrail::{Access, LeakDetector, Level, Tracked, TrailDepth};
use observed::{Observed, accesses, assert_figures, detector, exit_summary, hints, record};

const STACKS: u64 = 16_384;

#[inline(never)]
fn zero(path: u64, depth: u32, detector: &LeakDetector) -> Tracked<u64> {
    black_box(descend(path >> 1, depth - 1, detector))
}

#[inline(never)]
fn one(path: u64, depth: u32, detector: &LeakDetector) -> Tracked<u64> {
    black_box(descend(path >> 1, depth - 1, detector))
}

/// Another stack for each `path`: its bits choose who calls whom.
fn descend(path: u64, depth: u32, detector: &LeakDetector) -> Tracked<u64> {
    match (depth, path & 1) {
        (0, _) => detector.track(path),
        (_, 0) => zero(path, depth, detector),
        _ => one(path, depth, detector),
    }
}

#[inline(never)]
fn lose_here(detector: &LeakDetector) {
    let lost = detector.resource("Late").track(());
    Tracked::touch_with(&lost, "in use");
    drop(lost);
}

#[test]
fn past_16384_stacks_a_record_has_its_line_and_the_counts_stay_exact() {
    let detector = detector(Level::Paranoid);
    let observed = Observed::of(&detector);
    let before = 4;
    for _ in 0..before {
        lose_here(&detector);
    }
    assert_eq!(observed.reports()[0].trail(), TrailDepth::Full);

    let paths = STACKS + 1_000;
    // Equal stacks are stored once: those of the second round are found. No loop is unrolled, for a call that stands twice
    // is two places.
    for _ in 0..black_box(2) {
        for path in 0..black_box(paths) {
            Tracked::release(descend(path, 15, &detector));
        }
    }
    assert_figures!(detector, { created: 2 * paths + before, released: 2 * paths, leaked: before });
    let discarded = detector.snapshot().discarded();
    // A few stacks are those of the losses before.
    let refused = discarded.stacks();
    assert!((2_000..2_100).contains(&refused), "{refused} not kept");
    assert_eq!((discarded.trails(), discarded.records()), (0, 0), "each handle has its trail all the same");

    // A place that was met before has its stack; a new one has the line that the compiler knows, and a drop has none.
    let known = descend(0, 15, &detector);
    drop(known);
    let fresh = detector.resource("Fresh").track(());
    Tracked::touch_with(&fresh, "still recorded");
    drop(fresh);
    let report = observed.newest_trail();
    assert_eq!((report.resource(), report.trail()), ("Fresh", TrailDepth::Full));
    assert_eq!(accesses(&report), [Access::Dropped, Access::Touched, Access::Created]);
    assert_eq!(hints(&report), ["still recorded"]);
    let created = record(&report, Access::Created);
    assert_eq!(created.frames().len(), 1);
    assert_eq!(
        (created.frames()[0].file(), created.frames()[0].line()),
        (Some("tests/caps_stacks.rs"), Some(report.site().line()))
    );
    assert_eq!(record(&report, Access::Touched).frames().len(), 1);
    assert!(record(&report, Access::Dropped).frames().is_empty());
    assert!(report.first_line().contains(", dropped unknown, "), "{report}");

    let summary = exit_summary(&detector);
    assert!(summary.to_string().contains(" stacks; the counts are exact"), "{summary}");
}
