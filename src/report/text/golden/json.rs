//! The same reports as JSON: the names that `docs/REPORT-FORMAT.md` promises.

use serde_json::{Value, from_str, json, to_string, to_value};

use super::observation::{came_back, growing, held, pinned};
use super::pressure::nearly_killed;
use super::*;
use crate::report::{Discarded, ExitSummary, Pressure, Refusal, Snapshot, Watched};

#[test]
fn a_leak_report() {
    let report = LeakReport { records: full().records.split_off(1), ..full() };
    let frame = |function: &str, line: u32, column: u32| {
        json!({
            "function": function, "file": "src/filters.rs", "line": line, "column": column,
            "address": "0x55d0c3a41f40", "module": "gateway", "offset": "0x1f40",
        })
    };
    assert_eq!(
        to_value(&report).unwrap(),
        json!({
            "verdict": "unreleased",
            "resource": "ByteBuf",
            "site": {"file": "src/filters.rs", "line": 41, "column": 22},
            "fingerprint": "5b1c09e2a4f7d310",
            "count": 1,
            "created": 5312,
            "bytes": 4096,
            "fate": "given_back",
            "level": "ADVANCED",
            "form": "full",
            "dropped_at": "src/filters.rs:57:9",
            "records": [
                {
                    "access": "touched",
                    "hint": "'decode' will handle the buffer from this point.",
                    "thread": "worker-3",
                    "after_ms": 11,
                    "at": "2026-11-20T03:12:44.211Z",
                    "unwinding": false,
                    "frames": [frame("gateway::filters::decode", 49, 13)],
                    "frames_cut": false,
                },
                {
                    "access": "created",
                    "hint": null,
                    "thread": "worker-3",
                    "after_ms": 0,
                    "at": "2026-11-20T03:12:44.200Z",
                    "unwinding": false,
                    "frames": [frame("gateway::filters::cache_body", 41, 22)],
                    "frames_cut": false,
                },
            ],
            "references": [
                {
                    "origin": "created",
                    "site": {"file": "src/body.rs", "line": 19, "column": 14},
                    "state": "released",
                },
            ],
            "references_omitted": 0,
            "discarded_records": 2,
            "target_records": 2,
            "trail": "full",
            "promoted": 0,
            "unwinding": true,
            "at": "2026-11-20T03:12:44.212Z",
        })
    );
}

#[test]
fn what_was_written_is_read_again_and_reads_the_same() {
    for report in [full(), untraced(), again()] {
        let json = to_string(&report).unwrap();
        let read: LeakReport = from_str(&json).unwrap();
        assert_eq!(read, report);
        assert_eq!(read.to_string(), report.to_string());
    }
    let json = to_value(again()).unwrap();
    assert_eq!(json["form"], json!({"again": {"more": 900, "window_ms": 60_000, "since": "2026-11-20T03:12:44.200Z"}}));
}

#[test]
fn what_is_alive_has_its_observation() {
    for (report, observation) in [
        (growing(), json!({"growth": {"windows": 10, "window_ms": 60_000, "created": 600, "released": 0}})),
        (
            held(),
            json!({"held": {
                "age_ms": 41_000, "threshold_ms": 30_000,
                "last_touch": {"place": "src/orders.rs:120:9", "ago_ms": 40_000},
                "seen": {"trails": 10, "live": 10},
            }}),
        ),
        (came_back(), json!({"came_back": {"age_ms": 64_000}})),
        (
            pinned(),
            json!({"pinned": {
                "age_ms": 61_000, "origin": "sliced", "part_bytes": 112, "whole_bytes": 1_048_576,
                "whole_site": {"file": "src/body.rs", "line": 19, "column": 14},
                "seen": {"trails": 10, "live": 10},
            }}),
        ),
    ] {
        let json = to_value(&report).unwrap();
        assert_eq!(json["observation"], observation);
        let read: LeakReport = serde_json::from_value(json).unwrap();
        assert_eq!((read.to_string(), &read), (report.to_string(), &report));
    }
    let verdicts = [growing(), held(), pinned()].map(|report| to_value(report).unwrap()["verdict"].clone());
    assert_eq!(verdicts, ["growing", "held_too_long", "pinned"]);
    assert!(to_value(full()).unwrap().get("observation").is_none(), "nothing new in a report of a loss");
}

#[test]
fn the_documented_example_is_a_report() {
    let documented = include_str!("../../../../docs/REPORT-FORMAT.md");
    let example = documented.split_once("```json\n").and_then(|(_, rest)| rest.split_once("```")).unwrap().0;
    let report = LeakReport { records: full().records.drain(..1).collect(), ..full() };
    assert_eq!(from_str::<Value>(example).unwrap(), to_value(&report).unwrap());
    assert_eq!(from_str::<LeakReport>(example).unwrap(), report);
}

