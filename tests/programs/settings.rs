//! Every setting is echoed once with where it came from, and a mistake in one is told once and stops nothing.

use std::ffi::OsStr;
use std::thread;

use leaktrail::testing::LeakScope;
use leaktrail::{AlreadyInstalled, Config, DirectMemory, LeakDetector, Level, Tracked, track};
use log::LevelFilter;

use crate::process::{Ended, Named, Permit, log_to_stdout};

pub(crate) const TESTS: &[Named] = named![
    a_bad_value_is_one_warning_on_the_log_that_shows_it,
    a_bad_value_is_one_warning_on_standard_error_where_no_logger_shows_it,
    a_bad_value_is_told_even_when_reports_are_off,
    several_bad_values_are_one_warning_each,
    a_bad_value_is_told_without_the_global_detector,
    a_bad_value_cannot_forge_a_line,
    settings_are_echoed_once_with_where_they_came_from,
    the_environment_wins_over_what_was_installed,
    the_global_detector_is_installed_once,
    a_level_changes_from_one_handle_to_the_next,
];

pub(crate) const PROGRAMS: &[Named] = named![
    uses_the_global_detector,
    uses_it_without_a_logger,
    uses_it_with_a_logger_that_shows_errors,
    uses_it_with_a_logger_that_shows_debug,
    makes_a_budget_alone,
    makes_scopes_alone,
    proves_itself_and_makes_a_budget,
    installs_a_configuration,
    installs_twice,
    changes_the_level,
];

const NINES: &str = "99999999999999999999";

/// What no variable but those named accepts.
const BAD: [&str; 5] = ["bogus", "-1", "0", NINES, ""];

/// Each variable with what of [`BAD`] it accepts after all, and what is used when it does not.
const VARIABLES: [(&str, &[&str], &str); 11] = [
    ("LEAK_DETECTION_LEVEL", &["0"], "SIMPLE"),
    ("LEAK_DETECTION_SAMPLING_INTERVAL", &[], "128"),
    ("LEAK_DETECTION_TARGET_RECORDS", &["0"], "4"),
    ("LEAK_DETECTION_MAX_FRAMES", &[], "32"),
    ("LEAK_DETECTION_MAX_DIRECT_MEMORY", &["-1", "0"], "-1"),
    ("LEAK_DETECTION_REPORT", &[], "auto"),
    ("LEAK_DETECTION_HELD_TOO_LONG", &[], "off"),
    ("LEAK_DETECTION_WALKER", &[], "auto"),
    ("LEAK_DETECTION_REPORT_FILE", &[], "off"),
    ("LEAK_DETECTION_SYMBOLS", &[], "on"),
    ("LEAK_DETECTION_CONTROL_FILE", &[], "off"),
];

/// Every bad value of every variable, what a warning shows of it, and what is used.
fn bad_values() -> impl Iterator<Item = (&'static str, &'static OsStr, String, &'static str)> {
    let of_one = |(name, accepted, used): (&'static str, &'static [&'static str], &'static str)| {
        let texts = BAD.iter().filter(move |value| !accepted.contains(value));
        let texts = texts.map(move |&value| (name, OsStr::new(value), value.to_owned(), used));
        texts.chain(not_utf_8().map(move |value| (name, value, r"caf\xE9".to_owned(), used)))
    };
    VARIABLES.into_iter().flat_map(of_one)
}

/// A word in Latin-1, where the system lets a variable hold that.
fn not_utf_8() -> Option<&'static OsStr> {
    #[cfg(unix)]
    return Some(std::os::unix::ffi::OsStrExt::from_bytes(b"caf\xE9"));
    #[cfg(not(unix))]
    None
}

#[track_caller]
fn assert_one_warning(ended: &Ended, (name, shown, used): (&str, &str, &str), warning: &str) {
    let text = format!("{warning}{name}=\"{shown}\" is not understood: accepted are ");
    let mut lines = ended.lines().filter(|line| line.starts_with(&text));
    assert!(lines.next().is_some_and(|line| line.ends_with(&format!("; {used} is used"))), "{text}\n{ended}");
    ended.has(1, "is not understood");
    // The program has gone on.
    assert_eq!(ended.status, Some(0), "{ended}");
    ended.has(1, "the program is at its end: 1 created, 1 released");
}

fn a_bad_value_is_one_warning_on_the_log_that_shows_it() {
    for (name, value, shown, used) in bad_values() {
        let ended = program!(uses_the_global_detector).env(name, value).run();
        assert_one_warning(&ended, (name, &shown, used), "[WARN  leaktrail] ");
        assert_eq!(ended.stderr, "", "{ended}");
    }
}

fn a_bad_value_is_one_warning_on_standard_error_where_no_logger_shows_it() {
    for (name, value, shown, used) in bad_values() {
        let ended = program!(uses_it_without_a_logger).env(name, value).run();
        assert_one_warning(&ended, (name, &shown, used), "WARN leaktrail: ");
    }
    let ended = program!(uses_it_with_a_logger_that_shows_errors).env("LEAK_DETECTION_LEVEL", "bogus").run();
    assert_one_warning(&ended, ("LEAK_DETECTION_LEVEL", "bogus", "SIMPLE"), "WARN leaktrail: ");
    ended.log_has(0, "is not understood");
}

