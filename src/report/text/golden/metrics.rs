//! The text for a scraper. Another program reads it in `.ci/metrics`.

use super::*;
use crate::report::{BudgetFigures, Discarded, Metrics, Snapshot, Watched};

fn snapshot(sites: Vec<SiteStats>) -> Snapshot {
    Snapshot {
        level: Level::Simple,
        sites,
        uptime: Duration::from_secs(1),
        discarded: Discarded { reports: 7, fingerprints: 3, ..Discarded::default() },
        faults: 0,
        watched: Watched { growing_sites: 1, held_too_long: 4, pinning: 0 },
        resident: None,
        unwritten: 2,
        self_bytes: 4096,
        walker: "rules".into(),
    }
}

#[test]
fn figures_by_resource_and_never_by_site() {
    let mut lost = stats("ByteBuf", site("src/filters.rs", 41, 22), 3, 4096);
    (lost.created, lost.released, lost.leaked, lost.leaked_bytes) = (9, 1, 5, 64);
    let other = stats("ByteBuf", site("src/body.rs", 1, 1), 2, 100);
    let named = stats("a \"b\"\\\nc", site("src/a.rs", 1, 1), 1, 0);
    let unlimited = BudgetFigures { used: 5, limit: None, peak: 6, refusals: 0, waited: Duration::ZERO };
    let waited = Duration::from_micros(61_004_005);
    let limited = BudgetFigures { used: 10, limit: Some(100), peak: 20, refusals: 3, waited };
    let metrics = Metrics::of(&snapshot(vec![lost, other, named]));
    let text = metrics.with_budget("bodies", limited).with_budget("gpu", unlimited).to_string();
    assert_eq!(
        text,
        r#"# TYPE leaktrail_created counter
# HELP leaktrail_created Handles made.
leaktrail_created_total{resource="ByteBuf"} 11
leaktrail_created_total{resource="a \"b\"\\\nc"} 1
# TYPE leaktrail_released counter
# HELP leaktrail_released Handles given back.
leaktrail_released_total{resource="ByteBuf"} 1
leaktrail_released_total{resource="a \"b\"\\\nc"} 0
# TYPE leaktrail_leaked counter
# HELP leaktrail_leaked Handles dropped without release. Any is a defect.
leaktrail_leaked_total{resource="ByteBuf"} 5
leaktrail_leaked_total{resource="a \"b\"\\\nc"} 0
# TYPE leaktrail_leaked_bytes counter
# UNIT leaktrail_leaked_bytes bytes
# HELP leaktrail_leaked_bytes Bytes of handles dropped without release.
leaktrail_leaked_bytes_total{resource="ByteBuf"} 64
leaktrail_leaked_bytes_total{resource="a \"b\"\\\nc"} 0
# TYPE leaktrail_live gauge
# HELP leaktrail_live Handles alive.
leaktrail_live{resource="ByteBuf"} 5
leaktrail_live{resource="a \"b\"\\\nc"} 1
# TYPE leaktrail_live_bytes gauge
# UNIT leaktrail_live_bytes bytes
# HELP leaktrail_live_bytes Bytes of handles alive.
leaktrail_live_bytes{resource="ByteBuf"} 4196
leaktrail_live_bytes{resource="a \"b\"\\\nc"} 0
# TYPE leaktrail_held_too_long gauge
# HELP leaktrail_held_too_long Handles alive for longer than they may be.
leaktrail_held_too_long 4
# TYPE leaktrail_growing_sites gauge
# HELP leaktrail_growing_sites Sites whose live count only rises.
leaktrail_growing_sites 1
# TYPE leaktrail_reports_dropped counter
# HELP leaktrail_reports_dropped Reports that reached nobody, by what was in the way.
leaktrail_reports_dropped_total{reason="queue_full"} 7
leaktrail_reports_dropped_total{reason="cause_cap"} 3
leaktrail_reports_dropped_total{reason="file"} 2
# TYPE leaktrail_self_bytes gauge
# UNIT leaktrail_self_bytes bytes
# HELP leaktrail_self_bytes What the detector itself takes, without its symbols.
leaktrail_self_bytes 4096
# TYPE leaktrail info
# HELP leaktrail What is in force.
leaktrail_info{level="SIMPLE",walker="rules",version="0.1.0"} 1
# TYPE leaktrail_budget_used_bytes gauge
# UNIT leaktrail_budget_used_bytes bytes
# HELP leaktrail_budget_used_bytes What is reserved.
leaktrail_budget_used_bytes{budget="bodies"} 10
leaktrail_budget_used_bytes{budget="gpu"} 5
# TYPE leaktrail_budget_limit_bytes gauge
# UNIT leaktrail_budget_limit_bytes bytes
# HELP leaktrail_budget_limit_bytes What may be reserved; absent without a limit.
leaktrail_budget_limit_bytes{budget="bodies"} 100
# TYPE leaktrail_budget_peak_bytes gauge
# UNIT leaktrail_budget_peak_bytes bytes
# HELP leaktrail_budget_peak_bytes The most that was reserved at once.
leaktrail_budget_peak_bytes{budget="bodies"} 20
leaktrail_budget_peak_bytes{budget="gpu"} 6
# TYPE leaktrail_budget_refusals counter
# HELP leaktrail_budget_refusals Requests that were refused.
leaktrail_budget_refusals_total{budget="bodies"} 3
leaktrail_budget_refusals_total{budget="gpu"} 0
# TYPE leaktrail_budget_wait_seconds counter
# UNIT leaktrail_budget_wait_seconds seconds
# HELP leaktrail_budget_wait_seconds How long requests waited, all together.
leaktrail_budget_wait_seconds_total{budget="bodies"} 61.004005
leaktrail_budget_wait_seconds_total{budget="gpu"} 0.000000
# EOF
"#
    );
}

#[test]
fn a_scraper_is_not_given_names_without_end() {
    let sites = (0..300).map(|n| stats(&format!("R{n:03}"), site("src/a.rs", n + 1, 1), 1, 0)).collect();
    let text = Metrics::of(&snapshot(sites)).to_string();
    assert_eq!(text.matches("\nleaktrail_live{resource=").count(), 257);
    assert!(text.contains("\nleaktrail_live{resource=\"(other resources)\"} 44\n"), "{text}");
}
