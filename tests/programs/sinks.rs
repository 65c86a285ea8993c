//! Sinks that panic, block or go away: the others get everything, and the counts are exact.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::thread;

use leaktrail::{
    Config, DirectMemory, ExitSummary, LeakAware, LeakDetector, LeakReport, Level, Refusal, Sink, Tracked,
    UnpooledAllocator, track,
};
use log::LevelFilter;

use crate::process::{Named, Permit, log_to_stdout};

pub(crate) const TESTS: &[Named] = named![
    a_sink_that_panics_is_dropped_after_one_warning_and_the_others_go_on,
    a_sink_that_panics_while_main_unwinds_does_not_abort,
    a_sink_that_panics_at_the_summary_is_told_too,
    a_sink_that_panics_when_it_is_dropped_leaves_the_reporter_alive,
    a_sink_that_blocks_makes_others_late_and_loses_nothing,
    past_the_cap_trails_are_lost_and_counted_and_counts_are_not,
    a_dropped_subscription_is_called_no_more,
    a_sink_gets_refusals_and_the_summary_too,
    sinks_are_called_one_at_a_time,
];

pub(crate) const PROGRAMS: &[Named] = named![
    has_a_sink_that_panics,
    has_a_sink_that_panics_while_unwinding,
    has_a_sink_that_panics_at_the_summary,
    has_sinks_that_panic_when_dropped,
    has_a_sink_that_blocks,
    loses_more_than_is_queued,
    drops_a_subscription,
    refuses_and_ends,
    has_sinks_and_many_threads,
];

const WARNING: &str = "a sink panicked and is not called again; the other sinks go on";

fn a_sink_that_panics_is_dropped_after_one_warning_and_the_others_go_on() {
    let ended = program!(has_a_sink_that_panics).run().with_status(0);
    ended.log_has(1, WARNING);
    assert_eq!(ended.stderr.matches("enough of reports").count(), 1, "{ended}");
    ended.log_has(1, "the other sink got A, B, A, B");
    ended.log_has(1, "LEAK: A.release() was not called");
    ended.log_has(1, "LEAK: B.release() was not called");
    ended.log_has(1, "LEAK: summary at exit: 4 of 4 lost at 2 sites");
}

fn a_sink_that_panics_while_main_unwinds_does_not_abort() {
    let ended = program!(has_a_sink_that_panics_while_unwinding).run().with_status(101);
    ended.log_has(1, "LEAK: Permit.release() was not called");
    ended.log_has(1, "LEAK: summary at exit: 1 of 1 lost at 1 site");
    ended.has(1, WARNING);
}

fn a_sink_that_panics_at_the_summary_is_told_too() {
    let ended = program!(has_a_sink_that_panics_at_the_summary).run().with_status(0);
    ended.has(1, WARNING);
    ended.has(1, "summary at exit: 1 of 1 lost");
}

fn a_sink_that_panics_when_it_is_dropped_leaves_the_reporter_alive() {
    let ended = program!(has_sinks_that_panic_when_dropped).run().with_status(0);
    ended.log_has(1, "LEAK: Afterwards.release() was not called");
    assert_eq!(ended.stderr.matches("dropped badly").count(), 3, "{ended}");
}

fn a_sink_that_blocks_makes_others_late_and_loses_nothing() {
    let ended = program!(has_a_sink_that_blocks).run().with_status(0);
    ended.log_has(1, "LEAK: summary at exit: 1001 of 1001 lost at 3 sites, 0 B; 0 live; level PARANOID");
    ended.log_has(1, "reports dropped 0");
}

fn past_the_cap_trails_are_lost_and_counted_and_counts_are_not() {
    let ended = program!(loses_more_than_is_queued).run().with_status(0);
    ended.log_has(1, "LEAK: summary at exit: 2001 of 2001 lost at 2 sites, 0 B; 0 live; level PARANOID");
    ended.log_has(1, "reports dropped 976");
    ended.log_has(1, "WARN  leaktrail] leaktrail: not kept, over a cap: 976 reports; the counts are exact");
}

fn a_dropped_subscription_is_called_no_more() {
    program!(drops_a_subscription).run().with_status(0);
}

fn a_sink_gets_refusals_and_the_summary_too() {
    let ended = program!(refuses_and_ends).run().with_status(0);
    ended.log_has(1, "the sink got a refusal: failed to allocate 4096 byte(s) of direct memory (used: 0, max: 1024)");
    ended.log_has(1, "the sink got a summary: 1 created, 1 lost");
    ended.log_has(1, "ERROR leaktrail] REFUSED: failed to allocate 4096 byte(s)");
}

fn sinks_are_called_one_at_a_time() {
    let ended = program!(has_sinks_and_many_threads).run().with_status(0);
    ended.log_has(1, "the sinks met nobody");
}

