//! The end of a process in which other threads have a part: they call it, they die, they hang, they go on.

use std::cell::RefCell;
use std::process;
use std::sync::mpsc;
use std::thread;

use leaktrail::{Config, LeakDetector, LeakReport, Tracked, track};
use log::LevelFilter;

use crate::process::{Ended, Named, Permit, log_to_stdout};

pub(crate) const TESTS: &[Named] = named![
    exit_from_another_thread,
    exit_from_inside_a_sink_on_the_reporter,
    exit_from_inside_a_sink_that_a_flush_called,
    a_thread_that_dies_with_handles_in_its_thread_locals,
    a_sink_that_hangs_does_not_keep_the_process,
    a_sink_that_hangs_does_not_keep_the_guard,
    a_sink_that_hangs_does_not_keep_what_a_detector_that_is_gone_has_lost,
    threads_that_go_on_do_not_keep_the_process,
];

pub(crate) const PROGRAMS: &[Named] = named![
    exits_on_another_thread,
    exits_in_a_sink_on_the_reporter,
    exits_in_a_sink_of_a_flush,
    loses_in_thread_locals_of_a_thread,
    has_a_sink_that_hangs,
    has_a_sink_that_hangs_and_a_guard,
    has_a_sink_that_hangs_and_drops_its_detector,
    has_threads_that_go_on,
];

fn exit_from_another_thread() {
    let ended = program!(exits_on_another_thread).run().with_status(7);
    ended.has(1, "LEAK: Permit.release() was not called");
    ended.stderr_has(1, "ERROR leaktrail: LEAK: summary at exit: 1 of 2 lost at 1 site, 0 B; 1 live; ");
    ended.has(1, "summary at exit");
}

fn exit_from_inside_a_sink_on_the_reporter() {
    let ended = program!(exits_in_a_sink_on_the_reporter).run().with_status(9);
    assert_all_four_are_told(&ended);
}

fn exit_from_inside_a_sink_that_a_flush_called() {
    let ended = program!(exits_in_a_sink_of_a_flush).run().with_status(9);
    for resource in ["B", "C"] {
        ended.stderr_has(1, &format!("ERROR leaktrail: LEAK: {resource}.release() was not called"));
        ended.stderr_has(1, &format!("ERROR leaktrail: LEAK: 1 lost, 0 B, {resource} created "));
    }
    ended.stderr_has(1, "ERROR leaktrail: LEAK: summary at exit: ");
    ended.has(1, "summary at exit");
}

/// What the sink was in the middle of is left for file descriptor 2.
fn assert_all_four_are_told(ended: &Ended) {
    for resource in ["First", "A", "B", "C"] {
        ended.has(1, &format!("LEAK: {resource}.release() was not called"));
        ended.stderr_has(1, &format!("ERROR leaktrail: LEAK: 1 lost, 0 B, {resource} created "));
    }
    ended.stderr_has(1, "ERROR leaktrail: LEAK: summary at exit: 4 of 4 lost at 4 sites");
    ended.has(1, "summary at exit");
}

fn a_thread_that_dies_with_handles_in_its_thread_locals() {
    for level in ["simple", "advanced", "paranoid"] {
        let ended =
            program!(loses_in_thread_locals_of_a_thread).env("LEAK_DETECTION_LEVEL", level).run().with_status(0);
        ended.log_has(1, "LEAK: summary at exit: 6 of 6 lost at 2 sites");
        ended.log_has(1, "LEAK: 3 lost, 0 B, Permit created tests/programs/exit_on_threads.rs:");
        ended.log_has(1, "LEAK: 3 lost, 0 B, Late created tests/programs/exit_on_threads.rs:");
        ended.has(0, "panicked");
        assert_eq!(ended.stderr, "", "{ended}");
        if level == "paranoid" {
            // The drop has its record, from a thread that has hardly anything left.
            let dropped = |line: &str| line.contains("\t(dropped +") && line.contains(", thread worker-7)");
            assert!(ended.stdout.lines().any(dropped), "{ended}");
        }
    }
}

fn a_sink_that_hangs_does_not_keep_the_process() {
    let ended = program!(has_a_sink_that_hangs).run().with_status(0);
    assert_all_four_are_told(&ended);
}

fn a_sink_that_hangs_does_not_keep_the_guard() {
    // It waits for its turn longer than the exit handler does, but not for ever; then the log has the summary.
    let ended = program!(has_a_sink_that_hangs_and_a_guard).run().with_status(0);
    ended.log_has(1, "LEAK: summary at exit: 4 of 4 lost at 4 sites");
    ended.log_has(1, "LEAK: A.release() was not called");
    ended.stderr_has(1, "ERROR leaktrail: LEAK: B.release() was not called");
    ended.stderr_has(1, "ERROR leaktrail: LEAK: C.release() was not called");
    ended.has(1, "summary at exit");
}

fn a_sink_that_hangs_does_not_keep_what_a_detector_that_is_gone_has_lost() {
    let ended = program!(has_a_sink_that_hangs_and_drops_its_detector).run().with_status(0);
    for resource in ["First", "A", "B", "C"] {
        ended.has(1, &format!("LEAK: {resource}.release() was not called"));
    }
}

