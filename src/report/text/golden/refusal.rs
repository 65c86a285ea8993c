//! `REFUSED:` lines.

use std::time::Duration;

use super::*;
use crate::report::Refusal;

/// A pool's worth of bodies that a filter keeps, and what a busy gateway has besides.
pub(super) fn refusal() -> Refusal {
    let mut kept = stats("ByteBuf", site("src/filters.rs", 41, 22), 28_672, 469_762_048);
    kept.origin = Origin::Retained;
    kept.recent = last_minute(480, 0);
    let mut busy = stats("ByteBuf", site("src/body.rs", 19, 14), 480, 31_457_280);
    (busy.created, busy.released) = (91_200, 90_720);
    busy.recent = last_minute(9_120, 9_118);
    let mut holders = vec![kept, busy];
    // Seven more hold what is left.
    for line in 0..7 {
        let bytes = if line == 0 { 18_874_649 } else { 1 };
        holders.push(stats("ByteBuf", site("src/other.rs", line + 1, 1), 1, bytes));
    }
    Refusal {
        error: "failed to allocate 16777216 byte(s) of direct memory (used: 520093983, max: 536870912)".into(),
        requested: 16_777_216,
        used: 520_093_983,
        limit: 536_870_912,
        budget: None,
        kept: 0,
        site: site("src/codec.rs", 73, 18),
        thread: "worker-1".into(),
        waited: Duration::from_millis(511),
        holders,
        abandoned: 0,
        lost: Vec::new(),
        suppressed: 0,
        level: Level::Simple,
    }
}

#[test]
fn who_holds_what() {
    assert_eq!(
        refusal().to_string(),
        "\
REFUSED: failed to allocate 16777216 byte(s) of direct memory (used: 520093983, max: 536870912)
REFUSED: short by 287 B at src/codec.rs:73:18, thread worker-1, waited 511 ms, 9 sites hold references to 520093983 B
REFUSED: #1 90.3 % 469762048 B in 28672 live, last 60 s created 480 released 0 (never released), ByteBuf retained src/filters.rs:41:22
REFUSED: #2 6.0 % 31457280 B in 480 live, last 60 s created 9120 released 9118 (busy), ByteBuf created src/body.rs:19:14
REFUSED: #3 3.6 % 18874649 B in 1 live, created 1 released 0 in all (never released), ByteBuf created src/other.rs:1:1
REFUSED: #4 0.0 % 1 B in 1 live, created 1 released 0 in all (never released), ByteBuf created src/other.rs:2:1
REFUSED: #5 0.0 % 1 B in 1 live, created 1 released 0 in all (never released), ByteBuf created src/other.rs:3:1
REFUSED: #6 0.0 % 1 B in 1 live, created 1 released 0 in all (never released), ByteBuf created src/other.rs:4:1
REFUSED: #7 0.0 % 1 B in 1 live, created 1 released 0 in all (never released), ByteBuf created src/other.rs:5:1
REFUSED: #8 0.0 % 1 B in 1 live, created 1 released 0 in all (never released), ByteBuf created src/other.rs:6:1
REFUSED: and 1 more site"
    );
}

#[test]
fn a_holder_that_has_begun_to_hoard_is_not_called_idle() {
    let mut holder = stats("ByteBuf", site("src/filters.rs", 41, 22), 8, 32_768);
    (holder.created, holder.released) = (490, 2);
    holder.recent = last_minute(480, 0);
    let text = Refusal { holders: vec![holder], used: 32_768, ..refusal() }.to_string();
    assert_eq!(
        text.lines().nth(2),
        Some(
            "REFUSED: #1 100.0 % 32768 B in 488 live, last 60 s created 480 released 0 (none released), ByteBuf created src/filters.rs:41:22"
        )
    );
}

#[test]
fn one_holder_that_did_nothing_of_late_and_others_that_were_not_listed() {
    let mut holder = stats("ByteBuf", site("src/filters.rs", 41, 22), 8, 32_768);
    (holder.created, holder.released) = (10, 2);
    holder.recent = last_minute(0, 0);
    holder.nonzero_for = Some(Duration::from_secs(64));
    let refusal = Refusal { holders: vec![holder], waited: Duration::ZERO, used: 32_768, suppressed: 41, ..refusal() };
    let text = refusal.to_string();
    assert_eq!(
        text.split_once('\n').unwrap().1,
        "\
REFUSED: short by 0 B at src/codec.rs:73:18, thread worker-1, 1 site holds references to 32768 B
REFUSED: #1 100.0 % 32768 B in 8 live, last 60 s created 0 released 0 (idle), ByteBuf created src/filters.rs:41:22, live count not at 0 for 64 s
REFUSED: 41 more refusals since the last one listed"
    );
}