/// Loses one of a resource at a site that is that resource's own.
fn lose(detector: &LeakDetector, resource: &'static str) {
    match resource {
        "A" => drop(detector.resource("A").track(1)),
        "B" => drop(detector.resource("B").track(2)),
        resource => drop(detector.resource(resource).track(3)),
    }
}

fn has_a_sink_that_panics() {
    log_to_stdout(LevelFilter::Warn);
    let detector = LeakDetector::global();
    // Each loss has its full trail, so the later ones of a site are of no new path and wait for the flush.
    detector.set_level(Level::Paranoid);
    let _guard = leaktrail::guard();
    let _panics = detector.subscribe(|_| panic!("enough of reports"));
    let got = Arc::new(Mutex::new(Vec::new()));
    let _goes_on = detector.subscribe({
        let got = got.clone();
        move |report| got.lock().expect("nobody panics with it").push(report.resource().to_owned())
    });
    for _ in 0..2 {
        for resource in ["A", "B"] {
            lose(detector, resource);
            detector.flush();
        }
    }
    println!("the other sink got {}", got.lock().expect("nobody panics with it").join(", "));
}

fn has_a_sink_that_panics_while_unwinding() {
    log_to_stdout(LevelFilter::Warn);
    let _panics = LeakDetector::global().subscribe(|_| panic!("enough of reports"));
    let _guard = leaktrail::guard();
    let _permit = track(Permit);
    panic!("main has had enough");
}

/// Panics when it hears of the end.
struct PanicsAtTheSummary;

impl Sink for PanicsAtTheSummary {
    fn report(&self, _: &LeakReport) {}

    fn summary(&self, _: &ExitSummary) {
        panic!("not the end yet");
    }
}

fn has_a_sink_that_panics_at_the_summary() {
    log_to_stdout(LevelFilter::Warn);
    let _panics = LeakDetector::global().add_sink(PanicsAtTheSummary);
    let _guard = leaktrail::guard();
    drop(track(Permit));
}

/// Panics when it is dropped.
struct DropsBadly(mpsc::Sender<()>);

impl Drop for DropsBadly {
    fn drop(&mut self) {
        let _ = self.0.send(());
        panic!("dropped badly");
    }
}

impl Sink for DropsBadly {
    fn report(&self, _: &LeakReport) {}
}

fn has_sinks_that_panic_when_dropped() {
    log_to_stdout(LevelFilter::Warn);
    let (dropping, is_dropping) = mpsc::channel();

    // Detached by this thread: it is not harmed.
    drop(LeakDetector::global().add_sink(DropsBadly(dropping.clone())));
    is_dropping.recv().expect("it was dropped");

    // Let go of with its detector, by whoever is last: the reporter, which has a loss to tell.
    let detector = LeakDetector::new(Config::new());
    detector.add_sink(DropsBadly(dropping.clone())).detach_never();
    drop(detector.track(Permit));
    drop(detector);
    is_dropping.recv().expect("it was dropped");

    // Detached while it is called: the caller is the last to have it.
    let (entered, is_entered) = mpsc::channel();
    let (go_on, may_go_on) = mpsc::channel();
    let (may_go_on, bad) = (Mutex::new(may_go_on), DropsBadly(dropping));
    let detached = LeakDetector::global().subscribe(move |_| {
        let _bad = &bad;
        entered.send(()).expect("main waits");
        may_go_on.lock().expect("nobody panics with it").recv().expect("main goes on");
    });
    lose(LeakDetector::global(), "During");
    is_entered.recv().expect("it is called");
    drop(detached);
    go_on.send(()).expect("it waits");
    is_dropping.recv().expect("it was dropped");

    // The reporter still tells: nobody flushes here.
    let (told, is_told) = mpsc::channel();
    let _subscription = LeakDetector::global().subscribe(move |_| told.send(()).expect("main waits"));
    drop(LeakDetector::global().resource("Afterwards").track(Permit));
    is_told.recv().expect("the reporter tells");
}

/// A detector at PARANOID with the reporter held up in its first sink by one loss, until the answer is sent to.
fn hold_up_the_reporter(detector: &LeakDetector) -> mpsc::Sender<()> {
    let (entered, is_entered) = mpsc::channel();
    let (go_on, may_go_on) = mpsc::channel::<()>();
    let (may_go_on, has_blocked) = (Mutex::new(may_go_on), AtomicBool::new(false));
    let blocks = detector.subscribe(move |_| {
        if !has_blocked.swap(true, Ordering::Relaxed) {
            entered.send(()).expect("main waits");
            may_go_on.lock().expect("nobody panics with it").recv().expect("main goes on");
        }
    });
    blocks.detach_never();
    lose(detector, "Blocking");
    is_entered.recv().expect("it is called");
    go_on
}

