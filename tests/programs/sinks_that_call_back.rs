//! A sink may do what any other code may: track, lose, ask, flush, subscribe and unsubscribe. No deadlock, no recursion without
//! an end, exact counts.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;

use leaktrail::{Config, LeakDetector, LeakReport, Level, Subscription, Tracked};
use log::LevelFilter;

use crate::process::{Named, log_to_stdout};

pub(crate) const TESTS: &[Named] = named![
    a_sink_that_tracks_and_releases,
    a_sink_that_loses_is_told_and_ends,
    a_sink_that_asks_and_flushes,
    a_sink_that_subscribes,
    a_sink_that_drops_its_own_subscription,
    a_sink_that_waits_for_a_flush_of_another_thread_gets_on,
    a_sink_that_ends_its_detector,
];

pub(crate) const PROGRAMS: &[Named] = named![
    tracks_and_releases_in_a_sink,
    loses_in_a_sink,
    asks_and_flushes_in_a_sink,
    subscribes_in_a_sink,
    drops_its_subscription_in_the_sink,
    waits_for_a_flush_in_a_sink,
    drops_the_detector_in_a_sink,
];

fn a_sink_that_tracks_and_releases() {
    program!(tracks_and_releases_in_a_sink).run().with_status(0);
}

fn a_sink_that_loses_is_told_and_ends() {
    let ended = program!(loses_in_a_sink).run().with_status(0);
    ended.has(1, "LEAK: Cause.release() was not called");
    let told = ended.lines().filter(|line| line.contains("LEAK: Own.release() was not called")).count();
    assert!((1..=9).contains(&told), "the first, and each new way to it up to eight\n{ended}");
}

fn a_sink_that_asks_and_flushes() {
    program!(asks_and_flushes_in_a_sink).run().with_status(0);
}

fn a_sink_that_subscribes() {
    program!(subscribes_in_a_sink).run().with_status(0);
}

fn a_sink_that_drops_its_own_subscription() {
    program!(drops_its_subscription_in_the_sink).run().with_status(0);
}

fn a_sink_that_waits_for_a_flush_of_another_thread_gets_on() {
    program!(waits_for_a_flush_in_a_sink).run().with_status(0);
}

fn a_sink_that_ends_its_detector() {
    program!(drops_the_detector_in_a_sink).run().with_status(0);
}

/// Each handle has its full trail, so that a cause is told at its first loss and afterwards at a flush alone.
fn paranoid() -> LeakDetector {
    LeakDetector::new(Config::new().level(Level::Paranoid))
}

/// Subscribes, and counts the calls.
fn subscribe(
    detector: &LeakDetector,
    subscriber: impl Fn(&LeakReport) + Send + Sync + 'static,
) -> (Subscription, Arc<AtomicU64>) {
    let calls = Arc::new(AtomicU64::new(0));
    let counted = calls.clone();
    let subscription = detector.subscribe(move |report| {
        counted.fetch_add(1, Ordering::Relaxed);
        subscriber(report);
    });
    (subscription, calls)
}

/// Loses one at one site.
fn lose(detector: &LeakDetector) {
    drop(detector.resource("Cause").track(1));
}

fn tracks_and_releases_in_a_sink() {
    let detector = paranoid();
    let own = detector.clone();
    let (_subscription, calls) = subscribe(&detector, move |_| {
        for number in 0..10 {
            Tracked::release(own.track(number));
        }
    });
    for _ in 0..20 {
        lose(&detector);
        detector.flush();
    }
    let calls = calls.load(Ordering::Relaxed);
    let counts = detector.snapshot();
    assert_eq!(calls, 20);
    assert_eq!((counts.created(), counts.released(), counts.leaked(), counts.live()), (20 + 200, 200, 20, 0));
}

