//! The report file on Unix: a disk that is full, and a parent and a child that write at once.
#![allow(unsafe_code, reason = "signal and setrlimit are C functions")]

use leaktrail::LeakDetector;
use serde_json::Value;

use crate::fork::Child;
use crate::process::{Folder, Named, Permit};
use crate::report_file::{FILE, kinds, lines, loses_without_a_guard};

pub(crate) const TESTS: &[Named] = named![a_full_disk_is_one_warning, parent_and_child_write_whole_lines_to_one_file];

pub(crate) const PROGRAMS: &[Named] = named![loses_where_the_disk_is_full, loses_in_parent_and_child];

fn a_full_disk_is_one_warning() {
    let folder = Folder::new("full");
    let file = folder.path("reports.jsonl");
    let ended = program!(loses_where_the_disk_is_full).env(FILE, &file).run().with_status(0);
    ended.stderr_has(1, "WARN leaktrail: the report file \"");
    ended.has(2, ".release() was not called");
    ended.log_has(1, "the program is at its end");
}

fn parent_and_child_write_whole_lines_to_one_file() {
    let folder = Folder::new("fork");
    let file = folder.path("reports.jsonl");
    program!(loses_in_parent_and_child).env(FILE, &file).run().with_status(0);
    let lines = lines(&file);
    let processes: std::collections::BTreeSet<u64> = lines.iter().filter_map(|line| line["pid"].as_u64()).collect();
    assert_eq!(processes.len(), 2, "{lines:#?}");
    for process in processes {
        let own: Vec<Value> = lines.iter().filter(|line| line["pid"] == process).cloned().collect();
        assert_eq!(kinds(&own), ["report", "summary"], "{own:#?}");
    }
}

fn loses_where_the_disk_is_full() {
    let limit = libc::rlimit { rlim_cur: 100, rlim_max: 100 };
    // SAFETY: to ignore a signal needs no code that could be called.
    unsafe { libc::signal(libc::SIGXFSZ, libc::SIG_IGN) };
    // SAFETY: the limit is a struct that lives as long as the call.
    unsafe { libc::setrlimit(libc::RLIMIT_FSIZE, &limit) };
    let detector = LeakDetector::global();
    for name in ["A", "B"] {
        drop(detector.resource(name).track(Permit));
        detector.flush();
    }
    println!("the program is at its end");
}

fn loses_in_parent_and_child() {
    let child = Child::fork(loses_without_a_guard);
    loses_without_a_guard();
    child.end();
}
