//! Reports arrive whatever the program logs with, and whatever the logger does.

use std::io::Write;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, OnceLock, mpsc};
use std::thread;
use std::time::Duration;

use leaktrail::{LeakDetector, Tracked, track};
use log::{LevelFilter, Log, Metadata, Record};

use crate::process::{Named, Permit, log_to_stdout};

pub(crate) const TESTS: &[Named] = named![
    env_logger_as_it_comes,
    tracing_through_tracing_log_with_a_guard,
    tracing_through_tracing_log_without_a_guard,
    a_slow_appender_gets_every_line_before_the_process_ends,
    a_logger_that_comes_late_gets_what_comes_after_it,
    a_logger_that_panics_harms_nobody,
    a_logger_that_panics_at_once_harms_nobody,
    a_logger_that_loses_handles_is_counted_and_ends,
];

pub(crate) const PROGRAMS: &[Named] = named![
    has_env_logger,
    has_tracing_and_a_guard,
    has_tracing,
    has_a_slow_appender,
    installs_a_logger_late,
    has_a_logger_that_panics,
    has_a_logger_that_panics_at_once,
    has_a_logger_that_loses,
];

fn env_logger_as_it_comes() {
    // It shows errors when nobody asks for more, so the line of a clean exit would not be seen, and that is its user's wish.
    let ended = program!(has_env_logger).run().with_status(0);
    ended.stderr_has(1, "[ERROR leaktrail] LEAK: Permit.release() was not called");
    ended.stderr_has(1, "[ERROR leaktrail] LEAK: summary at exit: 1 of 1 lost at 1 site");
    assert_eq!(ended.stdout, "", "{ended}");
}

fn tracing_through_tracing_log_with_a_guard() {
    let ended = program!(has_tracing_and_a_guard).run().with_status(0);
    ended.log_has(1, "LEAK: Permit.release() was not called");
    ended.log_has(1, "LEAK: summary at exit: 1 of 1 lost at 1 site");
    assert!(ended.stdout.lines().any(|line| line.contains("ERROR") && line.contains("LEAK: summary")), "{ended}");
    assert_eq!(ended.stderr, "", "{ended}");
}

fn tracing_through_tracing_log_without_a_guard() {
    // Its thread-locals are gone when the exit handler runs; to call it then is to panic.
    let ended = program!(has_tracing).run().with_status(0);
    ended.has(1, "LEAK: Permit.release() was not called");
    ended.stderr_has(1, "ERROR leaktrail: LEAK: summary at exit: 1 of 1 lost at 1 site");
    ended.log_has(0, "summary at exit");
    ended.has(0, "panicked");
}

fn a_slow_appender_gets_every_line_before_the_process_ends() {
    let ended = program!(has_a_slow_appender).run().with_status(0);
    for name in NAMES {
        ended.log_has(1, &format!("LEAK: {name}.release() was not called"));
        ended.log_has(1, &format!("LEAK: 1 lost, 0 B, {name} created "));
    }
    ended.log_has(1, "LEAK: summary at exit: 8 of 8 lost at 8 sites");
    assert_eq!(ended.stderr, "", "{ended}");
}

fn a_logger_that_comes_late_gets_what_comes_after_it() {
    let ended = program!(installs_a_logger_late).run().with_status(0);
    // Before there was one nobody had asked for lines; the count is not lost with the line.
    ended.has(0, "LEAK: A.release() was not called");
    ended.log_has(1, "LEAK: B.release() was not called");
    ended.log_has(1, "LEAK: summary at exit: 2 of 2 lost at 2 sites");
    assert_eq!(ended.stderr, "", "{ended}");
}

fn a_logger_that_panics_harms_nobody() {
    let ended = program!(has_a_logger_that_panics).run().with_status(0);
    // It panicked once and is not called again; the report that it was given is not lost.
    ended.stderr_has(1, "WARN leaktrail: the logger panicked and is not called again");
    ended.stderr_has(1, "ERROR leaktrail: LEAK: A.release() was not called");
    ended.stderr_has(1, "ERROR leaktrail: LEAK: B.release() was not called");
    ended.stderr_has(1, "ERROR leaktrail: LEAK: summary at exit: 2 of 2 lost at 2 sites");
    assert_eq!(ended.stderr.matches("the logger is broken").count(), 1, "{ended}");
    assert_eq!(ended.stdout, "the subscriber got A\nthe subscriber got B\n", "{ended}");
}

fn a_logger_that_panics_at_once_harms_nobody() {
    // The first thing that it is called for is the echo of the settings, on the thread that tracks first.
    for (variable, value) in [("LEAK_DETECTION_LEVEL", "simple"), ("LEAK_DETECTION_LEVEL", "bogus")] {
        let ended = program!(has_a_logger_that_panics_at_once).env(variable, value).run().with_status(0);
        ended.has(1, "LEAK: Permit.release() was not called");
        ended.has(usize::from(value == "bogus"), "LEAK_DETECTION_LEVEL=\"bogus\" is not understood");
        ended.stderr_has(1, "ERROR leaktrail: LEAK: summary at exit: 1 of 1 lost at 1 site");
    }
}

fn a_logger_that_loses_handles_is_counted_and_ends() {
    let ended = program!(has_a_logger_that_loses).run().with_status(0);
    ended.log_has(1, "LEAK: Permit.release() was not called");
    let told = ended.stdout.lines().filter(|line| line.starts_with("LEAK: Line.release() was not called")).count();
    assert!((1..=9).contains(&told), "the first, and each new way to it up to eight\n{ended}");
    // As many as it wrote, and that is not many: its own losses do not feed each other.
    let written = ended.stdout.lines().find_map(|line| line.strip_prefix("written: ")).unwrap_or_default();
    let (written, lost) = written.split_once(", lost: ").unwrap_or_else(|| panic!("{ended}"));
    assert_eq!(written, lost, "{ended}");
    assert!(written.parse::<u64>().is_ok_and(|written| (2..50).contains(&written)), "{ended}");
}

