//! The level changes while a program runs: for a time, and by the control file.

use std::fs;
use std::path::PathBuf;
use std::thread;
use std::time::{Duration, Instant};

use leaktrail::{LeakDetector, Level, Tracked, track};
use log::LevelFilter;

use crate::process::{Folder, Named, Permit, log_to_stdout};

pub(crate) const TESTS: &[Named] = named![
    the_control_file_changes_the_level_and_back,
    a_control_file_that_says_nothing_sensible_is_told_and_the_program_goes_on,
    a_level_for_a_time_ends_by_itself,
    #[cfg(unix)]
    a_forked_child_ends_the_level_that_it_inherits,
];

pub(crate) const PROGRAMS: &[Named] = named![
    waits_for_the_control_file,
    loses_with_a_logger,
    sets_a_level_for_a_time,
    #[cfg(unix)]
    forks_amid_a_level_for_a_time,
];

const CONTROL: &str = "LEAK_DETECTION_CONTROL_FILE";

fn the_control_file_changes_the_level_and_back() {
    let folder = Folder::new("control");
    let file = folder.path("level");
    let ended = program!(waits_for_the_control_file)
        .env(CONTROL, &file)
        .env("LEAK_DETECTION_LEVEL", "disabled")
        .run()
        .with_status(0);
    ended.log_has(1, "[INFO  leaktrail] level PARANOID for 10 min, as the control file says; then DISABLED again");
    ended.log_has(1, "[INFO  leaktrail] level DISABLED again");
}

fn a_control_file_that_says_nothing_sensible_is_told_and_the_program_goes_on() {
    let folder = Folder::new("bad-control");
    let file = folder.path("level");
    fs::write(&file, "loud\nERROR leaktrail: LEAK: forged").expect("the folder is there");
    let ended = program!(loses_with_a_logger).env(CONTROL, &file).run().with_status(0);
    ended.log_has(1, "[WARN  leaktrail] the control file \"");
    ended.log_has(1, r#" says "loud\nERROR leaktrail: LEAK: forged", which is not understood"#);
    assert!(!ended.lines().any(|line| line.starts_with("ERROR leaktrail: LEAK: forged")), "{ended}");
    ended.log_has(1, "LEAK: Permit.release() was not called");
}

fn a_level_for_a_time_ends_by_itself() {
    let ended = program!(sets_a_level_for_a_time).run().with_status(0);
    ended.log_has(1, "[INFO  leaktrail] level PARANOID for 50 ms; then SIMPLE again");
    ended.log_has(1, "[INFO  leaktrail] level SIMPLE again");
}

#[cfg(unix)]
fn a_forked_child_ends_the_level_that_it_inherits() {
    program!(forks_amid_a_level_for_a_time).run().with_status(0);
}

/// Waits until it is so; far longer than any promise of ours.
#[track_caller]
fn wait_until(what: &str, is_so: impl Fn() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(60);
    while !is_so() {
        assert!(Instant::now() < deadline, "{what} did not come");
        thread::sleep(Duration::from_millis(5));
    }
}

fn waits_for_the_control_file() {
    log_to_stdout(LevelFilter::Info);
    let _guard = leaktrail::guard();
    #[allow(clippy::disallowed_methods, reason = "the program is told by its test where the file is")]
    let file = PathBuf::from(std::env::var_os(CONTROL).expect("it is set"));
    let detector = LeakDetector::global();
    assert_eq!(detector.level(), Level::Disabled);
    fs::write(&file, "paranoid 10m\n").expect("the folder is there");
    wait_until("PARANOID", || detector.level() == Level::Paranoid);
    Tracked::release(track(Permit));
    assert_eq!(detector.snapshot().created(), 1);
    fs::remove_file(&file).expect("it is there");
    wait_until("DISABLED", || detector.level() == Level::Disabled);
}

fn sets_a_level_for_a_time() {
    log_to_stdout(LevelFilter::Info);
    let _guard = leaktrail::guard();
    let detector = LeakDetector::global();
    detector.set_level_for(Level::Paranoid, Duration::from_millis(50));
    // A snapshot only looks: it is the reporter that ends it.
    wait_until("the end", || detector.snapshot().level() == Level::Simple);
}

fn loses_with_a_logger() {
    log_to_stdout(LevelFilter::Info);
    let _guard = leaktrail::guard();
    drop(track(Permit));
}

#[cfg(unix)]
fn forks_amid_a_level_for_a_time() {
    let detector = LeakDetector::new(leaktrail::Config::new());
    detector.set_level_for(Level::Paranoid, Duration::from_millis(300));
    let child = crate::fork::Child::fork(|| {
        Tracked::release(detector.track(Permit));
        wait_until("the end in the child", || detector.snapshot().level() == Level::Simple);
    });
    child.end();
}
