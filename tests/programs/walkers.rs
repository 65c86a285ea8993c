//! By whatever means stacks are walked, a leak is found and its functions are named.

use log::LevelFilter;

use leaktrail::{Config, LeakDetector, Level, Tracked, Walker, track};

use crate::process::{Ended, Named, Permit, log_to_stdout};

pub(crate) const TESTS: &[Named] = named![
    each_walker_explains_a_seeded_leak,
    a_leak_is_the_same_cause_by_each_walker,
    without_a_walker_a_leak_has_its_lines,
    a_walker_that_cannot_be_had_is_one_warning_and_stops_nothing,
    the_environment_names_the_walker_of_detectors_of_ones_own_too,
    the_first_detector_names_the_walker_where_nobody_else_does,
    a_stack_that_is_deeper_than_the_limit_says_so,
];

pub(crate) const PROGRAMS: &[Named] =
    named![loses_one, loses_one_on_a_detector_of_its_own, names_a_walker_in_code, loses_one_far_down];

/// Every name that the variable takes.
const ALL: [&str; 5] = ["auto", "rules", "frame-pointer", "backtrace", "none"];

/// The walkers that find frames.
const WITH_FRAMES: [&str; 4] = ["auto", "rules", "frame-pointer", "backtrace"];

/// The walker that `auto` is here.
fn fastest() -> &'static str {
    if cfg!(all(target_os = "linux", target_arch = "x86_64")) {
        "rules"
    } else if cfg!(any(all(target_os = "linux", target_arch = "aarch64"), target_os = "macos")) {
        "frame-pointer"
    } else {
        "backtrace"
    }
}

fn run(name: &str) -> Ended {
    program!(loses_one).env("LEAK_DETECTION_LEVEL", "paranoid").env("LEAK_DETECTION_WALKER", name).run().with_status(0)
}

/// The functions that a full report has to name, innermost first.
fn assert_explained(ended: &Ended, name: &str) {
    let place = |function: &str| {
        let lines = ended.stdout.lines().position(|line| line.contains(&format!("walkers::{function} (")));
        lines.unwrap_or_else(|| panic!("{name}: no line names {function}\n{ended}"))
    };
    assert!(place("forgets") < place("creates"), "{name}: the drop stands above the creation\n{ended}");
    ended.has(2, "walkers::loses_one (");
}

fn each_walker_explains_a_seeded_leak() {
    for name in WITH_FRAMES {
        let ended = run(name);
        assert_explained(&ended, name);
        ended.log_has(1, "LEAK: Permit.release() was not called");
        ended.log_has(0, "deeper frames were not recorded");
    }
    run("auto").log_has(1, &format!("stacks are walked by: {}", fastest()));
}

fn a_leak_is_the_same_cause_by_each_walker() {
    let fingerprint = |ended: &Ended| {
        let (_, rest) = ended.stdout.split_once("fp=").expect("a fingerprint");
        rest[..16].to_owned()
    };
    let all: Vec<String> = ALL.iter().map(|name| fingerprint(&run(name))).collect();
    assert!(all.iter().all(|one| *one == all[0]), "{all:?}");
}

fn without_a_walker_a_leak_has_its_lines() {
    let ended = run("none");
    ended.log_has(1, "stacks are walked by: none");
    ended.log_has(1, "LEAK: Permit.release() was not called before it was dropped. created tests/programs/walkers.rs:");
    assert!(!ended.stdout.contains("walkers::creates ("), "{ended}");
}

fn a_walker_that_cannot_be_had_is_one_warning_and_stops_nothing() {
    const WARNING: &str = "[WARN  leaktrail] the walker that was asked for (LEAK_DETECTION_WALKER) cannot be had in this build \
                           or on this system: backtrace is used";
    let mut refused = 0;
    for name in ALL {
        let ended = run(name);
        let is_refused =
            ended.stdout.contains("stacks are walked by: backtrace") && !matches!(name, "auto" | "backtrace");
        ended.has(usize::from(is_refused), WARNING);
        refused += usize::from(is_refused);
    }
    // No system has both of the fast ones, but in a build of its own.
    assert!(refused <= 2);
    let is_built_with_frame_pointers = run("frame-pointer").stdout.contains("stacks are walked by: frame-pointer");
    assert_eq!(refused, usize::from(fastest() != "rules") + usize::from(!is_built_with_frame_pointers));
}

fn the_environment_names_the_walker_of_detectors_of_ones_own_too() {
    let program = program!(loses_one_on_a_detector_of_its_own).env("LEAK_DETECTION_WALKER", " None ");
    assert_eq!(program.run().with_status(0).stdout, "0 frames\n");
    let ended = program!(loses_one_on_a_detector_of_its_own).run().with_status(0);
    assert_ne!(ended.stdout, "0 frames\n");
    // What is not understood decides nothing.
    let ended = program!(loses_one_on_a_detector_of_its_own).env("LEAK_DETECTION_WALKER", "bogus").run().with_status(0);
    assert_ne!(ended.stdout, "0 frames\n");
}

fn the_first_detector_names_the_walker_where_nobody_else_does() {
    let ended = program!(names_a_walker_in_code).run().with_status(0);
    assert_eq!(ended.stdout, "0 frames\n0 frames\n");
    let ended = program!(names_a_walker_in_code).env("LEAK_DETECTION_WALKER", "backtrace").run().with_status(0);
    assert!(!ended.stdout.contains("0 frames\n0 frames\n"), "{ended}");
}

fn a_stack_that_is_deeper_than_the_limit_says_so() {
    for name in WITH_FRAMES {
        let program = program!(loses_one_far_down).env("LEAK_DETECTION_LEVEL", "paranoid");
        let ended = program.env("LEAK_DETECTION_WALKER", name).run().with_status(0);
        // The creation's and the drop's.
        ended.has(2, "... (deeper frames were not recorded)");
    }
}

#[inline(never)]
fn creates() -> Tracked<Permit> {
    std::hint::black_box(track(Permit))
}

#[inline(never)]
fn forgets(handle: Tracked<Permit>) {
    drop(handle);
    std::hint::black_box(());
}

fn loses_one() {
    log_to_stdout(LevelFilter::Debug);
    let _guard = leaktrail::guard();
    forgets(creates());
}

fn loses_one_far_down() {
    #[inline(never)]
    fn down(levels: u32) {
        if levels == 0 {
            forgets(creates());
        } else {
            down(std::hint::black_box(levels - 1));
        }
        std::hint::black_box(levels);
    }
    log_to_stdout(LevelFilter::Info);
    let _guard = leaktrail::guard();
    down(200);
}

/// Loses one and tells how many frames with a function's name its records have.
fn lose_one_on(detector: &LeakDetector) {
    let subscription = detector.subscribe(|report| {
        let frames = report.records().iter().flat_map(|record| record.frames());
        println!("{} frames", frames.filter(|frame| frame.function().is_some()).count());
    });
    drop(detector.track(Permit));
    detector.flush();
    drop(subscription);
}

fn loses_one_on_a_detector_of_its_own() {
    lose_one_on(&LeakDetector::new(Config::new().level(Level::Paranoid)));
}

fn names_a_walker_in_code() {
    lose_one_on(&LeakDetector::new(Config::new().level(Level::Paranoid).walker(Walker::None)));
    lose_one_on(&LeakDetector::new(Config::new().level(Level::Paranoid).walker(Walker::Backtrace)));
}
