//! However a process ends, what was lost is told and the summary is there, once: by the log while a guard is dropped, on
//! file descriptor 2 when there is none.

use std::cell::RefCell;
use std::process;
use std::thread;

use leaktrail::{Config, LeakDetector, Level, Tracked, track};
use log::LevelFilter;

use crate::process::{Ended, Named, Permit, log_to_stdout};

pub(crate) const TESTS: &[Named] = named![
    main_returns_and_a_guard_tells_the_log,
    main_returns_and_the_exit_handler_tells_file_descriptor_2,
    a_clean_exit_is_one_line,
    what_is_alive_at_exit_is_no_error,
    what_is_lost_after_the_guard_is_told_and_the_summary_is_corrected,
    exit_from_main,
    a_panic_in_main_with_a_guard,
    a_panic_in_main_without_a_guard,
    thread_locals_of_the_main_thread,
    nothing_counted_is_nothing_said,
    the_losses_of_every_detector_are_told_and_the_balance_of_the_global_one,
];

pub(crate) const PROGRAMS: &[Named] = named![
    guarded,
    unguarded,
    unguarded_and_clean,
    unguarded_and_alive,
    outlives_its_guard,
    exits_in_main,
    panics_with_a_guard,
    panics_without_a_guard,
    loses_in_thread_locals_of_main,
    counts_nothing,
    loses_on_a_detector_of_its_own,
];

/// Each line that tells something begins with its level on standard error, and so does nothing else.
#[track_caller]
fn assert_levels(ended: &Ended) {
    for line in ended.stderr.lines() {
        let tells = ["LEAK:", "LIVE:", "REFUSED:", "clean at exit"].iter().any(|words| line.contains(words));
        let has_level = ["ERROR", "WARN", "INFO"].iter().any(|level| line.starts_with(&format!("{level} leaktrail: ")));
        assert_eq!(tells, has_level, "{line}\n{ended}");
    }
}

fn main_returns_and_a_guard_tells_the_log() {
    let ended = program!(guarded).run().with_status(0);
    ended.log_has(1, "ERROR leaktrail] LEAK: Permit.release() was not called before it was dropped. created tests/");
    ended.log_has(1, "ERROR leaktrail] LEAK: summary at exit: 2 of 3 lost at 1 site, 0 B; 0 live; level SIMPLE, up ");
    ended.log_has(1, "ERROR leaktrail] LEAK: 2 lost, 0 B, Permit created tests/programs/exit.rs:");
    assert_eq!(ended.stderr, "", "{ended}");
}

fn main_returns_and_the_exit_handler_tells_file_descriptor_2() {
    let ended = program!(unguarded).run().with_status(0);
    // Whether the reporter came to it before the end is a race that nobody has to win.
    ended.has(1, "LEAK: Permit.release() was not called");
    ended
        .stderr_has(1, "ERROR leaktrail: LEAK: summary at exit: 2 of 3 lost at 1 site, 0 B; 0 live; level SIMPLE, up ");
    ended.stderr_has(1, "ERROR leaktrail: LEAK: 2 lost, 0 B, Permit created tests/programs/exit.rs:");
    ended.log_has(0, "summary");
    assert_levels(&ended);
}

fn a_clean_exit_is_one_line() {
    let ended = program!(unguarded_and_clean).run().with_status(0);
    assert_eq!(ended.stderr, "INFO leaktrail: clean at exit: 3 created, all released, level SIMPLE\n", "{ended}");
    assert_eq!(ended.stdout, "", "{ended}");
}

fn what_is_alive_at_exit_is_no_error() {
    let ended = program!(unguarded_and_alive).run().with_status(0);
    ended.stderr_has(1, "WARN leaktrail: LIVE: summary at exit: 2 of 3 live at 1 site, 0 B; level SIMPLE, up ");
    ended.stderr_has(1, "WARN leaktrail: LIVE: 2 live, 0 B, Permit created tests/programs/exit.rs:");
    assert_eq!(ended.stderr.lines().count(), 2, "{ended}");
    assert_eq!(ended.stdout, "", "{ended}");
}

fn what_is_lost_after_the_guard_is_told_and_the_summary_is_corrected() {
    let ended = program!(outlives_its_guard).run().with_status(0);
    ended.log_has(1, "WARN  leaktrail] LIVE: summary at exit: 1 of 1 live at 1 site");
    ended.has(1, "LEAK: Permit.release() was not called");
    ended.stderr_has(1, "ERROR leaktrail: LEAK: summary at exit: 1 of 1 lost at 1 site");
    ended.has(2, "summary at exit");
    assert_levels(&ended);
}

fn exit_from_main() {
    let ended = program!(exits_in_main).run().with_status(7);
    ended.has(1, "LEAK: Permit.release() was not called");
    ended.stderr_has(1, "ERROR leaktrail: LEAK: summary at exit: 2 of 4 lost at 1 site, 0 B; 1 live; ");
    ended.has(1, "summary at exit");
    assert_levels(&ended);
}

