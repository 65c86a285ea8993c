//! What is said at exit.

use std::time::Duration;

use super::*;
use crate::report::{Discarded, ExitSummary, Severity};

/// As it should be.
pub(super) fn clean() -> ExitSummary {
    ExitSummary {
        level: Level::Simple,
        uptime: Duration::from_secs(3_725),
        created: 48_137,
        released: 48_137,
        leaked: 0,
        leaked_bytes: 0,
        live: 0,
        untracked: 0,
        causes: Vec::new(),
        live_sites: Vec::new(),
        reports_dropped: 0,
        discarded: Discarded::default(),
        faults: 0,
        resident: None,
    }
}

fn lost(file: &str, line: u32, column: u32, leaked: u64, leaked_bytes: u64) -> SiteStats {
    let mut stats = stats("ByteBuf", site(file, line, column), 0, 0);
    (stats.created, stats.leaked, stats.leaked_bytes) = (leaked, leaked, leaked_bytes);
    stats
}

fn connections() -> SiteStats {
    let mut stats = stats("PgConnection", site("src/db.rs", 88, 30), 10, 655_360);
    stats.nonzero_for = Some(Duration::from_secs(64));
    stats
}

fn check(summary: &ExitSummary, expected: &[(Severity, &str)]) {
    let lines = summary.lines();
    let lines: Vec<(Severity, &str)> = lines.iter().map(|(severity, line)| (*severity, line.as_str())).collect();
    assert_eq!(lines, expected);
}

/// A thousand of one cause and a few of another, and a pool that is still in use.
pub(super) fn dirty() -> ExitSummary {
    let mut retained = lost("src/filters.rs", 41, 22, 1_000, 4_096_000);
    retained.origin = Origin::Retained;
    ExitSummary {
        released: 47_110,
        leaked: 1_017,
        leaked_bytes: 4_165_632,
        live: 10,
        causes: vec![(FINGERPRINT, retained), (Fingerprint(1), lost("src/body.rs", 19, 14, 17, 69_632))],
        live_sites: vec![connections()],
        ..clean()
    }
}

/// Nothing lost; the pool is still in use.
pub(super) fn in_use() -> ExitSummary {
    ExitSummary { live: 10, live_sites: vec![connections()], resident: Some(851_443_712), ..clean() }
}

/// Some handed over to somebody else for good.
pub(super) fn untracked() -> ExitSummary {
    ExitSummary { untracked: 3, released: 48_134, ..clean() }
}

/// Clean, on a machine with little room.
pub(super) fn capped() -> ExitSummary {
    let discarded = Discarded { trails: 12, records: 40, stacks: 1, sites: 0, fingerprints: 2, reports: 3, walks: 0 };
    ExitSummary { discarded, ..clean() }
}

#[test]
fn lost_and_live() {
    let summary = dirty();
    let expected = [
        (
            Severity::Error,
            "LEAK: summary at exit: 1017 of 48137 lost at 2 sites, 4165632 B; 10 live; level SIMPLE, up 1 h 2 min, reports dropped 0",
        ),
        (Severity::Error, "LEAK: 1000 lost, 4096000 B, ByteBuf created src/filters.rs:41:22, fp=5b1c09e2a4f7d310"),
        (Severity::Error, "LEAK: 17 lost, 69632 B, ByteBuf created src/body.rs:19:14, fp=0000000000000001"),
        (Severity::Warn, "LIVE: 10 live, 655360 B, PgConnection created src/db.rs:88:30, live count not at 0 for 64 s"),
    ];
    check(&summary, &expected);
    assert_eq!(summary.to_string(), expected.map(|(_, line)| line).join("\n"));
    assert!(!summary.is_clean());
}

#[test]
fn nothing_lost_and_something_live() {
    let mut slice = stats("ByteBuf", site("src/body.rs", 21, 9), 1, 0);
    slice.origin = Origin::Sliced;
    let summary = ExitSummary { live: 11, live_sites: vec![connections(), slice], ..clean() };
    check(
        &summary,
        &[
            (
                Severity::Warn,
                "LIVE: summary at exit: 11 of 48137 live at 2 sites, 655360 B; level SIMPLE, up 1 h 2 min, reports dropped 0",
            ),
            (
                Severity::Warn,
                "LIVE: 10 live, 655360 B, PgConnection created src/db.rs:88:30, live count not at 0 for 64 s",
            ),
            (Severity::Warn, "LIVE: 1 live, 0 B, ByteBuf sliced src/body.rs:21:9"),
        ],
    );
    assert_eq!(
        in_use().lines()[0].1,
        "LIVE: summary at exit: 10 of 48137 live at 1 site, 655360 B; level SIMPLE, up 1 h 2 min, reports dropped 0"
    );
}

#[test]
fn what_part_of_the_process_is_tracked() {
    let lines = in_use().lines();
    let expected =
        "leaktrail: tracked live 640 KiB of RSS 812 MiB (0 %): the rest is not in tracked handles".to_owned();
    assert_eq!(lines[2], (Severity::Info, expected));
    let idle = ExitSummary { resident: Some(851_443_712), ..clean() };
    assert_eq!(idle.lines().len(), 1, "nothing is held");
}

#[test]
fn all_is_well() {
    assert!(clean().is_clean());
    check(&clean(), &[(Severity::Info, "leaktrail: clean at exit: 48137 created, all released, level SIMPLE")]);
    check(
        &untracked(),
        &[(
            Severity::Info,
            "leaktrail: clean at exit: 48137 created, 3 of them untracked on purpose, the rest released, level SIMPLE",
        )],
    );
}

#[test]
fn what_was_not_kept_is_told() {
    check(
        &capped(),
        &[
            (Severity::Info, "leaktrail: clean at exit: 48137 created, all released, level SIMPLE"),
            (
                Severity::Warn,
                "leaktrail: not kept, over a cap: 12 trails, 40 records, 1 stack, 2 fingerprints, 3 reports; the counts are exact",
            ),
        ],
    );
}

/// The detector failed once, and a second thread was in it.
pub(super) fn failed() -> ExitSummary {
    ExitSummary { faults: 2, level: Level::Disabled, ..clean() }
}

#[test]
fn a_fault_of_our_own_is_told() {
    check(
        &failed(),
        &[
            (Severity::Info, "leaktrail: clean at exit: 48137 created, all released, level DISABLED"),
            (
                Severity::Warn,
                "leaktrail: switched off by 2 internal faults; what was made after the first is not counted",
            ),
        ],
    );
}

#[test]
fn thirty_two_rows_of_each_kind() {
    let causes = (1..=34).map(|line| (Fingerprint(u64::from(line)), lost("src/a.rs", line, 1, 1, 1))).collect();
    let live_sites = (1..=33).map(|line| stats("ByteBuf", site("src/b.rs", line, 1), 1, 1)).collect();
    let summary = ExitSummary { leaked: 34, live: 33, causes, live_sites, ..clean() };
    let lines = summary.lines();
    assert_eq!(lines.len(), 1 + 33 + 33);
    assert_eq!(lines[32].1, "LEAK: 1 lost, 1 B, ByteBuf created src/a.rs:32:1, fp=0000000000000020");
    assert_eq!(lines[33], (Severity::Error, "LEAK: and 2 more sites".to_owned()));
    assert_eq!(lines[65].1, "LIVE: 1 live, 1 B, ByteBuf created src/b.rs:32:1");
    assert_eq!(lines[66], (Severity::Warn, "LIVE: and 1 more site".to_owned()));
}
