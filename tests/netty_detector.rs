//! Netty's tests of its detector, by meaning, and the figures that its users measured.
//!
//! | Netty | here |
//! |---|---|
//! | `ResourceLeakDetectorTest.testConcurrentUsage` | `concurrent.rs` |
//! | `ResourceLeakDetectorTest.testLeakSetupHints` | [`a_creation_hint_is_in_the_only_report`] |
//! | `ResourceLeakDetectorTest.testLeakBrokenHint` | [`a_broken_creation_hint_harms_neither_the_creation_nor_the_report`] |
//! | `LeakPresenceDetectorTest.noExceptionInNormalOperation` | [`what_was_released_is_clean`]; closing twice does not compile |
//! | `LeakPresenceDetectorTest.exceptionOnUnclosed` | [`what_is_not_released_is_outstanding`] |
//! | `LeakPresenceDetectorTest.noExceptionInStaticInitializerGlobal` | [`what_lives_in_a_static_is_untracked_and_clean`] |
//! | `SimpleLeakAwareByteBufTest.mustAddStackTraceForOriginalCloseMethodOnDoubleFree` | `raw_tickets.rs`, a typed error |
//! | untested there: sampling, back-off, target 0, close with the wrong object | `sampling.rs`, `records.rs`, `raw_tickets.rs` |

mod observed;

use std::num::NonZeroU32;
use std::panic::resume_unwind;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

use leaktrail::{Access, Fingerprint, Form, Hint, LeakDetector, Level, ReportTo, Tracked, TrailDepth};
use observed::{Observed, assert_figures, config, detector, exit_summary, record};

/// Level SIMPLE and an interval of 1, as in Netty's tests.
fn every_draw_hits() -> LeakDetector {
    LeakDetector::new(config(Level::Simple).sampling_interval(NonZeroU32::MIN))
}

#[test]
fn a_creation_hint_is_in_the_only_report() {
    let detector = every_draw_hits();
    let observed = Observed::of(&detector);
    let canary = "creation-canary-5b1c09e2";
    let resource = detector.resource("Resource").hint(canary);
    drop(resource.track(()));
    // Netty needs a collection and a later `track` before it tells; this one is told, and what comes later is not.
    for _ in 0..1_000 {
        Tracked::release(resource.track(()));
    }
    let report = observed.only();
    assert_ne!(report.trail(), TrailDepth::None, "no untraced report");
    assert_eq!(record(&report, Access::Created).hint(), Some(canary));
    assert!(report.to_string().contains(&format!("\tHint: {canary}\n")), "{report}");
    assert_eq!(report.count(), 1);
}

#[test]
fn a_broken_creation_hint_harms_neither_the_creation_nor_the_report() {
    let detector = every_draw_hits();
    let observed = Observed::of(&detector);
    let broken = Hint::lazy(|| resume_unwind(Box::new("expected failure")));
    drop(detector.resource("Resource").hint(broken).track(()));
    for _ in 0..1_000 {
        Tracked::release(detector.resource("Resource").hint("mended").track(()));
    }
    let report = observed.only();
    assert_eq!(record(&report, Access::Created).hint(), Some("(the hint panicked)"));
    assert_figures!(detector, { created: 1_001, released: 1_000, leaked: 1 });
    assert_eq!(detector.level(), Level::Simple, "the detector goes on");
}

#[test]
fn what_was_released_is_clean() {
    let detector = detector(Level::Paranoid);
    Tracked::release(detector.track(()));
    let summary = exit_summary(&detector);
    assert!(summary.is_clean());
    assert_eq!(summary.to_string(), "leaktrail: clean at exit: 1 created, all released, level PARANOID");
}

#[test]
fn what_is_not_released_is_outstanding() {
    let detector = detector(Level::Paranoid);
    let unclosed = detector.resource("Resource").track(());
    let summary = exit_summary(&detector);
    assert!(!summary.is_clean());
    assert_eq!((summary.live(), summary.leaked(), summary.live_sites().len()), (1, 0, 1));
    drop(unclosed);
    assert_eq!(exit_summary(&detector).leaked(), 1);
}

