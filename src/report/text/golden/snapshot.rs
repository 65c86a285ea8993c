//! The table of a snapshot.

use std::time::Duration;

use super::*;
use crate::report::{Discarded, Snapshot, Watched};

fn snapshot() -> Snapshot {
    let mut kept = stats("ByteBuf", site("src/filters.rs", 41, 22), 28_672, 469_762_048);
    kept.origin = Origin::Retained;
    let mut body = stats("ByteBuf", site("src/body.rs", 19, 14), 0, 0);
    (body.created, body.released, body.leaked, body.leaked_bytes, body.untracked) = (48_137, 48_126, 9, 36_864, 2);
    Snapshot {
        level: Level::Simple,
        sites: vec![kept, body],
        uptime: Duration::from_secs(3_725),
        discarded: Discarded::default(),
        faults: 0,
        watched: Watched::default(),
        resident: None,
        unwritten: 0,
        self_bytes: 0,
        walker: "rules".into(),
    }
}

#[test]
fn what_is_watched_and_what_part_of_the_process_is_tracked() {
    let watched = Watched { growing_sites: 1, held_too_long: 3, pinning: 0 };
    let snapshot = Snapshot { watched, resident: Some(851_443_712), ..snapshot() };
    let text = snapshot.to_string();
    let lines: Vec<&str> = text.lines().skip(1).take(2).collect();
    assert_eq!(
        lines,
        [
            "tracked live 448 MiB of RSS 812 MiB (55 %): the rest is not in tracked handles",
            "1 site growing, 3 held too long, 0 pinning (of those with a trail)",
        ]
    );
}

#[test]
fn a_table_for_a_person() {
    assert_eq!(
        snapshot().to_string(),
        "\
level SIMPLE, up 1 h 2 min: 76809 created, 48126 released, 9 lost (36864 B), 2 untracked, 28672 live (469762048 B)
 live     live B  created  released  lost  lost B  untracked  resource and site
28672  469762048    28672         0     0       0          0  ByteBuf retained src/filters.rs:41:22
    0          0    48137     48126     9   36864          2  ByteBuf created src/body.rs:19:14"
    );
}

#[test]
fn nothing_yet() {
    let snapshot = Snapshot { sites: Vec::new(), ..snapshot() };
    assert_eq!(
        snapshot.to_string(),
        "level SIMPLE, up 1 h 2 min: 0 created, 0 released, 0 lost (0 B), 0 untracked, 0 live (0 B)"
    );
}

#[test]
fn sites_over_the_cap_share_a_row() {
    let discarded = Discarded { sites: 12, ..Discarded::default() };
    let snapshot =
        Snapshot { sites: vec![stats("ByteBuf", site("(other sites)", 0, 0), 12, 0)], discarded, ..snapshot() };
    let text = snapshot.to_string();
    let lines: Vec<&str> = text.lines().skip(2).collect();
    assert_eq!(
        lines,
        [
            "  12       0       12         0     0       0          0  ByteBuf created (other sites)",
            "not kept, over a cap: 12 sites",
        ]
    );
    let failed = Snapshot { faults: 1, ..snapshot };
    assert!(failed.to_string().ends_with(
        "not kept, over a cap: 12 sites\nswitched off by 1 internal fault; what was made after the first is not counted"
    ));
}
