//! A flood of losses is one cause with an exact count, and a few lines.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex};
use std::thread;

use leaktrail::{Config, Fingerprint, LeakDetector, Level, Subscription, Tracked};
use log::LevelFilter;

use crate::process::{Named, log_to_stdout};

pub(crate) const TESTS: &[Named] = named![
    losses_of_one_path_are_one_cause_whatever_was_touched,
    a_flood_is_a_few_lines_of_the_log,
    a_flush_reports_what_has_changed_and_no_more,
    losses_of_many_threads_are_one_cause,
    a_process_writes_twenty_blocks_a_minute,
];

pub(crate) const PROGRAMS: &[Named] = named![
    floods_at_every_level_with_every_number_of_touches,
    floods_the_log,
    flushes_again_and_again,
    floods_from_many_threads,
    loses_at_a_hundred_sites,
];

const LOSSES: u64 = 1_234;

fn losses_of_one_path_are_one_cause_whatever_was_touched() {
    program!(floods_at_every_level_with_every_number_of_touches).run().with_status(0);
}

fn a_flood_is_a_few_lines_of_the_log() {
    for level in ["simple", "advanced", "paranoid"] {
        let ended = program!(floods_the_log).env("LEAK_DETECTION_LEVEL", level).run().with_status(0);
        ended.log_has(1, "LEAK: summary at exit: 1234 of 1234 lost at 1 site, 78976 B; 0 live; level ");
        ended.log_has(1, "LEAK: 1234 lost, 78976 B, Flooded created tests/programs/flood.rs:");
        let fingerprints: HashSet<&str> =
            ended.stdout.lines().filter_map(|line| line.split_once(" fp=")?.1.get(..16)).collect();
        assert_eq!(fingerprints.len(), 1, "{ended}");
        // The first loss, the first full trail, "again" from the flush of the guard, the summary and its row.
        assert!(ended.lines().filter(|line| line.contains("LEAK: ")).count() <= 5, "{ended}");
        assert_eq!(ended.stderr, "", "{ended}");
    }
}

fn a_flush_reports_what_has_changed_and_no_more() {
    program!(flushes_again_and_again).run().with_status(0);
}

fn losses_of_many_threads_are_one_cause() {
    program!(floods_from_many_threads).run().with_status(0);
}

fn a_process_writes_twenty_blocks_a_minute() {
    for level in ["simple", "paranoid"] {
        let ended = program!(loses_at_a_hundred_sites).env("LEAK_DETECTION_LEVEL", level).run().with_status(0);
        // Each cause has its line, with its site and its count; the first twenty have what was recorded below it.
        ended.log_has(
            100,
            "LEAK: Site.release() was not called before it was dropped. created tests/programs/flood.rs:",
        );
        ended.log_has(20, "Recent access records:");
        ended.log_has(1, "LEAK: summary at exit: 100 of 100 lost at 100 sites");
        ended.log_has(32, "LEAK: 1 lost, 0 B, Site created ");
        ended.log_has(1, "LEAK: and 68 more sites");
    }
}

/// The fingerprint and count of each report that a subscriber was given.
type Reports = Arc<Mutex<Vec<(Fingerprint, u64)>>>;

fn collect(detector: &LeakDetector) -> (Subscription, Reports) {
    let reports = Reports::default();
    let collected = reports.clone();
    let subscription = detector.subscribe(move |report| {
        collected.lock().expect("nobody panics with it").push((report.fingerprint(), report.count()));
    });
    (subscription, reports)
}

fn take(reports: &Reports) -> Vec<(Fingerprint, u64)> {
    std::mem::take(&mut reports.lock().expect("nobody panics with it"))
}

/// The path of the flood: created and dropped here, touched as often as asked.
fn lose(detector: &LeakDetector, number: u64, touches: u64, unique_hints: bool) {
    let handle = detector.resource("Flooded").bytes(64).track(number);
    for touch in 0..touches {
        if unique_hints {
            Tracked::touch_with(&handle, format!("handle {number}, touch {touch}"));
        } else {
            Tracked::touch_with(&handle, "the same hint");
        }
    }
}