fn a_panic_in_main_with_a_guard() {
    let ended = program!(panics_with_a_guard).run().with_status(101);
    // Lost while unwinding: a warning, since the panic is the story.
    ended.log_has(1, "WARN  leaktrail] LEAK: Permit.release() was not called");
    ended.log_has(1, "thread main, unwinding)");
    ended.log_has(1, "ERROR leaktrail] LEAK: summary at exit: 1 of 1 lost at 1 site");
    ended.has(1, "summary at exit");
    assert_eq!(ended.stderr.matches("panicked").count(), 1, "{ended}");
}

fn a_panic_in_main_without_a_guard() {
    let ended = program!(panics_without_a_guard).run().with_status(101);
    ended.has(1, "LEAK: Permit.release() was not called");
    ended.stderr_has(1, "ERROR leaktrail: LEAK: summary at exit: 1 of 1 lost at 1 site");
    ended.has(1, "summary at exit");
    assert_eq!(ended.stderr.matches("panicked").count(), 1, "{ended}");
}

fn thread_locals_of_the_main_thread() {
    for level in ["simple", "paranoid"] {
        let ended = program!(loses_in_thread_locals_of_main).env("LEAK_DETECTION_LEVEL", level).run().with_status(0);
        // The guard saw the handle alive; its end comes when the loggers' thread-locals may be gone.
        ended.log_has(1, "LIVE: summary at exit: 1 of 1 live");
        ended.has(1, "LEAK: Permit.release() was not called");
        ended.has(1, "LEAK: Late.release() was not called");
        ended.stderr_has(1, "ERROR leaktrail: LEAK: summary at exit: 2 of 2 lost at 2 sites");
        ended.has(0, "panicked");
        assert_levels(&ended);
    }
}

fn nothing_counted_is_nothing_said() {
    let ended = program!(counts_nothing).env("LEAK_DETECTION_LEVEL", "disabled").run().with_status(0);
    assert_eq!((ended.stdout.as_str(), ended.stderr.as_str()), ("", ""), "{ended}");
}

fn the_losses_of_every_detector_are_told_and_the_balance_of_the_global_one() {
    let ended = program!(loses_on_a_detector_of_its_own).run().with_status(0);
    ended.has(1, "LEAK: Permit.release() was not called");
    ended.stderr_has(1, "INFO leaktrail: clean at exit: 1 created, all released, level SIMPLE");
    ended.has(0, "summary at exit");
}

/// One site, three handles, two of them lost.
fn lose_two_of_three() {
    let mut permits: Vec<_> = (0..3).map(|_| track(Permit)).collect();
    let kept = permits.pop().expect("there are three");
    drop(permits);
    Tracked::release(kept);
}

fn guarded() {
    log_to_stdout(LevelFilter::Info);
    let _guard = leaktrail::guard();
    lose_two_of_three();
}

fn unguarded() {
    log_to_stdout(LevelFilter::Info);
    lose_two_of_three();
}

fn unguarded_and_clean() {
    log_to_stdout(LevelFilter::Info);
    for _ in 0..3 {
        Tracked::release(track(Permit));
    }
}

fn unguarded_and_alive() {
    log_to_stdout(LevelFilter::Info);
    let mut permits: Vec<_> = (0..3).map(|_| track(Permit)).collect();
    permits.pop().map(Tracked::release).expect("there are three");
    std::mem::forget(permits);
}

fn outlives_its_guard() {
    log_to_stdout(LevelFilter::Info);
    let _permit = track(Permit);
    let _guard = leaktrail::guard();
}

fn exits_in_main() {
    log_to_stdout(LevelFilter::Info);
    let _guard = leaktrail::guard();
    let _alive = track(Permit);
    lose_two_of_three();
    process::exit(7);
}

fn panics_with_a_guard() {
    log_to_stdout(LevelFilter::Info);
    // Of the others the drop is not recorded, and so no "unwinding" beside the thread's name.
    LeakDetector::global().set_level(Level::Paranoid);
    let _guard = leaktrail::guard();
    let _permit = track(Permit);
    panic!("main has had enough");
}

fn panics_without_a_guard() {
    log_to_stdout(LevelFilter::Info);
    let _permit = track(Permit);
    panic!("main has had enough");
}

/// Tracks one more when it is dropped, and loses it there.
struct Late;

impl Drop for Late {
    fn drop(&mut self) {
        drop(LeakDetector::global().resource("Late").track(7));
    }
}

fn loses_in_thread_locals_of_main() {
    thread_local! {
        static KEPT: RefCell<Option<(Tracked<Permit>, Late)>> = const { RefCell::new(None) };
    }
    log_to_stdout(LevelFilter::Info);
    let _guard = leaktrail::guard();
    KEPT.set(Some((track(Permit), Late)));
}

fn counts_nothing() {
    log_to_stdout(LevelFilter::Info);
    let _guard = leaktrail::guard();
    drop(track(Permit));
    assert_eq!(thread::spawn(|| drop(track(Permit))).join().ok(), Some(()));
}

fn loses_on_a_detector_of_its_own() {
    log_to_stdout(LevelFilter::Info);
    Tracked::release(track(Permit));
    let detector = LeakDetector::new(Config::new());
    drop(detector.track(Permit));
}
