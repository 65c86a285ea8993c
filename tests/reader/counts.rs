//! Counts are totals so far: what is added up, and what is not.

use serde_json::{Value, json};

use super::harness::{FP, Folder, SITE, again, at_exit, first, rows, rows_of};

fn count(log: &str) -> u64 {
    let rows = rows(log);
    assert_eq!(rows.len(), 1, "{rows:?}");
    assert_eq!(rows[0]["bytes"].as_u64().map(|bytes| bytes / 10), rows[0]["count"].as_u64());
    rows[0]["count"].as_u64().expect("a count")
}

#[test]
fn the_last_total_of_a_run_counts() {
    let log = first(1, SITE, 1, FP) + &first(2, SITE, 64, FP) + &again(3, SITE, 900, "03:01:00Z", FP);
    assert_eq!(count(&log), 900);
    assert_eq!(count(&(log + &at_exit(4, SITE, 1_000, FP))), 1_000);
}

#[test]
fn a_restart_begins_anew() {
    let run = |minute, total| {
        first(minute, SITE, 1, FP) + &again(minute + 1, SITE, total, &format!("03:{minute:02}:00Z"), FP)
    };
    // One that told its end, one that was killed, and a third that has lost more than the second.
    let log = run(1, 100) + &at_exit(3, SITE, 120, FP) + &run(10, 50) + &run(20, 300);
    assert_eq!(count(&log), 120 + 50 + 300);
    // Another run, though nothing falls: the last one had told its end, or another `since` stands there.
    assert_eq!(count(&(at_exit(3, SITE, 5, FP) + &first(4, SITE, 6, FP))), 11);
    assert_eq!(count(&(again(1, SITE, 5, "03:00:00Z", FP) + &again(2, SITE, 6, "03:01:30Z", FP))), 11);
}

#[test]
fn several_processes_whose_prefix_names_them() {
    let from = |process: &str, line: String| format!("{process}  | {line}");
    let log = [
        from("gateway-1", first(1, SITE, 10, FP)),
        from("gateway-2", first(1, SITE, 20, FP)),
        from("gateway-1", again(2, SITE, 11, "03:01:00Z", FP)),
        from("gateway-2", again(2, SITE, 21, "03:01:00Z", FP)),
    ];
    assert_eq!(count(&log.concat()), 32);
    let from = |pid: u32, line: String| format!("Nov 20 03:12:44 host gateway[{pid}]: {line}");
    assert_eq!(count(&(from(1, first(1, SITE, 10, FP)) + &from(2, first(1, SITE, 20, FP)))), 30);
    let from = |pod: &str, line: String| format!("{}\n", json!({"pod": pod, "message": line}));
    assert_eq!(count(&(from("a", first(1, SITE, 10, FP)) + &from("b", first(1, SITE, 20, FP)))), 30);
}

#[test]
fn several_processes_that_nothing_tells_apart_are_a_lower_bound() {
    let log = [first(1, SITE, 5, FP), first(1, SITE, 3, FP), first(2, SITE, 10, FP), first(2, SITE, 4, FP)];
    assert_eq!(count(&log.concat()), 14);
    assert_eq!(count(&(first(1, SITE, 10, FP) + &first(1, SITE, 20, FP))), 20);
}

#[test]
fn files_that_were_rotated_are_one_log_and_others_are_others() {
    let folder = Folder::new();
    let old = folder.file("app.log.1", first(1, SITE, 500, FP));
    let new = folder.file("app.log", again(2, SITE, 1_000, "03:01:00Z", FP));
    for files in [[&old, &new], [&new, &old]] {
        assert_eq!(rows_of(&files.map(String::as_str), "")[0]["count"], 1_000, "{files:?}");
    }
    let other = folder.file("other.log", first(1, SITE, 7, FP));
    assert_eq!(rows_of(&[&old, &new, &other], "")[0]["count"], 1_007);
}

#[test]
fn since_takes_off_what_was_there_before() {
    let log = first(1, SITE, 100, FP)
        + &again(10, SITE, 130, "03:01:00Z", FP)
        + &first(2, "src/old.rs:1:1", 9, "0000000000000001");
    let rows = rows_of(&["--since", "2026-11-20T03:05:00Z", "-"], &log);
    assert_eq!(rows.len(), 1, "{rows:?}");
    assert_eq!((&rows[0]["count"], &rows[0]["bytes"]), (&json!(30), &json!(300)));
    assert_eq!(rows[0]["first_seen"], "2026-11-20T03:10:00Z");
    assert_eq!(rows_of(&["--since", "2026-11-21", "-"], &log), [] as [Value; 0]);
}

#[test]
fn first_and_last_seen_are_over_all_files() {
    let log = first(9, SITE, 1, FP) + &again(30, SITE, 2, "03:09:00Z", FP) + &again(20, SITE, 3, "03:09:00Z", FP);
    let rows = rows(&log);
    assert_eq!(
        (&rows[0]["first_seen"], &rows[0]["last_seen"]),
        (&json!("2026-11-20T03:09:00Z"), &json!("2026-11-20T03:30:00Z"))
    );
}
