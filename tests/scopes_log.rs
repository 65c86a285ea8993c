//! The log recorder, and the proof that detection is on. In a process of its own: the logger is global.

use std::time::Duration;

use leaktrail::testing::{LeakScope, LogRecorder, self_test};
use leaktrail::{Config, LeakDetector, Level, Severity};

fn lose(resource: &'static str) -> LeakDetector {
    let detector = LeakDetector::new(Config::new().level(Level::Advanced));
    drop(detector.resource(resource).bytes(64).track(()));
    detector
}

#[test]
fn what_is_logged_is_kept_with_its_values_and_can_be_waited_for() {
    let log = LogRecorder::start();
    let _detector = lose("Waited");
    let line = log.expect_within("LEAK: Waited.release() was not called", Duration::from_secs(60));
    assert_eq!(line.severity(), Severity::Error);
    assert_eq!(
        (line.value("resource"), line.value("count"), line.value("bytes")),
        (Some("Waited"), Some("1"), Some("64"))
    );
    assert!(line.value("site").unwrap().starts_with("tests/scopes_log.rs:"), "{line}");
    assert!(line.text().contains("Created at:"), "{line}");
    assert_eq!(line.value("no such key"), None);
    assert_eq!(log.count("LEAK: Waited"), 1);
}

#[test]
fn a_recorder_keeps_from_its_start_to_its_drop_and_several_keep_at_once() {
    let early = LogRecorder::start();
    lose("First").flush();
    let late = LogRecorder::start();
    lose("Second").flush();
    assert_eq!((early.count("LEAK: First"), early.count("LEAK: Second")), (1, 1));
    assert_eq!((late.count("LEAK: First"), late.count("LEAK: Second")), (0, 1));
    drop(early);
    lose("Third").flush();
    assert!(late.lines().iter().any(|line| line.text().starts_with("LEAK: Third")));

    let payload = std::panic::catch_unwind(|| late.expect("LEAK: Fourth")).unwrap_err();
    let text = payload.downcast::<String>().unwrap();
    assert!(text.contains("nothing with \"LEAK: Fourth\"") && text.contains("ERROR LEAK: Third"), "{text}");
}

#[test]
fn a_scope_logs_nothing() {
    let log = LogRecorder::start();
    let scope = LeakScope::new("silent");
    drop(scope.detector().resource("Silent").track(()));
    scope.detector().flush();
    scope.ignore_resource("Silent", "on purpose");
    scope.assert_clean();
    drop(scope);
    assert_eq!(log.count("Silent"), 0);
}

#[test]
fn the_level_in_force_detects_a_seeded_leak_and_the_programs_own_counts_have_nothing_of_it() {
    let log = LogRecorder::start();
    let global = LeakDetector::global();
    assert_eq!(self_test(), global.level());
    assert_eq!(global.snapshot().created(), 0);
    assert_eq!(log.count("SelfTest"), 0);
    let scope = LeakScope::new("self-test");
    let entered = scope.enter();
    assert_eq!(self_test(), Level::Paranoid);
    drop(entered);
    scope.assert_clean();
}
