//! With feature `tracing` reports are events with fields, and each record has the span that its thread was in.

use leaktrail::{LeakDetector, Level, Tracked, track};

use crate::process::{Ended, Named, Permit};

pub(crate) const TESTS: &[Named] = named![
    reports_are_events_with_fields,
    each_record_has_its_span,
    without_a_guard_no_subscriber_is_called_at_exit,
    a_subscriber_that_panics_or_tracks_harms_nobody,
];

pub(crate) const PROGRAMS: &[Named] =
    named![has_a_subscriber, has_a_subscriber_and_no_guard, touches_in_spans, has_a_subscriber_that_panics_and_tracks];

/// The text without what a terminal would colour.
fn plain(ended: &Ended) -> String {
    let mut text = String::new();
    let mut rest = ended.stdout.as_str();
    while let Some((before, escaped)) = rest.split_once('\u{1b}') {
        text.push_str(before);
        rest = escaped.split_once('m').map_or("", |(_, rest)| rest);
    }
    text + rest
}

fn reports_are_events_with_fields() {
    let ended = program!(has_a_subscriber).run().with_status(0);
    let text = plain(&ended);
    let lost = text.lines().find(|line| line.contains("LEAK: Permit.release() was not called"));
    let lost = lost.unwrap_or_else(|| panic!("{ended}"));
    assert!(lost.contains("ERROR leaktrail: "), "{lost}");
    for field in
        ["fingerprint=", "verdict=\"LEAK\"", "resource=Permit", "site=tests/programs/tracing_events.rs:", "count=1"]
    {
        assert!(text.contains(field), "{field} in {text}");
    }
    assert!(text.contains("LEAK: summary at exit: 1 of 1 lost"), "{ended}");
    assert_eq!(ended.stderr, "", "{ended}");
}

fn each_record_has_its_span() {
    let ended = program!(touches_in_spans).env("LEAK_DETECTION_LEVEL", "paranoid").run().with_status(0);
    let text = plain(&ended);
    let line =
        |words: &str| text.lines().find(|line| line.contains(words)).unwrap_or_else(|| panic!("{words}\n{ended}"));
    assert!(line("\t(touched +").contains(", span decode 0x"), "{text}");
    assert!(line("\t(dropped +").contains(", span request 0x"), "{text}");
    let created = text.lines().skip_while(|line| *line != "Created at:").nth(1).expect("a record has its line");
    assert!(created.ends_with(", thread main)"), "{created} has no span");
}

fn without_a_guard_no_subscriber_is_called_at_exit() {
    let ended = program!(has_a_subscriber_and_no_guard).run().with_status(0);
    ended.has(1, "LEAK: Permit.release() was not called");
    if cfg!(unix) {
        ended.stderr_has(1, "ERROR leaktrail: LEAK: summary at exit: 1 of 1 lost at 1 site");
    }
    ended.log_has(0, "summary at exit");
}

fn a_subscriber_that_panics_or_tracks_harms_nobody() {
    let paranoid = program!(has_a_subscriber_that_panics_and_tracks).env("LEAK_DETECTION_LEVEL", "paranoid");
    let ended = paranoid.env("LEAK_DETECTION_REPORT", "stderr").run().with_status(0);
    ended.stderr_has(1, "ERROR leaktrail: LEAK: Permit.release() was not called");
    ended.has(0, "switched off");
    ended.log_has(1, "the program is at its end");
}

fn subscribe() {
    let subscriber = tracing_subscriber::fmt().with_writer(std::io::stdout).finish();
    tracing::subscriber::set_global_default(subscriber).expect("no subscriber is installed");
}

fn has_a_subscriber() {
    subscribe();
    let _guard = leaktrail::guard();
    drop(track(Permit));
}

fn has_a_subscriber_and_no_guard() {
    subscribe();
    drop(track(Permit));
}

fn touches_in_spans() {
    subscribe();
    let _guard = leaktrail::guard();
    let permit = track(Permit);
    let request = tracing::info_span!("request");
    let _in_request = request.enter();
    tracing::info_span!("decode").in_scope(|| Tracked::touch(&permit));
    drop(permit);
}

/// Asked for the span of a thread, it tracks something of its own, and then panics.
struct Careless;

impl tracing::Subscriber for Careless {
    fn enabled(&self, _: &tracing::Metadata<'_>) -> bool {
        true
    }

    fn new_span(&self, _: &tracing::span::Attributes<'_>) -> tracing::span::Id {
        tracing::span::Id::from_u64(1)
    }

    fn record(&self, _: &tracing::span::Id, _: &tracing::span::Record<'_>) {}
    fn record_follows_from(&self, _: &tracing::span::Id, _: &tracing::span::Id) {}
    fn event(&self, _: &tracing::Event<'_>) {}
    fn enter(&self, _: &tracing::span::Id) {}
    fn exit(&self, _: &tracing::span::Id) {}

    fn current_span(&self) -> tracing_core::span::Current {
        Tracked::release(LeakDetector::global().resource("Subscriber").track(()));
        panic!("a subscriber that panics");
    }
}

fn has_a_subscriber_that_panics_and_tracks() {
    tracing::subscriber::set_global_default(Careless).expect("no subscriber is installed");
    let _guard = leaktrail::guard();
    let detector = LeakDetector::global();
    assert_eq!(detector.level(), Level::Paranoid);
    drop(track(Permit));
    let counts = detector.snapshot();
    assert_eq!((counts.leaked(), counts.live()), (1, 0));
    println!("the program is at its end");
}