fn floods_at_every_level_with_every_number_of_touches() {
    let mut fingerprints = HashSet::new();
    for level in [Level::Simple, Level::Advanced, Level::Paranoid] {
        for (touches, unique_hints) in
            [(0, false), (3, false), (3, true), (8, false), (8, true), (20, false), (20, true), (50, false), (50, true)]
        {
            let case = format!("{level}, {touches} touches, unique hints: {unique_hints}");
            let detector = LeakDetector::new(Config::new().level(level));
            let (_subscription, reports) = collect(&detector);
            for number in 0..LOSSES {
                lose(&detector, number, touches, unique_hints);
            }
            detector.flush();
            let seen = take(&reports);
            // At its first loss, at its first full trail, and at the flush.
            assert!((1..=3).contains(&seen.len()), "{case}: {seen:?}");
            assert_eq!(seen.last().map(|report| report.1), Some(LOSSES), "{case}: {seen:?}");
            assert!(seen.is_sorted_by_key(|report| report.1), "{case}: {seen:?}");
            fingerprints.extend(seen.iter().map(|report| report.0));
            let counts = detector.snapshot();
            assert_eq!(
                (counts.created(), counts.leaked(), counts.leaked_bytes()),
                (LOSSES, LOSSES, 64 * LOSSES),
                "{case}"
            );
            detector.flush();
            assert_eq!(take(&reports), [], "{case}: nothing is new");
        }
    }
    assert_eq!(fingerprints.len(), 1, "touches, hints and levels never enter a fingerprint");
}

fn floods_the_log() {
    log_to_stdout(LevelFilter::Info);
    let _guard = leaktrail::guard();
    for number in 0..LOSSES {
        lose(LeakDetector::global(), number, 3, true);
    }
}

fn flushes_again_and_again() {
    let detector = LeakDetector::new(Config::new());
    let (_subscription, reports) = collect(&detector);
    // How many of each are lost, and the counts that a flush then reports: one for each cause that has changed, none else.
    // A loop, so that all losses of a cause have one path; past its first full trail that is told by a flush alone.
    for (ones, others, told) in [
        (3, 3, None),
        (0, 0, Some(vec![])),
        (500, 0, Some(vec![503])),
        (10, 20, Some(vec![23, 513])),
        (0, 0, Some(vec![])),
    ] {
        for _ in 0..ones {
            drop(detector.resource("One").track(1));
        }
        for _ in 0..others {
            drop(detector.resource("Other").track(2));
        }
        detector.flush();
        let mut seen = take(&reports);
        seen.sort_unstable_by_key(|report| report.1);
        let counts: Vec<u64> = seen.iter().map(|report| report.1).collect();
        match told {
            Some(told) => assert_eq!(counts, told),
            None => {
                let last: HashMap<_, _> = seen.into_iter().collect();
                assert_eq!(last.into_values().collect::<Vec<_>>(), [3, 3]);
            }
        }
    }
}

fn floods_from_many_threads() {
    let detector = LeakDetector::new(Config::new());
    let (_subscription, reports) = collect(&detector);
    thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| (0..LOSSES).for_each(|number| lose(&detector, number, 0, false)));
        }
        // While they lose, counts only grow, and flushes of others lose nothing.
        scope.spawn(|| (0..100).for_each(|_| detector.flush()));
    });
    detector.flush();
    let seen = take(&reports);
    assert_eq!(seen.iter().map(|report| report.0).collect::<HashSet<_>>().len(), 1);
    assert!(seen.is_sorted_by_key(|report| report.1), "{seen:?}");
    assert_eq!(seen.last().map(|report| report.1), Some(8 * LOSSES));
    assert!(seen.len() <= 2 + 101, "{}", seen.len());
}

/// A site of its own wherever it stands.
macro_rules! site {
    () => {
        |detector| drop(detector.resource("Site").track(1))
    };
}

#[rustfmt::skip] // Ten a line: each place is another column or line, and nobody reads them.
const SITES: [fn(&LeakDetector); 100] = [
    site!(), site!(), site!(), site!(), site!(), site!(), site!(), site!(), site!(), site!(),
    site!(), site!(), site!(), site!(), site!(), site!(), site!(), site!(), site!(), site!(),
    site!(), site!(), site!(), site!(), site!(), site!(), site!(), site!(), site!(), site!(),
    site!(), site!(), site!(), site!(), site!(), site!(), site!(), site!(), site!(), site!(),
    site!(), site!(), site!(), site!(), site!(), site!(), site!(), site!(), site!(), site!(),
    site!(), site!(), site!(), site!(), site!(), site!(), site!(), site!(), site!(), site!(),
    site!(), site!(), site!(), site!(), site!(), site!(), site!(), site!(), site!(), site!(),
    site!(), site!(), site!(), site!(), site!(), site!(), site!(), site!(), site!(), site!(),
    site!(), site!(), site!(), site!(), site!(), site!(), site!(), site!(), site!(), site!(),
    site!(), site!(), site!(), site!(), site!(), site!(), site!(), site!(), site!(), site!(),
];

fn loses_at_a_hundred_sites() {
    log_to_stdout(LevelFilter::Info);
    let _guard = leaktrail::guard();
    for lose in SITES {
        lose(LeakDetector::global());
    }
}