fn threads_that_go_on_do_not_keep_the_process() {
    let ended = program!(has_threads_that_go_on).run().with_status(0);
    ended.stderr_has(1, "ERROR leaktrail: LEAK: summary at exit: ");
    ended.has(1, "summary at exit");
    let row = ended.stderr.lines().find(|line| line.contains(" lost, 0 B, Busy created "));
    let lost = row.and_then(|row| row.strip_prefix("ERROR leaktrail: LEAK: ")?.split(' ').next()?.parse::<u64>().ok());
    // Each of the four had lost 34 before the program came to its end.
    assert!(lost.is_some_and(|lost| lost >= 4 * 34), "{ended}");
}

fn exits_on_another_thread() {
    log_to_stdout(LevelFilter::Info);
    let _guard = leaktrail::guard();
    let _alive = track(Permit);
    drop(track(Permit));
    thread::spawn(|| process::exit(7));
    loop {
        thread::park();
    }
}

/// Loses one handle of each resource, at four sites.
fn lose(detector: &LeakDetector, resources: &[&'static str]) {
    for &resource in resources {
        match resource {
            "First" => drop(detector.resource("First").track(1)),
            "A" => drop(detector.resource("A").track(2)),
            "B" => drop(detector.resource("B").track(3)),
            _ => drop(detector.resource("C").track(4)),
        }
    }
}

/// Has the reporter in a sink, of which `in_the_sink` is the rest, with three more losses waiting to be told in one pass.
fn with_three_waiting(detector: &LeakDetector, in_the_sink: impl Fn(&LeakReport) + Send + Sync + 'static) {
    log_to_stdout(LevelFilter::Info);
    let (entered, is_in_the_sink) = mpsc::channel();
    let (go_on, may_go_on) = mpsc::channel();
    let may_go_on = std::sync::Mutex::new(may_go_on);
    let subscription = detector.subscribe(move |report| {
        if report.resource() == "First" {
            entered.send(()).expect("the program waits");
            may_go_on.lock().expect("nobody panics with it").recv().expect("the program goes on");
        } else {
            in_the_sink(report);
        }
    });
    subscription.detach_never();
    lose(detector, &["First"]);
    is_in_the_sink.recv().expect("the first loss is told");
    lose(detector, &["A", "B", "C"]);
    go_on.send(()).expect("the sink waits");
}

fn exits_in_a_sink_on_the_reporter() {
    with_three_waiting(LeakDetector::global(), |_| process::exit(9));
    loop {
        thread::park();
    }
}

fn exits_in_a_sink_of_a_flush() {
    log_to_stdout(LevelFilter::Info);
    let detector = LeakDetector::global();
    let in_a_flush = |report: &LeakReport| {
        if report.resource() == "A" && thread::current().name() == Some("main") {
            // Nobody else tells these: the turn is this thread's.
            lose(LeakDetector::global(), &["B", "C"]);
            process::exit(9);
        }
    };
    detector.subscribe(in_a_flush).detach_never();
    // The reporter may tell the first ones. A count that has changed since is told by a flush alone.
    loop {
        lose(detector, &["A"]);
        detector.flush();
    }
}

/// Tracks one more when it is dropped, and loses it there.
struct Late;

impl Drop for Late {
    fn drop(&mut self) {
        drop(LeakDetector::global().resource("Late").track(7));
    }
}

fn loses_in_thread_locals_of_a_thread() {
    thread_local! {
        static KEPT: RefCell<Vec<(Tracked<Permit>, Late)>> = const { RefCell::new(Vec::new()) };
    }
    log_to_stdout(LevelFilter::Info);
    let _guard = leaktrail::guard();
    let keep = || KEPT.with_borrow_mut(|kept| kept.extend((0..3).map(|_| (track(Permit), Late))));
    let worker = thread::Builder::new().name("worker-7".to_owned()).spawn(keep).expect("a thread can be started");
    worker.join().expect("it does not panic");
}

/// Returns when the reporter is in a sink that it does not come out of.
fn hang_the_reporter(detector: &LeakDetector) {
    let (hanging, hangs) = mpsc::channel();
    with_three_waiting(detector, move |_| {
        hanging.send(()).expect("the program waits");
        loop {
            thread::park();
        }
    });
    hangs.recv().expect("the reporter comes to the second report");
}

fn has_a_sink_that_hangs() {
    hang_the_reporter(LeakDetector::global());
}

fn has_a_sink_that_hangs_and_a_guard() {
    let _guard = leaktrail::guard();
    hang_the_reporter(LeakDetector::global());
}

fn has_a_sink_that_hangs_and_drops_its_detector() {
    hang_the_reporter(&LeakDetector::new(Config::new()));
}

fn has_threads_that_go_on() {
    log_to_stdout(LevelFilter::Info);
    let (started, has_started) = mpsc::channel();
    for _ in 0..4 {
        let started = started.clone();
        thread::spawn(move || {
            for round in 0_u64.. {
                let busy = LeakDetector::global().resource("Busy").track(round);
                if round % 3 == 0 {
                    drop(busy)
                } else {
                    let _ = Tracked::release(busy);
                }
                if round == 100 {
                    let _ = started.send(());
                }
            }
        });
    }
    for _ in 0..4 {
        has_started.recv().expect("the threads run");
    }
}