fn loses_in_a_sink() {
    log_to_stdout(LevelFilter::Info);
    let detector = LeakDetector::global();
    detector.set_level(Level::Paranoid);
    let (_subscription, calls) = subscribe(detector, move |_| drop(detector.resource("Own").track(2)));
    lose(detector);
    // A flush tells what has changed when it begins, and no more: what its sinks lose waits for the next one.
    for _ in 0..10 {
        detector.flush();
    }
    let calls = calls.load(Ordering::Relaxed);
    assert_eq!(detector.snapshot().leaked(), calls + 1);
    // One at each flush: the sink's own, of the call before. The reporter may come first to the first losses, and to one on
    // a new path, of which there are few.
    assert!((10..=20).contains(&calls), "{calls}");
}

fn asks_and_flushes_in_a_sink() {
    let detector = paranoid();
    let own = detector.clone();
    let (_subscription, calls) = subscribe(&detector, move |report| {
        let counts = own.snapshot();
        assert_eq!((counts.created(), counts.leaked()), (report.created(), report.count()));
        assert_eq!(own.holders("Cause"), []);
        own.flush();
        drop(own.guard());
        own.set_level(own.level());
        drop(own.clone());
    });
    for number in 1..=10 {
        lose(&detector);
        detector.flush();
        // If an assertion above had failed, the sink would not be called any more.
        assert_eq!(calls.load(Ordering::Relaxed), number);
    }
}

fn subscribes_in_a_sink() {
    let detector = paranoid();
    let own = detector.clone();
    let late_calls = Arc::new(AtomicU64::new(0));
    let counted = late_calls.clone();
    let (_subscription, calls) = subscribe(&detector, move |_| {
        let counted = counted.clone();
        let late = own.subscribe(move |_| {
            counted.fetch_add(1, Ordering::Relaxed);
        });
        late.detach_never();
    });
    for _ in 0..5 {
        lose(&detector);
        detector.flush();
    }
    assert_eq!(calls.load(Ordering::Relaxed), 5);
    // One more subscriber at each call, which hears of the calls after that.
    assert_eq!(late_calls.load(Ordering::Relaxed), 1 + 2 + 3 + 4);
}

fn drops_its_subscription_in_the_sink() {
    let detector = paranoid();
    let place = Arc::new(Mutex::new(None));
    let own = place.clone();
    let (subscription, calls) = subscribe(&detector, move |_| {
        let subscription: Option<Subscription> = own.lock().expect("nobody panics with it").take();
        assert!(subscription.is_some());
    });
    *place.lock().expect("nobody panics with it") = Some(subscription);
    for _ in 0..5 {
        lose(&detector);
        detector.flush();
    }
    assert_eq!(calls.load(Ordering::Relaxed), 1);
    assert_eq!(detector.snapshot().leaked(), 5);
    assert_eq!(Arc::strong_count(&place), 1, "the subscriber was let go of");
}

fn waits_for_a_flush_in_a_sink() {
    let detector = paranoid();
    let own = detector.clone();
    let (_subscription, calls) = subscribe(&detector, move |_| {
        // It waits for this sink, and this sink for it: a flush does not wait for ever.
        let own = own.clone();
        thread::spawn(move || own.flush()).join().expect("a flush does not panic");
    });
    lose(&detector);
    detector.flush();
    assert_eq!(calls.load(Ordering::Relaxed), 1);
    assert_eq!(detector.snapshot().leaked(), 1);
}

fn drops_the_detector_in_a_sink() {
    let detector = paranoid();
    let place = Arc::new(Mutex::new(None));
    let own = place.clone();
    let (told, is_told) = std::sync::mpsc::channel();
    let subscription = detector.subscribe(move |report| {
        let detector: Option<LeakDetector> = own.lock().expect("nobody panics with it").take();
        drop(detector);
        told.send(report.count()).expect("main waits");
    });
    subscription.detach_never();
    let handle = detector.resource("Cause").track(1);
    *place.lock().expect("nobody panics with it") = Some(detector);
    drop(handle);
    // The reporter tells it; no detector is left that could be flushed.
    assert_eq!(is_told.recv(), Ok(1));
}
