//! The report file has every report, whatever becomes of the log, and trouble with it is one warning.

use std::fs;
use std::path::Path;

use leaktrail::{ExitSummary, LeakReport, track};
use serde_json::Value;

use crate::process::{Folder, Named, Permit};

pub(crate) const TESTS: &[Named] = named![
    the_file_has_each_report_and_the_summary,
    the_file_has_what_is_left_at_exit_without_a_guard,
    the_file_is_written_whatever_becomes_of_the_log,
    a_file_that_cannot_be_written_is_one_warning,
    symbols_can_be_switched_off,
];

pub(crate) const PROGRAMS: &[Named] = named![loses_with_a_guard, loses_without_a_guard];

pub(crate) const FILE: &str = "LEAK_DETECTION_REPORT_FILE";

/// The lines of a report file, each of them whole.
#[track_caller]
pub(crate) fn lines(file: &Path) -> Vec<Value> {
    let text = fs::read_to_string(file).expect("the file is there");
    assert!(text.ends_with('\n'), "{text}");
    text.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"))).collect()
}

pub(crate) fn kinds(lines: &[Value]) -> Vec<&str> {
    lines.iter().map(|line| line["kind"].as_str().unwrap_or_default()).collect()
}

fn the_file_has_each_report_and_the_summary() {
    let folder = Folder::new("guard");
    let file = folder.path("reports.jsonl");
    program!(loses_with_a_guard).env(FILE, &file).env("LEAK_DETECTION_LEVEL", "paranoid").run().with_status(0);
    let lines = lines(&file);
    assert_eq!(kinds(&lines), ["report", "summary"]);
    assert!(lines.iter().all(|line| line["schema"] == 1 && line["pid"].is_u64()), "{lines:#?}");
    let report: LeakReport = serde_json::from_value(lines[0].clone()).expect("it is a report");
    assert_eq!((report.resource(), report.count()), ("Permit", 1));
    assert!(report.site().file().ends_with("tests/programs/report_file.rs") && !report.records().is_empty());
    let summary: ExitSummary = serde_json::from_value(lines[1].clone()).expect("it is a summary");
    assert_eq!((summary.created(), summary.leaked()), (1, 1));
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt as _;
        assert_eq!(fs::metadata(&file).expect("it is there").mode() & 0o777, 0o600);
    }
}

fn the_file_has_what_is_left_at_exit_without_a_guard() {
    let folder = Folder::new("no-guard");
    let file = folder.path("reports.jsonl");
    for run in 1..=2 {
        program!(loses_without_a_guard).env(FILE, &file).run().with_status(0);
        // Only Unix has the exit handler. Each run appends its own.
        if cfg!(unix) {
            assert_eq!(kinds(&lines(&file)), ["report", "summary"].repeat(run));
        }
    }
}

fn the_file_is_written_whatever_becomes_of_the_log() {
    let folder = Folder::new("off");
    let file = folder.path("reports.jsonl");
    let ended = program!(loses_with_a_guard).env(FILE, &file).env("LEAK_DETECTION_REPORT", "off").run().with_status(0);
    assert_eq!((ended.stdout.as_str(), ended.stderr.as_str()), ("", ""), "{ended}");
    assert_eq!(kinds(&lines(&file)), ["report", "summary"]);
}

fn a_file_that_cannot_be_written_is_one_warning() {
    let folder = Folder::new("missing");
    let file = folder.path("not-there/reports.jsonl");
    for program in [program!(loses_with_a_guard), program!(loses_without_a_guard)] {
        let ended = program.env(FILE, &file).run().with_status(0);
        ended.stderr_has(1, "WARN leaktrail: the report file \"");
        ended.has(1, "cannot be written");
        ended.has(1, "LEAK: Permit.release() was not called");
    }
    #[cfg(unix)]
    {
        std::os::unix::fs::symlink(folder.path("victim"), folder.path("link.jsonl")).expect("a link can be made");
        let ended = program!(loses_with_a_guard).env(FILE, folder.path("link.jsonl")).run().with_status(0);
        ended.has(1, "cannot be written");
        assert!(!folder.path("victim").exists(), "nothing was written through the link");
    }
}

fn symbols_can_be_switched_off() {
    let with = |symbols: &str| {
        let program = program!(loses_with_a_guard).env("LEAK_DETECTION_SYMBOLS", symbols);
        program.env("LEAK_DETECTION_LEVEL", "paranoid").run().with_status(0)
    };
    with("on").has(2, "programs::report_file::loses_with_a_guard (tests/programs/report_file.rs:");
    let ended = with("off");
    ended.has(0, "programs::report_file::loses_with_a_guard");
    // The site needs no symbols.
    ended.has(1, "LEAK: Permit.release() was not called before it was dropped. created tests/programs/report_file.rs:");
    if cfg!(target_os = "linux") {
        assert!(ended.lines().any(|line| line.starts_with("\tprograms-") && line.contains("+0x")), "{ended}");
        ended.has(1, "Modules:");
        assert!(ended.lines().any(|line| line.contains(", build id ")), "{ended}");
    }
}

fn loses_with_a_guard() {
    let _guard = leaktrail::guard();
    drop(track(Permit));
}

pub(crate) fn loses_without_a_guard() {
    drop(track(Permit));
}
