//! `LEAK_DETECTION_REPORT` says where lines go. Unset, a program without a logger is silent, unless some variable of ours is
//! set: whoever sets one wants to see something.

use leaktrail::{Config, LeakDetector, ReportTo, track};
use log::LevelFilter;

use crate::process::{Ended, Named, Permit, log_to_stdout};

pub(crate) const TESTS: &[Named] = named![
    without_a_logger_and_without_a_variable_it_is_silent,
    without_a_logger_any_variable_brings_standard_error,
    without_a_logger_each_value_does_what_it_says,
    with_a_logger_each_value_does_what_it_says,
    a_logger_that_shows_nothing_is_as_none,
    the_code_may_choose_too,
];

pub(crate) const PROGRAMS: &[Named] = named![
    has_no_logger_and_a_guard,
    has_no_logger,
    has_a_logger_and_a_guard,
    has_a_logger,
    has_a_logger_that_shows_nothing,
    asks_for_standard_error,
];

const REPORT: &str = "LEAK_DETECTION_REPORT";

/// Where a report and the summary came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Seen {
    Nowhere,
    OnTheLog,
    OnStandardError,
    /// The report on the log, the summary by the exit handler, which calls no logger.
    OnBoth,
}

#[track_caller]
fn assert_seen(ended: &Ended, seen: Seen) {
    let (report, summary) = ("LEAK: Permit.release() was not called", "LEAK: summary at exit: 1 of 1 lost");
    let count = |these: &[Seen]| usize::from(these.contains(&seen));
    ended.log_has(count(&[Seen::OnTheLog, Seen::OnBoth]), &format!("ERROR leaktrail] {report}"));
    ended.log_has(count(&[Seen::OnTheLog]), &format!("ERROR leaktrail] {summary}"));
    ended.stderr_has(count(&[Seen::OnStandardError]), &format!("ERROR leaktrail: {report}"));
    ended.stderr_has(count(&[Seen::OnStandardError, Seen::OnBoth]), &format!("ERROR leaktrail: {summary}"));
    ended.has(usize::from(seen != Seen::Nowhere), report);
    ended.has(usize::from(seen != Seen::Nowhere), summary);
    ended.log_has(1, SUBSCRIBED);
}

fn without_a_logger_and_without_a_variable_it_is_silent() {
    for program in [program!(has_no_logger_and_a_guard), program!(has_no_logger)] {
        let ended = program.run().with_status(0);
        assert_eq!((ended.stdout.trim_end(), ended.stderr.as_str()), (SUBSCRIBED, ""), "{ended}");
    }
}

fn without_a_logger_any_variable_brings_standard_error() {
    for (name, value) in [
        ("LEAK_DETECTION_LEVEL", "simple"),
        ("LEAK_DETECTION_SAMPLING_INTERVAL", "128"),
        ("LEAK_DETECTION_TARGET_RECORDS", "4"),
        ("LEAK_DETECTION_MAX_FRAMES", "32"),
        ("LEAK_DETECTION_MAX_DIRECT_MEMORY", "-1"),
        (REPORT, "auto"),
        (REPORT, "bogus"),
        ("LEAK_DETECTION_REPORT_FILE", "off"),
        ("LEAK_DETECTION_SYMBOLS", "on"),
        ("LEAK_DETECTION_CONTROL_FILE", "off"),
    ] {
        for program in [program!(has_no_logger_and_a_guard), program!(has_no_logger)] {
            assert_seen(&program.env(name, value).run().with_status(0), Seen::OnStandardError);
        }
    }
}

fn without_a_logger_each_value_does_what_it_says() {
    for (value, seen) in [
        ("auto", Seen::OnStandardError),
        ("stderr", Seen::OnStandardError),
        ("log", Seen::Nowhere),
        ("off", Seen::Nowhere),
    ] {
        for program in [program!(has_no_logger_and_a_guard), program!(has_no_logger)] {
            assert_seen(&program.env(REPORT, value).run().with_status(0), seen);
        }
    }
}

fn with_a_logger_each_value_does_what_it_says() {
    for (value, with_a_guard, without) in [
        ("auto", Seen::OnTheLog, Seen::OnBoth),
        ("log", Seen::OnTheLog, Seen::OnBoth),
        ("stderr", Seen::OnStandardError, Seen::OnStandardError),
        ("off", Seen::Nowhere, Seen::Nowhere),
    ] {
        assert_seen(&program!(has_a_logger_and_a_guard).env(REPORT, value).run().with_status(0), with_a_guard);
        assert_seen(&program!(has_a_logger).env(REPORT, value).run().with_status(0), without);
    }
}

fn a_logger_that_shows_nothing_is_as_none() {
    assert_seen(&program!(has_a_logger_that_shows_nothing).run().with_status(0), Seen::Nowhere);
    let ended = program!(has_a_logger_that_shows_nothing).env(REPORT, "auto").run().with_status(0);
    assert_seen(&ended, Seen::OnStandardError);
}

fn the_code_may_choose_too() {
    assert_seen(&program!(asks_for_standard_error).run().with_status(0), Seen::OnStandardError);
    assert_seen(&program!(asks_for_standard_error).env(REPORT, "off").run().with_status(0), Seen::Nowhere);
}

/// What a program prints when its subscriber is called, which it is whatever is set.
const SUBSCRIBED: &str = "the subscriber got Permit, 1 of 1";

/// Loses one, and has it told.
fn lose() {
    let detector = LeakDetector::global();
    let _subscription = detector.subscribe(|report| {
        println!("the subscriber got {}, {} of {}", report.resource(), report.count(), report.created());
    });
    drop(track(Permit));
    detector.flush();
}

fn has_no_logger_and_a_guard() {
    let _guard = leaktrail::guard();
    lose();
}

fn has_no_logger() {
    lose();
}

fn has_a_logger_and_a_guard() {
    log_to_stdout(LevelFilter::Info);
    let _guard = leaktrail::guard();
    lose();
}

fn has_a_logger() {
    log_to_stdout(LevelFilter::Info);
    lose();
}

fn has_a_logger_that_shows_nothing() {
    log_to_stdout(LevelFilter::Off);
    let _guard = leaktrail::guard();
    lose();
}

fn asks_for_standard_error() {
    log_to_stdout(LevelFilter::Info);
    leaktrail::install(Config::new().report(ReportTo::Stderr)).expect("nobody has used the global detector before");
    let _guard = leaktrail::guard();
    lose();
}
