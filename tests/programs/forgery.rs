//! Names and hints come from outside. In no log, by no way, do they make a line that looks like one of ours, or reach a terminal
//! as anything but text.

use std::sync::Arc;
use std::thread;

use leaktrail::{Hint, LeakDetector, Level, Tracked};
use log::LevelFilter;

use crate::process::{Ended, Named, log_to_stdout};

pub(crate) const TESTS: &[Named] = named![
    nothing_is_forged_in_a_log,
    nothing_is_forged_in_a_log_of_tracing,
    nothing_is_forged_on_standard_error,
    nothing_is_forged_by_the_exit_handler,
    hints_are_cut,
];

pub(crate) const PROGRAMS: &[Named] = named![
    forges_in_a_log,
    forges_in_a_log_of_tracing,
    forges_on_standard_error,
    forges_on_the_way_out,
    has_a_long_hint,
];

/// A line that would be taken for ours if it ever stood alone, after what could begin a new one or hide the last.
const FORGED: &str = "x\nLEAK: forged\r\n[ERROR leaktrail] LEAK: forged\rERROR leaktrail: LEAK: forged\u{1b}[2J\u{1b}[31m\
                      LIVE: forged\u{2028}REFUSED: forged\u{85}leaktrail: clean at exit: forged\u{202e}\u{9b}2J\t\u{7f}";

/// The line of the report, that of the cause in the summary, and the summary itself; no more, whatever the names say.
#[track_caller]
fn assert_nothing_forged(ended: &Ended) {
    let lines: Vec<&str> = ended.lines().collect();
    let ours = |words: &str| lines.iter().filter(|line| line.contains(words)).count();
    assert_eq!(ours("LEAK: "), 3, "{ended}");
    assert_eq!(ours("LIVE: ") + ours("REFUSED: ") + ours("leaktrail: clean"), 0, "{ended}");
    // Escaped, it is in one piece on the line where it belongs.
    let escaped =
        r"x\nLEAK\u{3a} forged\r\n[ERROR leaktrail] LEAK\u{3a} forged\rERROR leaktrail\u{3a} LEAK\u{3a} forged";
    let with_hint =
        lines.iter().filter(|line| line.trim_start().starts_with("Hint: ") && line.contains(escaped)).count();
    assert_eq!(with_hint, 3, "{ended}");
    assert_eq!(ours(&format!("LEAK: {escaped}")), 1, "{ended}");
    assert!(ours(&format!(", thread {escaped}")) >= 1, "{ended}");
    for (number, line) in lines.iter().enumerate() {
        assert!(!line.starts_with("LEAK: forged") && !line.starts_with("[ERROR leaktrail] LEAK: forged"), "{ended}");
        let control = line.chars().find(|c| (c.is_control() && *c != '\t') || "\u{2028}\u{202e}".contains(*c));
        assert_eq!(control, None, "line {number}: {line:?}");
    }
}

fn nothing_is_forged_in_a_log() {
    assert_nothing_forged(&program!(forges_in_a_log).run().with_status(0));
}

fn nothing_is_forged_in_a_log_of_tracing() {
    assert_nothing_forged(&program!(forges_in_a_log_of_tracing).run().with_status(0));
}

fn nothing_is_forged_on_standard_error() {
    let program = program!(forges_on_standard_error).env("LEAK_DETECTION_REPORT", "stderr");
    assert_nothing_forged(&program.run().with_status(0));
}

fn nothing_is_forged_by_the_exit_handler() {
    let program = program!(forges_on_the_way_out).env("LEAK_DETECTION_REPORT", "stderr");
    assert_nothing_forged(&program.run().with_status(0));
}

fn hints_are_cut() {
    let ended = program!(has_a_long_hint).run().with_status(0);
    let hint = ended.stdout.lines().find_map(|line| line.trim_start().strip_prefix("Hint: "));
    let hint = hint.unwrap_or_else(|| panic!("{ended}"));
    assert!(hint.starts_with("lots and lots and ") && hint.ends_with('…') && hint.len() <= 256, "{hint}");
}

/// Loses a handle whose every text says something else than it should.
fn lose() {
    let detector = LeakDetector::global();
    detector.set_level(Level::Paranoid);
    let lose = || {
        let handle = detector.resource(FORGED).track(1);
        Tracked::touch_with(&handle, FORGED);
        Tracked::touch_with(&handle, Arc::<str>::from(FORGED));
        Tracked::touch_with(&handle, Hint::lazy(|| FORGED.to_owned()));
    };
    let thread = thread::Builder::new().name(FORGED.to_owned()).spawn(lose).expect("a thread may be called so");
    thread.join().expect("it does not panic");
    detector.flush();
}

fn forges_in_a_log() {
    log_to_stdout(LevelFilter::Trace);
    let _guard = leaktrail::guard();
    lose();
}

fn forges_in_a_log_of_tracing() {
    tracing_log::LogTracer::init().expect("no logger is installed");
    let subscriber = tracing_subscriber::fmt().with_ansi(false).with_writer(std::io::stdout).finish();
    tracing::subscriber::set_global_default(subscriber).expect("no subscriber is installed");
    let _guard = leaktrail::guard();
    lose();
}

fn forges_on_standard_error() {
    let _guard = leaktrail::guard();
    lose();
}

fn forges_on_the_way_out() {
    lose();
}

fn has_a_long_hint() {
    log_to_stdout(LevelFilter::Info);
    let _guard = leaktrail::guard();
    let detector = LeakDetector::global();
    detector.set_level(Level::Paranoid);
    let handle = detector.resource("Talkative").track(1);
    Tracked::touch_with(&handle, "lots and ".repeat(100_000));
}