#[test]
fn a_snapshot_has_its_totals() {
    let mut stats = stats("ByteBuf", site("src/filters.rs", 41, 22), 3, 4096);
    (stats.created, stats.released, stats.leaked, stats.untracked, stats.leaked_bytes) = (9, 1, 2, 3, 64);
    stats.recent = last_minute(3, 0);
    stats.nonzero_for = Some(Duration::from_secs(64));
    let snapshot = Snapshot {
        level: Level::Simple,
        sites: vec![stats],
        uptime: Duration::from_millis(1_500),
        discarded: Discarded::default(),
        faults: 0,
        watched: Watched { growing_sites: 1, held_too_long: 2, pinning: 3 },
        resident: Some(851_443_712),
        unwritten: 0,
        self_bytes: 4096,
        walker: "rules".into(),
    };
    let json = to_value(&snapshot).unwrap();
    assert_eq!(
        json,
        json!({
            "level": "SIMPLE",
            "uptime_ms": 1500,
            "created": 9, "released": 1, "leaked": 2, "untracked": 3, "live": 3,
            "live_bytes": 4096, "leaked_bytes": 64,
            "sites": [{
                "resource": "ByteBuf",
                "site": {"file": "src/filters.rs", "line": 41, "column": 22},
                "origin": "created",
                "created": 9, "released": 1, "leaked": 2, "untracked": 3, "live": 3,
                "live_bytes": 4096, "leaked_bytes": 64,
                "recent": {"window_ms": 60_000, "created": 3, "released": 0},
                "nonzero_for_ms": 64_000,
            }],
            "discarded": {"trails": 0, "records": 0, "stacks": 0, "sites": 0, "fingerprints": 0, "reports": 0, "walks": 0},
            "faults": 0,
            "watched": {"growing_sites": 1, "held_too_long": 2, "pinning": 3},
            "resident": 851_443_712,
            "unwritten": 0,
            "self_bytes": 4096,
            "walker": "rules",
        })
    );
    assert_eq!(serde_json::from_value::<Snapshot>(json).unwrap(), snapshot);
}

#[test]
fn refusals_and_summaries_come_back_too() {
    let holder = stats("ByteBuf", site("src/filters.rs", 41, 22), 3, 4096);
    let refusal = Refusal {
        error: "failed to allocate 1 byte(s) of direct memory (used: 4096, max: 4096)".into(),
        requested: 1,
        used: 4096,
        limit: 4096,
        budget: None,
        kept: 0,
        site: site("src/codec.rs", 73, 18),
        thread: "worker-1".into(),
        waited: Duration::from_millis(511),
        holders: vec![holder.clone()],
        abandoned: 0,
        lost: Vec::new(),
        suppressed: 2,
        level: Level::Paranoid,
    };
    let json: Value = to_value(&refusal).unwrap();
    assert_eq!((&json["waited_ms"], &json["holders"][0]["live"]), (&json!(511), &json!(3)));
    assert_eq!(serde_json::from_value::<Refusal>(json).unwrap(), refusal);

    let summary = ExitSummary {
        level: Level::Simple,
        uptime: Duration::from_secs(3_725),
        created: 3,
        released: 0,
        leaked: 0,
        leaked_bytes: 0,
        live: 3,
        untracked: 0,
        causes: vec![(FINGERPRINT, holder.clone())],
        live_sites: vec![holder],
        reports_dropped: 0,
        discarded: Discarded::default(),
        faults: 0,
        resident: None,
    };
    let json: Value = to_value(&summary).unwrap();
    assert_eq!(json["causes"][0][0], json!("5b1c09e2a4f7d310"));
    assert_eq!(serde_json::from_value::<ExitSummary>(json).unwrap(), summary);
}

#[test]
fn a_limit_that_comes_near() {
    let pressure = nearly_killed();
    let json = to_value(&pressure).unwrap();
    assert_eq!(
        (&json["of"], &json["mark"], &json["resident"]),
        (&json!("control_group"), &json!(90), &json!(851_443_712))
    );
    assert_eq!((&json["used"], &json["limit"]), (&json!(966_367_642), &json!(1_073_741_824)));
    assert_eq!((&json["level"], &json["holders"][0]["live"]), (&json!("SIMPLE"), &json!(28_672)));
    assert_eq!(serde_json::from_value::<Pressure>(json).unwrap(), pressure);
}

#[test]
fn what_is_no_report_is_refused() {
    let good = to_value(full()).unwrap();
    for (name, bad) in
        [("fingerprint", json!("5b1c")), ("verdict", json!("guilty")), ("at", json!("yesterday")), ("count", json!(-1))]
    {
        let mut report = good.clone();
        report[name] = bad;
        assert!(serde_json::from_value::<LeakReport>(report).is_err(), "{name}");
    }
    let mut report = good;
    report["a_field_of_a_later_version"] = json!(1);
    assert!(serde_json::from_value::<LeakReport>(report).is_ok());
}