fn a_bad_value_is_told_even_when_reports_are_off() {
    let bad = program!(uses_it_without_a_logger).env("LEAK_DETECTION_LEVEL", "bogus");
    let ended = bad.env("LEAK_DETECTION_REPORT", "off").run();
    assert_one_warning(&ended, ("LEAK_DETECTION_LEVEL", "bogus", "SIMPLE"), "WARN leaktrail: ");
    ended.has(0, "clean at exit");
}

fn several_bad_values_are_one_warning_each() {
    let all = program!(uses_the_global_detector)
        .env("LEAK_DETECTION_LEVEL", "loud")
        .env("LEAK_DETECTION_SAMPLING_INTERVAL", "0")
        .env("LEAK_DETECTION_MAX_FRAMES", "129")
        .env("LEAK_DETECTION_LEVLE", "paranoid");
    let ended = all.run().with_status(0);
    ended.log_has(1, "LEAK_DETECTION_LEVEL=\"loud\" is not understood");
    ended.log_has(1, "LEAK_DETECTION_SAMPLING_INTERVAL=\"0\" is not understood");
    ended.log_has(1, "LEAK_DETECTION_MAX_FRAMES=\"129\" is not understood");
    ended.log_has(1, "LEAK_DETECTION_LEVLE is unknown to this version and ignored; the nearest known name is LEAK_");
    ended.log_has(4, "WARN  leaktrail]");
}

fn a_bad_value_is_told_without_the_global_detector() {
    let budget = program!(makes_a_budget_alone);
    let ended = budget.env("LEAK_DETECTION_MAX_DIRECT_MEMORY", "lots").run().with_status(0);
    ended.has(1, "WARN leaktrail: LEAK_DETECTION_MAX_DIRECT_MEMORY=\"lots\" is not understood");
    let ended = program!(makes_a_budget_alone).env("LEAK_DETECTION_MAX_DIRECT_MEM", "64k").run().with_status(0);
    ended.has(1, "WARN leaktrail: LEAK_DETECTION_MAX_DIRECT_MEM is unknown to this version");
    // What a budget does not use is told by who does.
    let ended = program!(makes_a_budget_alone).env("LEAK_DETECTION_LEVEL", "loud").run().with_status(0);
    ended.has(0, "is not understood");
    for program in [program!(makes_scopes_alone), program!(proves_itself_and_makes_a_budget)] {
        let ended = program.env("LEAK_DETECTION_MAX_DIRECT_MEMORY", "lots").run().with_status(0);
        ended.has(1, "WARN leaktrail: LEAK_DETECTION_MAX_DIRECT_MEMORY=\"lots\" is not understood");
        ended.has(1, "is not understood");
    }
}