fn lose_while_blocked(losses: u64) {
    log_to_stdout(LevelFilter::Warn);
    let detector = LeakDetector::global();
    detector.set_level(Level::Paranoid);
    let _guard = leaktrail::guard();
    let go_on = hold_up_the_reporter(detector);

    let counts = Arc::new(Mutex::new(HashMap::new()));
    let _late = detector.subscribe({
        let counts = counts.clone();
        move |report| {
            counts.lock().expect("nobody panics with it").insert(report.resource().to_owned(), report.count());
        }
    });
    // Nobody waits for a sink that blocks: not who loses, not who asks.
    for number in 0..losses {
        drop(detector.resource("Waiting").track(number));
    }
    if losses < 1_000 {
        drop(detector.resource("Other").track(0));
    }
    assert_eq!(detector.snapshot().leaked(), losses + 1 + u64::from(losses < 1_000));
    assert!(counts.lock().expect("nobody panics with it").is_empty(), "the other sink waits for the first");

    go_on.send(()).expect("the sink waits");
    detector.flush();
    assert_eq!(counts.lock().expect("nobody panics with it")["Waiting"], losses);
}

fn has_a_sink_that_blocks() {
    lose_while_blocked(999);
}

fn loses_more_than_is_queued() {
    lose_while_blocked(2_000);
}

fn drops_a_subscription() {
    let detector = LeakDetector::new(Config::new().level(Level::Paranoid));
    let calls = Arc::new(AtomicU64::new(0));
    let subscription = detector.subscribe({
        let calls = calls.clone();
        move |_| {
            calls.fetch_add(1, Ordering::Relaxed);
        }
    });
    lose(&detector, "A");
    detector.flush();
    assert_eq!(calls.load(Ordering::Relaxed), 1);
    drop(subscription);
    // What it had is let go of, too.
    assert_eq!(Arc::strong_count(&calls), 1);
    lose(&detector, "A");
    lose(&detector, "B");
    detector.flush();
    assert_eq!(calls.load(Ordering::Relaxed), 1);
    assert_eq!(detector.snapshot().leaked(), 3);
}

/// Prints what it gets beside reports.
struct Prints;

impl Sink for Prints {
    fn report(&self, _: &LeakReport) {}

    fn refusal(&self, refusal: &Refusal) {
        let first = refusal.to_string().lines().next().map(|line| line.replace("REFUSED: ", ""));
        println!("the sink got a refusal: {}", first.unwrap_or_default());
    }

    fn summary(&self, summary: &ExitSummary) {
        println!("the sink got a summary: {} created, {} lost", summary.created(), summary.leaked());
    }
}

fn refuses_and_ends() {
    log_to_stdout(LevelFilter::Warn);
    let detector = LeakDetector::global();
    let _prints = detector.add_sink(Prints);
    let _guard = leaktrail::guard();
    drop(track(Permit));
    let allocator = LeakAware::new(UnpooledAllocator::new(DirectMemory::with_limit(1024)), detector.clone());
    leaktrail::ByteBufAllocator::allocate(&allocator, 4096).expect_err("it does not fit");
}

/// Notes when it is called while another call is under way.
#[derive(Default)]
struct Alone {
    inside: AtomicBool,
    met: AtomicU64,
    calls: AtomicU64,
}

impl Alone {
    fn enter(&self) {
        self.calls.fetch_add(1, Ordering::Relaxed);
        if self.inside.swap(true, Ordering::AcqRel) {
            self.met.fetch_add(1, Ordering::Relaxed);
        }
        // Long enough for another to come in, if any may.
        thread::yield_now();
        self.inside.store(false, Ordering::Release);
    }
}

/// The sink itself; the program keeps the figures.
struct EntersAlone(Arc<Alone>);

impl Sink for EntersAlone {
    fn report(&self, _: &LeakReport) {
        self.0.enter();
    }

    fn summary(&self, _: &ExitSummary) {
        self.0.enter();
    }
}

fn has_sinks_and_many_threads() {
    let detector = LeakDetector::global();
    detector.set_level(Level::Paranoid);
    let alone = Arc::new(Alone::default());
    detector.add_sink(EntersAlone(alone.clone())).detach_never();
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for number in 0..50 {
                    let kept = detector.resource("Kept").track(number);
                    lose(detector, if number % 2 == 0 { "A" } else { "B" });
                    if number % 5 == 0 {
                        drop(detector.guard());
                    } else {
                        detector.flush();
                    }
                    Tracked::release(kept);
                }
            });
        }
    });
    assert!(alone.calls.load(Ordering::Relaxed) > 50, "{:?}", alone.calls);
    assert_eq!(alone.met.load(Ordering::Relaxed), 0);
    println!("the sinks met nobody");
}
