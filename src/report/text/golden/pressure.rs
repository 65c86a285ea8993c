//! The `LIVE:` lines of a limit that comes near.

use super::refusal::refusal;
use super::*;
use crate::report::{Limited, Pressure, Severity};

/// The hoard of [`refusal`], before it is refused.
pub(super) fn near() -> Pressure {
    Pressure {
        of: Limited::Budget,
        mark: 95,
        used: 512_345_088,
        limit: 536_870_912,
        holders: refusal().holders,
        resident: None,
        level: Level::Simple,
    }
}

/// The same in a small container.
pub(super) fn nearly_killed() -> Pressure {
    let mut holders = refusal().holders;
    holders.truncate(1);
    Pressure {
        of: Limited::ControlGroup,
        mark: 90,
        used: 966_367_642,
        limit: 1_073_741_824,
        holders,
        resident: Some(851_443_712),
        ..near()
    }
}

#[test]
fn a_budget_that_is_nearly_used_up() {
    let text = near().to_string();
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(
        lines[..3],
        [
            "LIVE: budget at 95.4 %: 512345088 of 536870912 B used, 9 sites hold references to 520093983 B",
            "LIVE: #1 91.7 % 469762048 B in 28672 live, last 60 s created 480 released 0 (never released), ByteBuf retained src/filters.rs:41:22",
            "LIVE: #2 6.1 % 31457280 B in 480 live, last 60 s created 9120 released 9118 (busy), ByteBuf created src/body.rs:19:14",
        ]
    );
    assert_eq!((lines.len(), lines[9]), (10, "LIVE: and 1 more site"));
    assert_eq!(near().severity(), Severity::Error);
    assert_eq!(Pressure { mark: 80, ..near() }.severity(), Severity::Warn);
}

#[test]
fn a_control_group_that_is_nearly_used_up() {
    assert_eq!(
        nearly_killed().to_string(),
        "\
LIVE: control group at 90.0 %: 966367642 of 1073741824 B used, 1 site holds references to 469762048 B
LIVE: #1 48.6 % 469762048 B in 28672 live, last 60 s created 480 released 0 (never released), ByteBuf retained src/filters.rs:41:22
LIVE: tracked live 448 MiB of RSS 812 MiB (55 %): the rest is not in tracked handles"
    );
}