#[test]
fn without_a_window_nothing_is_called_busy_or_idle() {
    let mut holder = stats("ByteBuf", site("src/filters.rs", 41, 22), 8, 32_768);
    (holder.created, holder.released) = (10, 2);
    let refusal = Refusal { holders: vec![holder], used: 32_768, suppressed: 1, ..refusal() };
    let lines: Vec<String> = refusal.to_string().lines().skip(2).map(str::to_owned).collect();
    assert_eq!(
        lines,
        [
            "REFUSED: #1 100.0 % 32768 B in 8 live, created 10 released 2 in all, ByteBuf created src/filters.rs:41:22",
            "REFUSED: 1 more refusal since the last one listed",
        ]
    );
}

#[test]
fn at_level_disabled_nobody_knows_the_holders() {
    let refusal = Refusal { holders: Vec::new(), level: Level::Disabled, ..refusal() };
    assert_eq!(
        refusal.to_string(),
        "\
REFUSED: failed to allocate 16777216 byte(s) of direct memory (used: 520093983, max: 536870912)
REFUSED: short by 287 B at src/codec.rs:73:18, thread worker-1, waited 511 ms, holders are not known at level DISABLED"
    );
}

#[test]
fn whose_limit_it_was_and_for_whom_bytes_were_kept() {
    let refusal = Refusal {
        used: 500_000_000,
        kept: 30_000_000,
        budget: Some("tenant a\nREFUSED: forged".into()),
        holders: Vec::new(),
        ..refusal()
    };
    let text = refusal.to_string();
    assert_eq!(
        text.lines().nth(1).unwrap(),
        "REFUSED: short by 9906304 B at src/codec.rs:73:18, thread worker-1, limit of budget tenant a\\nREFUSED\\u{3a} forged, \
         30000000 B kept for who has waited longest, waited 511 ms, 0 sites hold references to 0 B"
    );
    assert_eq!((refusal.budget(), refusal.kept()), (Some("tenant a\nREFUSED: forged"), 30_000_000));
}

#[test]
fn what_no_handle_holds_is_said_as_well() {
    let refusal = Refusal { holders: Vec::new(), waited: Duration::ZERO, ..refusal() };
    assert!(refusal.to_string().ends_with("thread worker-1, 0 sites hold references to 0 B"), "{refusal}");
}

#[test]
fn the_largest_numbers_do_not_overflow() {
    let holder = stats("ByteBuf", site("src/filters.rs", 41, 22), u64::MAX, u64::MAX);
    let refusal =
        Refusal { requested: u64::MAX, used: u64::MAX, limit: 1, holders: vec![holder.clone(), holder], ..refusal() };
    assert_eq!(refusal.short_by(), u64::MAX - 1);
    assert!(refusal.to_string().contains("#2 100.0 % 18446744073709551615 B"), "{refusal}");
}

/// A budget that lost references have used up.
pub(super) fn abandoned() -> Refusal {
    let mut lost = stats("ByteBuf", site("src/filters.rs", 41, 22), 0, 0);
    (lost.created, lost.leaked, lost.leaked_bytes, lost.origin) = (103, 103, 1_048_576, Origin::Retained);
    Refusal {
        error: "failed to allocate 4096 byte(s) of direct memory (used: 1048576, max: 1048576)".into(),
        requested: 4096,
        used: 1_048_576,
        limit: 1_048_576,
        holders: Vec::new(),
        waited: Duration::ZERO,
        abandoned: 1_048_576,
        lost: vec![lost],
        ..refusal()
    }
}

#[test]
fn what_is_abandoned_has_no_holder_and_is_named_all_the_same() {
    assert_eq!(
        abandoned().to_string(),
        "\
REFUSED: failed to allocate 4096 byte(s) of direct memory (used: 1048576, max: 1048576)
REFUSED: short by 4096 B at src/codec.rs:73:18, thread worker-1, 0 sites hold references to 0 B
REFUSED: 100.0 % 1048576 B abandoned: their references were lost, and nothing gives them back
REFUSED: lost 1048576 B in 103 lost, ByteBuf retained src/filters.rs:41:22"
    );
}
