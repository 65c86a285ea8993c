//! Figures reach whatever recorder the program has installed for crate `metrics`, and a recorder that panics harms nobody.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use leaktrail::{DirectMemory, LeakDetector, Metrics, track};
use log::LevelFilter;
use metrics::{Counter, CounterFn, Gauge, GaugeFn, Histogram, Key, KeyName, Metadata, Recorder, SharedString, Unit};

use crate::process::{Named, Permit, log_to_stdout};

pub(crate) const TESTS: &[Named] =
    named![a_recorder_has_the_figures_by_itself, a_recorder_that_panics_is_told_once_and_harms_nobody];

pub(crate) const PROGRAMS: &[Named] = named![has_a_recorder, has_a_recorder_that_panics];

fn a_recorder_has_the_figures_by_itself() {
    program!(has_a_recorder).run().with_status(0);
}

fn a_recorder_that_panics_is_told_once_and_harms_nobody() {
    let ended = program!(has_a_recorder_that_panics).run().with_status(0);
    ended.log_has(1, "[WARN  leaktrail] the recorder of metrics panicked and is not called again");
    assert_eq!(ended.stderr.matches("the recorder is broken").count(), 1, "{ended}");
    ended.log_has(1, "LEAK: Permit.release() was not called");
    ended.has(0, "switched off");
}

/// Keeps the newest figure of each name with its labels.
#[derive(Clone, Debug, Default)]
struct Kept(Arc<Mutex<BTreeMap<String, f64>>>);

/// One of them.
#[derive(Debug)]
struct Place(Kept, String);

impl Kept {
    fn figure(&self, name: &str) -> Option<f64> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(name).copied()
    }

    fn place(&self, key: &Key) -> Arc<Place> {
        let labels: Vec<String> = key.labels().map(|label| format!("{}={}", label.key(), label.value())).collect();
        Arc::new(Place(self.clone(), format!("{}{{{}}}", key.name(), labels.join(","))))
    }
}

impl Place {
    fn put(&self, value: f64) {
        self.0.0.lock().unwrap_or_else(PoisonError::into_inner).insert(self.1.clone(), value);
    }
}

impl CounterFn for Place {
    fn increment(&self, _: u64) {
        panic!("a counter is set, not added to");
    }

    fn absolute(&self, value: u64) {
        self.put(value as f64);
    }
}

impl GaugeFn for Place {
    fn increment(&self, _: f64) {
        panic!("a gauge is set, not added to");
    }

    fn decrement(&self, _: f64) {
        panic!("a gauge is set, not taken from");
    }

    fn set(&self, value: f64) {
        self.put(value);
    }
}

impl Recorder for Kept {
    fn describe_counter(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
    fn describe_gauge(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
    fn describe_histogram(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

    fn register_counter(&self, key: &Key, _: &Metadata<'_>) -> Counter {
        Counter::from_arc(self.place(key))
    }

    fn register_gauge(&self, key: &Key, _: &Metadata<'_>) -> Gauge {
        Gauge::from_arc(self.place(key))
    }

    fn register_histogram(&self, _: &Key, _: &Metadata<'_>) -> Histogram {
        Histogram::noop()
    }
}

fn has_a_recorder() {
    let kept = Kept::default();
    metrics::set_global_recorder(kept.clone()).expect("it is the first");
    let detector = LeakDetector::global();
    drop(detector.resource("Permit").bytes(64).track(Permit));
    let _alive = detector.resource("Permit").bytes(8).track(Permit);
    // The reporter hands them out, once a second.
    let deadline = Instant::now() + Duration::from_secs(60);
    while kept.figure("leaktrail_created_total{resource=Permit}") != Some(2.0) {
        assert!(Instant::now() < deadline, "nobody has handed out the figures: {kept:?}");
        thread::sleep(Duration::from_millis(5));
    }
    for (name, value) in [
        ("leaktrail_leaked_total{resource=Permit}", 1.0),
        ("leaktrail_leaked_bytes_total{resource=Permit}", 64.0),
        ("leaktrail_live{resource=Permit}", 1.0),
        ("leaktrail_live_bytes{resource=Permit}", 8.0),
        ("leaktrail_reports_dropped_total{reason=file}", 0.0),
    ] {
        assert_eq!(kept.figure(name), Some(value), "{name} in {kept:?}");
    }
    // Budgets are the program's to hand out.
    let memory = DirectMemory::with_limit(100);
    let _reservation = memory.try_reserve(60).expect("it fits");
    Metrics::new().budget("bodies", &memory).record();
    assert_eq!(kept.figure("leaktrail_budget_used_bytes{budget=bodies}"), Some(60.0));
    assert_eq!(kept.figure("leaktrail_budget_limit_bytes{budget=bodies}"), Some(100.0));
}

/// Panics whenever it is asked for anything.
#[derive(Debug)]
struct Broken(Arc<AtomicU64>);

impl Recorder for Broken {
    fn describe_counter(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
    fn describe_gauge(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
    fn describe_histogram(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

    fn register_counter(&self, _: &Key, _: &Metadata<'_>) -> Counter {
        self.0.fetch_add(1, Ordering::Relaxed);
        panic!("the recorder is broken");
    }

    fn register_gauge(&self, _: &Key, _: &Metadata<'_>) -> Gauge {
        panic!("the recorder is broken");
    }

    fn register_histogram(&self, _: &Key, _: &Metadata<'_>) -> Histogram {
        Histogram::noop()
    }
}

fn has_a_recorder_that_panics() {
    log_to_stdout(LevelFilter::Info);
    let asked = Arc::new(AtomicU64::new(0));
    metrics::set_global_recorder(Broken(asked.clone())).expect("it is the first");
    let _guard = leaktrail::guard();
    drop(track(Permit));
    let deadline = Instant::now() + Duration::from_secs(60);
    while asked.load(Ordering::Relaxed) == 0 {
        assert!(Instant::now() < deadline, "nobody has asked it");
        thread::sleep(Duration::from_millis(5));
    }
}
