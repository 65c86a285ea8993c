//! `GROW:`, `HELD:` and `PINNED:` lines.

use super::*;
use crate::report::{LastTouch, Observation, Seen, Severity};

const ALL_SEEN: Seen = Seen { trails: 10, live: 10 };

/// A cache that nobody empties.
pub(super) fn growing() -> LeakReport {
    let observation = Observation::Growth { windows: 10, window: Duration::from_secs(60), created: 600, released: 0 };
    LeakReport {
        verdict: Verdict::Growing,
        resource: "CachedBody".into(),
        count: 12_480,
        bytes: 12_779_520,
        fate: Fate::StillOut,
        promoted: 64,
        observation: Some(observation),
        ..untraced()
    }
}

/// The same, once a trail has come, and then on the schedule.
pub(super) fn growing_on() -> [LeakReport; 2] {
    let observation = Observation::Growth { windows: 12, window: Duration::from_secs(60), created: 720, released: 3 };
    let form = Form::Again { more: 2, window: Duration::from_secs(120), since: at() };
    let records = full().records.split_off(1);
    let traced = LeakReport { records, trail: TrailDepth::Full, promoted: 0, form: Form::Full, ..growing() };
    [traced.clone(), LeakReport { observation: Some(observation), form, count: 12_597, bytes: 12_899_328, ..traced }]
}

/// A connection that a handler does not give back.
pub(super) fn held() -> LeakReport {
    let last_touch = Some(LastTouch { place: "src/orders.rs:120:9".into(), ago: Duration::from_secs(40) });
    let (age, threshold) = (Duration::from_secs(41), Duration::from_secs(30));
    LeakReport {
        verdict: Verdict::HeldTooLong,
        resource: "PgConnection".into(),
        site: site("src/db.rs", 88, 30),
        count: 3,
        bytes: 0,
        fate: Fate::StillOut,
        promoted: 0,
        form: Form::Line,
        observation: Some(Observation::Held { age, threshold, last_touch, seen: ALL_SEEN }),
        ..untraced()
    }
}

/// What is known of it below PARANOID.
pub(super) fn held_sampled() -> LeakReport {
    let (age, threshold) = (Duration::from_secs(41), Duration::from_secs(30));
    let seen = Seen { trails: 4, live: 10 };
    let observation = Observation::Held { age, threshold, last_touch: None, seen };
    LeakReport { observation: Some(observation), ..held() }
}

pub(super) fn came_back() -> LeakReport {
    LeakReport { observation: Some(Observation::CameBack { age: Duration::from_secs(64) }), count: 1, ..held() }
}

/// A header that keeps the body that it was read from.
pub(super) fn pinned() -> LeakReport {
    let observation = Observation::Pinned {
        age: Duration::from_secs(61),
        origin: Origin::Sliced,
        part_bytes: 112,
        whole_bytes: 1_048_576,
        whole_site: Some(site("src/body.rs", 19, 14)),
        seen: ALL_SEEN,
    };
    LeakReport {
        verdict: Verdict::Pinned,
        resource: "ByteBuf".into(),
        site: site("src/headers.rs", 88, 30),
        count: 3,
        bytes: 3_145_728,
        observation: Some(observation),
        ..held()
    }
}

#[track_caller]
fn check(report: &LeakReport, severity: Severity, expected: &str) {
    assert_eq!(report.first_line(), expected);
    assert_eq!(report.severity(), severity);
    assert!(report.to_string().starts_with(expected), "{report}");
}

#[test]
fn a_site_that_grows() {
    check(
        &growing(),
        Severity::Warn,
        "GROW: CachedBody at src/filters.rs:41:22: 12480 live (12779520 B), up in each of the last 10 min, created 600 released 0, fp=5b1c09e2a4f7d310 The next 64 from this site will have a full trail.",
    );
    let [traced, again] = growing_on();
    check(
        &traced,
        Severity::Warn,
        "GROW: CachedBody at src/filters.rs:41:22: 12480 live (12779520 B), up in each of the last 10 min, created 600 released 0, fp=5b1c09e2a4f7d310",
    );
    assert!(traced.to_string().contains("\nRecent access records:\n#1:\n\tHint: 'decode' will"), "{traced}");
    check(
        &again,
        Severity::Warn,
        "GROW: CachedBody at src/filters.rs:41:22: 12597 live (12899328 B), up in each of the last 12 min, created 720 released 3, fp=5b1c09e2a4f7d310",
    );
    assert_eq!(again.to_string(), again.first_line(), "one line for what goes on");
}

#[test]
fn windows_that_are_not_a_minute_are_named() {
    let observation = Observation::Growth { windows: 5, window: Duration::from_millis(100), created: 50, released: 1 };
    let report = LeakReport { observation: Some(observation), bytes: 0, promoted: 0, ..growing() };
    check(
        &report,
        Severity::Warn,
        "GROW: CachedBody at src/filters.rs:41:22: 12480 live, up in each of the last 5 windows of 100 ms, created 50 released 1, fp=5b1c09e2a4f7d310",
    );
}

#[test]
fn a_handle_that_is_held_too_long() {
    check(
        &held(),
        Severity::Warn,
        "HELD: PgConnection for 41 s (threshold 30 s): created src/db.rs:88:30, last touch src/orders.rs:120:9 40 s ago, 3 of 10 live here are over, fp=5b1c09e2a4f7d310",
    );
    check(
        &held_sampled(),
        Severity::Warn,
        "HELD: PgConnection for 41 s (threshold 30 s): created src/db.rs:88:30, 3 of 4 sampled (10 live) here are over, fp=5b1c09e2a4f7d310",
    );
    check(
        &came_back(),
        Severity::Info,
        "HELD: PgConnection came back after 64 s: created src/db.rs:88:30, fp=5b1c09e2a4f7d310",
    );
}

#[test]
fn a_part_that_keeps_the_whole() {
    check(
        &pinned(),
        Severity::Warn,
        "PINNED: ByteBuf of 1048576 B is kept by 112 B for 61 s: sliced src/headers.rs:88:30, created src/body.rs:19:14, 3 of 10 live here pin 3145728 B, fp=5b1c09e2a4f7d310",
    );
    let mut report = pinned();
    let Some(Observation::Pinned { whole_site, seen, .. }) = &mut report.observation else { unreachable!() };
    (*whole_site, *seen) = (None, Seen { trails: 3, live: 400 });
    check(
        &report,
        Severity::Warn,
        "PINNED: ByteBuf of 1048576 B is kept by 112 B for 61 s: sliced src/headers.rs:88:30, created unknown, 3 of 3 sampled (400 live) here pin 3145728 B, fp=5b1c09e2a4f7d310",
    );
}

#[test]
fn a_report_without_its_observation_still_has_a_line() {
    let report = LeakReport { observation: None, promoted: 0, ..growing() };
    check(&report, Severity::Warn, "GROW: CachedBody at src/filters.rs:41:22: 12480 live, fp=5b1c09e2a4f7d310");
}