fn a_bad_value_cannot_forge_a_line() {
    let forged = "x\nERROR leaktrail: LEAK: forged\u{1b}[2J";
    for program in [program!(uses_the_global_detector), program!(uses_it_without_a_logger)] {
        let ended = program.env("LEAK_DETECTION_LEVEL", forged).run().with_status(0);
        ended.has(1, r#"LEAK_DETECTION_LEVEL="x\nERROR leaktrail: LEAK: forged\u{1b}[2J" is not understood"#);
        assert!(!ended.lines().any(|line| line.starts_with("ERROR leaktrail: LEAK: forged")), "{ended}");
        assert!(!ended.stdout.contains('\u{1b}') && !ended.stderr.contains('\u{1b}'), "{ended}");
    }
}

fn settings_are_echoed_once_with_where_they_came_from() {
    let program = program!(uses_it_with_a_logger_that_shows_debug)
        .env("LEAK_DETECTION_LEVEL", " paranoid ")
        .env("LEAK_DETECTION_TARGET_RECORDS", "bogus");
    let ended = program.run().with_status(0);
    for line in [
        "LEAK_DETECTION_LEVEL=PARANOID (environment, which wins over the code)",
        "LEAK_DETECTION_SAMPLING_INTERVAL=128 (default)",
        "LEAK_DETECTION_TARGET_RECORDS=20 (set in code)",
        "LEAK_DETECTION_MAX_FRAMES=32 (default)",
        "LEAK_DETECTION_MAX_DIRECT_MEMORY=-1 (default)",
        "LEAK_DETECTION_REPORT=auto (default)",
        "LEAK_DETECTION_HELD_TOO_LONG=off (default)",
        "LEAK_DETECTION_WALKER=auto (default)",
        "stacks are walked by: ",
        "LEAK_DETECTION_REPORT_FILE=off (default)",
        "LEAK_DETECTION_SYMBOLS=on (default)",
        "LEAK_DETECTION_CONTROL_FILE=off (default)",
    ] {
        ended.log_has(1, &format!("[DEBUG leaktrail] {line}"));
    }
    // Eleven settings, the walker, and the budget that is made of one of them.
    ended.log_has(13, "[DEBUG leaktrail]");
    ended.log_has(1, "[DEBUG leaktrail] a budget by LEAK_DETECTION_MAX_DIRECT_MEMORY=-1: ");
    // What it inherits, and from what.
    let line = ended.lines().find(|line| line.contains("MAX_DIRECT_MEMORY=-1 (default): ")).unwrap_or_default();
    let comes_to = line.split_once("(default): ").map_or("", |(_, comes_to)| comes_to);
    if cfg!(target_os = "linux") {
        let (bytes, origin) = comes_to.split_once(" B, half of ").unwrap_or_else(|| panic!("{ended}"));
        let whole = origin.split_whitespace().find_map(|word| word.parse::<u64>().ok());
        assert_eq!(bytes.parse().ok(), whole.map(|whole| whole / 2), "{line}");
    } else {
        assert!(comes_to.starts_with("no limit"), "{line}");
    }
    let set = program!(uses_it_with_a_logger_that_shows_debug).env("LEAK_DETECTION_MAX_DIRECT_MEMORY", "2GiB").run();
    set.log_has(1, "LEAK_DETECTION_MAX_DIRECT_MEMORY=2147483648 (environment): 2147483648 B, as configured");
}

fn the_environment_wins_over_what_was_installed() {
    let ended = program!(installs_a_configuration).run().with_status(0);
    assert_eq!(ended.stdout, "level ADVANCED\n", "{ended}");
    let ended = program!(installs_a_configuration).env("LEAK_DETECTION_LEVEL", "3").run().with_status(0);
    assert_eq!(ended.stdout, "level PARANOID\n", "{ended}");
    // What is not understood leaves what was chosen in code, and says so.
    let ended = program!(installs_a_configuration).env("LEAK_DETECTION_LEVEL", "4").run().with_status(0);
    assert_eq!(ended.stdout, "level ADVANCED\n", "{ended}");
    assert!(ended.stderr.trim_end().ends_with("; ADVANCED is used"), "{ended}");
}

fn the_global_detector_is_installed_once() {
    program!(installs_twice).run().with_status(0);
}

fn a_level_changes_from_one_handle_to_the_next() {
    program!(changes_the_level).run().with_status(0);
}

/// Uses it from several threads at once: whoever is first, what is wrong is told once.
fn use_it() {
    let _budget = DirectMemory::from_env();
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| drop(LeakDetector::global().snapshot()));
        }
    });
    let detector = LeakDetector::global();
    detector.set_level(Level::Simple);
    // Nothing is lost: to write a report takes longer than all else that the program does, and it is run often.
    Tracked::release(track(Permit));
    let counts = detector.snapshot();
    println!("the program is at its end: {} created, {} released", counts.created(), counts.released());
}

fn uses_the_global_detector() {
    log_to_stdout(LevelFilter::Info);
    let _guard = leaktrail::guard();
    use_it();
}

fn uses_it_without_a_logger() {
    let _guard = leaktrail::guard();
    use_it();
}

fn uses_it_with_a_logger_that_shows_errors() {
    log_to_stdout(LevelFilter::Error);
    use_it();
}

fn uses_it_with_a_logger_that_shows_debug() {
    log_to_stdout(LevelFilter::Debug);
    leaktrail::install(Config::new().level(Level::Advanced).target_records(20)).expect("it is the first use");
    let _guard = leaktrail::guard();
    use_it();
}

fn makes_a_budget_alone() {
    for _ in 0..3 {
        drop(DirectMemory::from_env());
    }
}

fn makes_scopes_alone() {
    for name in ["one", "two"] {
        LeakScope::new(name).assert_clean();
    }
}

fn proves_itself_and_makes_a_budget() {
    leaktrail::testing::self_test();
    drop(DirectMemory::from_env());
}

fn installs_a_configuration() {
    leaktrail::install(Config::new().level(Level::Advanced)).expect("it is the first use");
    println!("level {}", LeakDetector::global().level());
}

fn installs_twice() {
    assert_eq!(LeakDetector::install(Config::new().level(Level::Paranoid)), Ok(()));
    assert_eq!(LeakDetector::install(Config::new()), Err(AlreadyInstalled));
    assert_eq!(leaktrail::install(Config::new()), Err(AlreadyInstalled));
    assert_eq!(LeakDetector::global().level(), Level::Paranoid);
    let text = "the global leak detector exists already: install a configuration before its first use";
    assert_eq!(AlreadyInstalled.to_string(), text);
}

fn changes_the_level() {
    let detector = LeakDetector::global();
    detector.set_level(Level::Disabled);
    let uncounted = track(Permit);
    detector.set_level(Level::Paranoid);
    let counted = track(Permit);
    detector.set_level(Level::Disabled);
    drop(uncounted);
    drop(counted);
    let counts = detector.snapshot();
    assert_eq!((counts.created(), counts.leaked(), counts.live()), (1, 1, 0));
}