fn has_env_logger() {
    env_logger::init();
    let _guard = leaktrail::guard();
    drop(track(Permit));
}

fn install_tracing() {
    tracing_log::LogTracer::init().expect("no logger is installed");
    let subscriber = tracing_subscriber::fmt().with_writer(std::io::stdout).finish();
    tracing::subscriber::set_global_default(subscriber).expect("no subscriber is installed");
}

fn has_tracing_and_a_guard() {
    install_tracing();
    let _guard = leaktrail::guard();
    drop(track(Permit));
}

fn has_tracing() {
    install_tracing();
    drop(track(Permit));
}

/// More reports than the appender has written when `main` is at its end.
const NAMES: [&str; 8] = ["A", "B", "C", "D", "E", "F", "G", "H"];

/// A logger that hands lines to a thread, as `tracing-appender` does, with a thread that takes its time.
struct SlowAppender {
    lines: mpsc::Sender<Option<String>>,
}

impl Log for SlowAppender {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn log(&self, record: &Record<'_>) {
        let _ = self.lines.send(Some(record.args().to_string()));
    }

    fn flush(&self) {}
}

/// Waits, when it is dropped, until the appender has written what it was given.
struct WorkerGuard {
    lines: mpsc::Sender<Option<String>>,
    worker: Option<thread::JoinHandle<()>>,
}

impl Drop for WorkerGuard {
    fn drop(&mut self) {
        let _ = self.lines.send(None);
        self.worker.take().map(thread::JoinHandle::join);
    }
}

fn has_a_slow_appender() {
    let (lines, queue) = mpsc::channel::<Option<String>>();
    let worker = thread::spawn(move || {
        while let Ok(Some(line)) = queue.recv() {
            // What makes it slow; nothing waits for a time to pass.
            thread::sleep(Duration::from_millis(5));
            println!("{line}");
        }
    });
    log::set_boxed_logger(Box::new(SlowAppender { lines: lines.clone() })).expect("no logger is installed");
    log::set_max_level(LevelFilter::Info);
    // Dropped last: the summary is in the appender's hands before.
    let _worker_guard = WorkerGuard { lines, worker: Some(worker) };
    let _guard = leaktrail::guard();
    for name in NAMES {
        drop(LeakDetector::global().resource(name).track(Permit));
    }
}

fn installs_a_logger_late() {
    let _guard = leaktrail::guard();
    let detector = LeakDetector::global();
    drop(detector.resource("A").track(1));
    detector.flush();
    log_to_stdout(LevelFilter::Info);
    drop(detector.resource("B").track(2));
}

/// Panics when it is given a record, from a word on.
struct PanickingLogger {
    from: &'static str,
    panics: AtomicBool,
}

impl Log for PanickingLogger {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn log(&self, record: &Record<'_>) {
        if record.args().to_string().contains(self.from) {
            self.panics.store(true, Ordering::Relaxed);
        }
        assert!(!self.panics.load(Ordering::Relaxed), "the logger is broken");
    }

    fn flush(&self) {}
}

fn install_panicking(from: &'static str) {
    let logger = PanickingLogger { from, panics: AtomicBool::new(false) };
    log::set_boxed_logger(Box::new(logger)).expect("no logger is installed");
    log::set_max_level(LevelFilter::Trace);
}

fn has_a_logger_that_panics() {
    install_panicking("LEAK: ");
    let _guard = leaktrail::guard();
    let detector = LeakDetector::global();
    let _subscription = detector.subscribe(|report| println!("the subscriber got {}", report.resource()));
    for lose in
        [|| drop(LeakDetector::global().resource("A").track(1)), || drop(LeakDetector::global().resource("B").track(2))]
    {
        lose();
        detector.flush();
    }
}

fn has_a_logger_that_panics_at_once() {
    install_panicking("");
    let _guard = leaktrail::guard();
    drop(track(Permit));
}

/// A logger that checks out a buffer for each line, writes, and forgets to give it back.
#[derive(Default)]
struct LosingLogger {
    written: AtomicU64,
    out: Mutex<()>,
}

impl Log for LosingLogger {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn log(&self, record: &Record<'_>) {
        let line = LeakDetector::global().resource("Line").track(record.args().to_string());
        let _out = self.out.lock().expect("nobody panics with it");
        writeln!(std::io::stdout(), "{}", *line).expect("somebody reads");
        self.written.fetch_add(1, Ordering::Relaxed);
    }

    fn flush(&self) {}
}

fn has_a_logger_that_loses() {
    static LOGGER: OnceLock<LosingLogger> = OnceLock::new();
    let logger = LOGGER.get_or_init(LosingLogger::default);
    log::set_logger(logger).expect("no logger is installed");
    log::set_max_level(LevelFilter::Info);
    let detector = LeakDetector::global();
    drop(track(Permit));
    for _ in 0..5 {
        detector.flush();
    }
    Tracked::release(track(Permit));
    let sites = detector.snapshot();
    let lost = sites.sites().iter().filter(|site| site.resource() == "Line").map(leaktrail::SiteStats::leaked);
    let lost: u64 = lost.sum();
    println!("written: {}, lost: {lost}", logger.written.load(Ordering::Relaxed));
}