#[test]
fn what_lives_in_a_static_is_untracked_and_clean() {
    static BUFFER: OnceLock<Vec<u8>> = OnceLock::new();
    let detector = detector(Level::Paranoid);
    let buffer =
        BUFFER.get_or_init(|| Tracked::into_untracked(detector.track(vec![1]), "lives as long as the process"));
    assert_eq!(buffer, &[1]);
    let summary = exit_summary(&detector);
    assert!(summary.is_clean());
    let line = "leaktrail: clean at exit: 1 created, 1 of them untracked on purpose, the rest released, level PARANOID";
    assert_eq!(summary.to_string(), line);
}

/// Netty: 5,000 identical leaks are one report, one call of the listener, and a count nowhere.
#[test]
fn five_thousand_leaks_of_one_line_are_one_cause_with_its_count() {
    let detector = every_draw_hits();
    let observed = Observed::of(&detector);
    let handles: Vec<_> = (0..5_000).map(|_| detector.resource("Same").bytes(16).track(())).collect();
    drop(handles);
    let reports = observed.reports();
    let last = reports.last().unwrap();
    assert_eq!((last.count(), last.created(), last.bytes()), (5_000, 5_000, 80_000));
    assert!(reports.iter().all(|report| report.fingerprint() == last.fingerprint()));
    assert!(reports.len() < 20, "{} reports", reports.len());
}

/// Netty, 1,000 leaks of one path with back-off in their texts: 1, 1, 15, 314 and 642 reports; and 20,000 reports of 20,000
/// leaks with a hint of its own each.
#[test]
fn touches_and_hints_do_not_make_a_cause() {
    const LOST: u64 = 1_234;
    for (touches, unique) in [(0, false), (3, false), (8, false), (20, false), (50, false), (3, true)] {
        let detector = detector(Level::Paranoid);
        let observed = Observed::of(&detector);
        for n in 0..LOST {
            let handle = detector.track(());
            for _ in 0..touches {
                match unique {
                    true => Tracked::touch_with(&handle, format!("request {n}")),
                    false => Tracked::touch_with(&handle, "in use"),
                }
            }
            drop(handle);
        }
        let reports = observed.reports();
        let mut causes: Vec<Fingerprint> = reports.iter().map(|report| report.fingerprint()).collect();
        causes.dedup();
        assert_eq!(causes.len(), 1, "{touches} touches");
        assert_eq!(reports.last().map(|report| report.count()), Some(LOST), "{touches} touches");
        let in_full = reports.iter().filter(|report| !matches!(report.form(), Form::Again { .. })).count();
        assert_eq!(in_full, 1, "one path is written out once, {touches} touches");
        assert_figures!(detector, { created: LOST, leaked: LOST });
        assert_eq!(exit_summary(&detector).causes().len(), 1);
    }
}

/// Netty: with the logger off, trackers are disposed without a report and without a call of the listener; one listener, the
/// last that was set, gets what there is.
#[test]
fn subscribers_are_many_and_need_no_log() {
    let detector = LeakDetector::new(config(Level::Simple).report(ReportTo::Off));
    let calls = [(); 3].map(|()| Arc::new(AtomicU64::new(0)));
    let mut subscriptions: Vec<_> = calls
        .iter()
        .map(|count| {
            let count = count.clone();
            detector.subscribe(move |_| {
                count.fetch_add(1, Ordering::Relaxed);
            })
        })
        .collect();
    drop(detector.resource("First").track(()));
    detector.flush();
    subscriptions.truncate(2);
    drop(detector.resource("Second").track(()));
    detector.flush();
    assert_eq!(calls.map(|count| count.load(Ordering::Relaxed)), [2, 2, 1]);
}

/// Netty tells nothing until the next `track` of the same detector. Here the loss wakes whoever tells it.
#[test]
fn the_last_leak_of_all_is_told_too() {
    let detector = every_draw_hits();
    let (heard, told) = std::sync::mpsc::channel();
    let heard = std::sync::Mutex::new(heard);
    let _subscription = detector.subscribe(move |report| heard.lock().unwrap().send(report.count()).unwrap());
    let last = detector.track(());
    drop(last);
    assert_eq!(told.recv(), Ok(1));
}
