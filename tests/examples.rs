//! The short examples do what their comments say.

mod example_process;

use example_process::{command, run, site_of};

#[test]
fn quick_start_names_the_line_that_lost_its_permit() {
    let ended = run(command("quick_start"));
    assert_eq!(ended.status, Some(0), "{ended:#?}");
    assert_eq!(ended.stdout.lines().count(), 4, "{ended:#?}");
    let site = site_of("examples/quick_start.rs", "track(Permit(number))");
    let report = ended.stderr.lines().find(|line| line.contains("LEAK: Permit.release() was not called"));
    let report = report.unwrap_or_else(|| panic!("no report in {ended:#?}"));
    assert!(report.contains(&format!("created {site}")), "{report}");
    assert!(ended.stderr.contains("LEAK: summary at exit: 1 of 4 lost at 1 site"), "{ended:#?}");
}

#[test]
fn quick_start_is_short_enough_to_copy() {
    let source = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/quick_start.rs"));
    assert!(source.expect("the sources are here").lines().count() <= 25);
}

#[test]
fn quick_start_says_nothing_at_level_disabled() {
    let mut quiet = command("quick_start");
    quiet.env("LEAK_DETECTION_LEVEL", "disabled");
    let ended = run(quiet);
    assert_eq!(ended.status, Some(0), "{ended:#?}");
    assert!(!ended.stderr.contains("LEAK:"), "{ended:#?}");
}

#[test]
fn an_exhausted_pool_lists_its_holders_and_what_was_lost() {
    let file = "examples/connection_pool.rs";
    let ended = run(command("connection_pool"));
    assert_eq!(ended.status, Some(0), "{ended:#?}");
    let (faulty, mended) = ended.stdout.split_once("== the same questions, mended").expect("both halves are told");

    let lost_at = site_of(file, "every report names this line");
    assert!(faulty.contains(&format!("created {lost_at}")), "{faulty}");
    let held_at = site_of(file, "let for_the_report");
    assert!(faulty.contains("carol: all 4 connections are out"), "{faulty}");
    assert!(faulty.contains(&format!("1 still held, checked out at {held_at}")), "{faulty}");
    assert!(faulty.contains(&format!("3 lost, checked out at {lost_at}")), "{faulty}");

    assert!(mended.contains("carol: 27") && !mended.contains("are out"), "{mended}");
    assert!(mended.contains("LEAK: summary at exit: 3 of "), "{mended}");
    assert!(!mended.contains("LIVE:"), "{mended}");
}

#[test]
fn at_paranoid_the_first_report_names_the_question_mark() {
    let mut paranoid = command("connection_pool");
    paranoid.env("LEAK_DETECTION_LEVEL", "paranoid");
    let ended = run(paranoid);
    let first = ended.stdout.lines().find(|line| line.contains("LEAK: Connection")).unwrap_or_default();
    assert!(first.contains(", dropped examples/connection_pool.rs:"), "{ended:#?}");
    assert!(first.contains("dropped with its handle"), "{ended:#?}");
}
