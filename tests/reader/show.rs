//! One cause with its whole trail.

use super::harness::{BLOCK, FP, Folder, SITE, first, run, run_with};

fn show(args: &[&str], log: &str) -> String {
    let ran = run_with(&[&["show"], args].concat(), log.as_bytes());
    assert_eq!(ran.status, 0, "{ran:?}");
    ran.out
}

#[test]
fn the_whole_trail_with_its_source_lines() {
    let folder = Folder::new();
    let source = (1..60).map(|line| format!("    line {line};\n")).collect::<String>();
    folder.file("src/filters.rs", source);
    let folder = folder.path().to_str().expect("UTF-8");
    assert_eq!(
        show(&[FP, "--source", folder], &(first(12, SITE, 7, FP) + BLOCK)),
        "\
LEAK ByteBuf src/filters.rs:41:22
  count 7, 70 B (70 B)
  first seen 2026-11-20T03:12:00Z, last seen 2026-11-20T03:12:00Z
  from leaktrail, fp=5b1c09e2a4f7d310

trail 1 of 1, -:1
  Recent access records:
  #1:
    Hint: 'decode' will handle the buffer from this point.
    (dropped +12 ms, thread worker-3)
    gateway::filters::log_body (src/filters.rs:57:9)
        > line 57;
  Created at:
    (2026-11-20T03:12:44Z, thread worker-3)
    gateway::filters::cache_body (src/filters.rs:41:22)
        > line 41;
"
    );
}

#[test]
fn each_path_once_and_the_newest_of_it() {
    let other = BLOCK.replace("log_body", "drop_body");
    let newer = BLOCK.replace("+12 ms", "+99 ms");
    let log = [first(1, SITE, 1, FP).as_str(), BLOCK, &first(2, SITE, 2, FP), &other, &first(3, SITE, 3, FP), &newer]
        .concat();
    let shown = show(&[FP], &log);
    assert_eq!(
        (shown.matches("\ntrail ").count(), shown.contains("+12 ms"), shown.contains("+99 ms")),
        (2, true, true),
        "{shown}"
    );
    assert!(shown.contains("trail 1 of 2, -:19\n") && shown.contains("trail 2 of 2, -:10\n"), "{shown}");
}

#[test]
fn the_first_digits_are_enough_while_there_is_one() {
    let log = first(1, SITE, 1, FP) + &first(1, "src/b.rs:1:1", 1, "5b1c000000000000");
    assert!(show(&["5B1C09"], &log).contains(SITE));
    assert!(show(&["5b1c0000"], &log).contains("no trail in these logs"));
    let ran = run_with(&["show", "5b1c"], log.as_bytes());
    assert!(ran.status == 2 && ran.err.contains("5b1c000000000000, 5b1c09e2a4f7d310"), "{ran:?}");
    let ran = run_with(&["show", "77"], log.as_bytes());
    assert!(ran.status == 1 && ran.out.is_empty() && ran.err.contains("no cause 77"), "{ran:?}");
}

#[test]
fn what_is_cut_off_or_mixed_says_so() {
    let lines: Vec<&str> = BLOCK.lines().collect();
    let cut = first(1, SITE, 1, FP) + &lines[..4].join("\n") + "\n[2026-11-20T03:14:00Z INFO  x] y\n";
    assert!(show(&[FP], &cut).contains("cut off: its end is missing"));
    let mixed = BLOCK.replace("Created at:", "[2026-11-20T03:14:00Z INFO  x] y\nCreated at:");
    let shown = show(&[FP], &(first(1, SITE, 1, FP) + &mixed));
    assert!(shown.contains("mixed with other lines") && !shown.contains("cut off"), "{shown}");
    let ran = run_with(&["top"], (cut + &first(1, SITE, 1, FP) + &mixed).as_bytes());
    assert!(ran.err.contains("1 reports cut off, 1 reports mixed with other lines"), "{}", ran.err);
    // A whole one is worth more than a newer one that is cut off.
    let both = first(1, SITE, 1, FP) + BLOCK + &first(2, SITE, 2, FP) + &BLOCK[..BLOCK.len() - 20];
    assert!(!show(&[FP], &both).contains("cut off"));
}

#[test]
fn a_trail_of_nettys_and_of_a_refusal() {
    let ran = run(&["show", "015a9e89d7a7573c", "netty-logback.log"]);
    assert!(ran.out.contains("LEAK ByteBuf com.example.gateway.BodyCache.busy(BodyCache.java:19)"), "{}", ran.out);
    assert!(ran.out.contains("  count 3, bytes not known\n") && ran.out.contains("    Hint: inflate\n"), "{}", ran.out);
    assert!(ran.out.contains("leak records were discarded because they were duplicates"), "{}", ran.out);
    let ran = run(&["show", "0cfb22aa28c4faea", "gateway.log"]);
    assert!(ran.out.contains("REFUSED: #1 100.0 % 1048576 B in 103 live"), "{}", ran.out);
}
