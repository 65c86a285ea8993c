//! What has changed, and what the exit status says of it.

use serde_json::{Value, json};

use super::harness::{FP, Folder, SITE, array, first, run, run_with};

const OTHER: &str = "0000000000000001";

fn changes(out: &str) -> Vec<(String, u64, u64)> {
    let number = |row: &Value, field: &str| row[field].as_u64().expect("a number");
    let change = |row: &Value| row["change"].as_str().expect("a word").to_owned();
    array(out).iter().map(|row| (change(row), number(row, "count_before"), number(row, "count"))).collect()
}

#[test]
fn new_or_worse_is_status_1_and_anything_else_0() {
    let folder = Folder::new();
    let before = folder.file("before.log", first(1, SITE, 5, FP) + &first(1, "src/b.rs:1:1", 5, OTHER));
    let baseline = folder.file("leaks.json", "");
    assert_eq!(run(&["baseline", "--output", &baseline, &before]).status, 0);
    for (what, now, status, expected) in [
        ("the same", first(9, SITE, 5, FP) + &first(9, "src/b.rs:1:1", 5, OTHER), 0, vec![]),
        ("worse", first(9, SITE, 6, FP) + &first(9, "src/b.rs:1:1", 5, OTHER), 1, vec![("worse", 5, 6)]),
        ("better and gone", first(9, SITE, 4, FP), 0, vec![("better", 5, 4), ("gone", 5, 0)]),
        (
            "new",
            first(9, SITE, 5, FP)
                + &first(9, "src/b.rs:1:1", 5, OTHER)
                + &first(9, "src/c.rs:1:1", 1, "0000000000000002"),
            1,
            vec![("new", 0, 1)],
        ),
        (
            "moved",
            first(9, "src/filters.rs:44:22", 5, "0000000000000003") + &first(9, "src/b.rs:1:1", 5, OTHER),
            0,
            vec![("moved", 0, 5)],
        ),
        (
            "moved and worse",
            first(9, "src/filters.rs:44:22", 6, "0000000000000003") + &first(9, "src/b.rs:1:1", 5, OTHER),
            1,
            vec![("worse", 0, 6)],
        ),
    ] {
        let now = folder.file("now.log", now);
        for old in [&baseline, &before] {
            let ran = run(&["diff", "--format", "json", old, &now]);
            let expected: Vec<_> = expected.iter().map(|&(word, before, now)| (word.to_owned(), before, now)).collect();
            assert_eq!((ran.status, changes(&ran.out)), (status, expected), "{what}: {ran:?}");
        }
    }
    let ran = run_with(&["diff", &baseline, "-"], first(9, SITE, 6, FP).as_bytes());
    assert_eq!(ran.status, 1);
    assert!(ran.out.contains("worse") && ran.err.contains("0 new, 1 worse, 0 moved, 0 better, 1 gone"), "{ran:?}");
}

#[test]
fn a_baseline_is_the_same_whatever_the_order_of_the_log() {
    let lines = [first(1, SITE, 5, FP), first(2, "src/b.rs:1:1", 7, OTHER)];
    let [one, other] = [lines.concat(), lines.iter().rev().cloned().collect()]
        .map(|log: String| run_with(&["baseline"], log.as_bytes()));
    assert_eq!((one.status, &one.out), (0, &other.out));
    let baseline: Value = serde_json::from_str(&one.out).expect("JSON");
    assert_eq!(
        (&baseline["schema"], &baseline["causes"][0]["site"]),
        (&json!("leaktrail-baseline-1"), &json!("src/b.rs:1:1"))
    );
}

#[test]
fn what_cannot_be_compared_is_status_2() {
    let folder = Folder::new();
    let log = folder.file("app.log", first(1, SITE, 5, FP));
    let bad = folder.file("bad.json", "{\"schema\":\"leaktrail-baseline-1\",\"causes\":[");
    let later = folder.file("later.json", "{\"schema\":\"leaktrail-baseline-9\",\"causes\":[]}");
    let missing = folder.path().join("missing.log");
    let missing = missing.to_str().expect("UTF-8");
    for args in [[&bad, log.as_str()], [&later, &log], [missing, &log], [&log, missing], [&log, &bad]] {
        let ran = run(&[&["diff"], &args[..]].concat());
        assert_eq!(ran.status, 2, "{args:?}: {ran:?}");
        assert!(ran.out.is_empty() && ran.err.contains("error: "), "{ran:?}");
    }
    for args in [&["diff"][..], &["diff", &log], &["top", "--only", "guilty"], &["top", missing], &["nonsense"], &[]] {
        assert_eq!(run(args).status, 2, "{args:?}");
    }
    let ran = run(&["baseline", missing]);
    assert_eq!((ran.status, ran.out.as_str()), (2, ""));
}
