//! Imports point down only, the two towers do not see each other, and a report needs nothing else.

use super::imports::{Import, Read, imports};
use super::source::{Source, library, sample};

/// The floor of each room. A room that is not here has none yet, and that is a violation too.
const FLOORS: [(&str, u8); 18] = [
    ("level", 0),
    ("clock", 0),
    ("sync", 0),
    ("fork", 0),
    ("hash", 0),
    ("shared_map", 0),
    ("config", 1),
    ("report", 1),
    ("ledger", 2),
    ("stack", 2),
    ("sink", 2),
    ("memory", 2),
    ("trail", 3),
    ("buffer", 3),
    ("detector", 4),
    ("leak_aware", 5),
    ("testing", 6),
    ("lib", 7),
];

/// The rooms that know nothing of who is watched.
const TRACKING: [&str; 5] = ["ledger", "stack", "sink", "trail", "detector"];
/// The rooms that know nothing of who watches.
const BUFFERS: [&str; 2] = ["memory", "buffer"];

/// `src/a.rs` and `src/a/b/c.rs` are in the room a.
fn room(path: &str) -> &str {
    let inside = path.trim_start_matches("src/");
    inside.split_once('/').map_or(inside.trim_end_matches(".rs"), |(room, _)| room)
}

fn floor(path: &str) -> Option<u8> {
    FLOORS.iter().find(|(name, _)| *name == room(path)).map(|(_, floor)| *floor)
}

/// Imports that do not point down, tests included.
fn uphill(files: &[Source]) -> Vec<String> {
    let nowhere =
        files.iter().filter(|file| floor(&file.path).is_none()).map(|file| format!("{} is on no floor", file.path));
    let between_rooms =
        imports(files, Read::Everything).into_iter().filter(|import| room(&import.from) != room(&import.to));
    let uphill = between_rooms.filter(|import| floor(&import.from) <= floor(&import.to));
    nowhere.chain(uphill.map(|import| tell(&import, "does not point down"))).collect()
}

/// Imports from one tower to the other: only `leak_aware/` may name both.
fn across(files: &[Source]) -> Vec<String> {
    let across = |import: &Import| {
        let (from, to) = (room(&import.from), room(&import.to));
        BUFFERS.contains(&from) && TRACKING.contains(&to) || TRACKING.contains(&from) && BUFFERS.contains(&to)
    };
    let imports = imports(files, Read::Everything).into_iter();
    imports.filter(across).map(|import| tell(&import, "names the other tower")).collect()
}

/// What a report, and a program that only reads reports, would drag along.
fn report_needs(files: &[Source]) -> Vec<String> {
    let leaves = |import: &Import| room(&import.from) == "report" && !["report", "level"].contains(&room(&import.to));
    let imports = imports(files, Read::Everything).into_iter();
    imports.filter(leaves).map(|import| tell(&import, "is more than a report may need")).collect()
}

fn tell(import: &Import, what: &str) -> String {
    format!("{}:{}: {} ({}) {what}", import.from, import.line, import.path, import.to)
}

#[test]
fn imports_point_down() {
    assert_eq!(uphill(&library()), [""; 0]);
}

#[test]
fn neither_tower_names_the_other() {
    assert_eq!(across(&library()), [""; 0]);
}

#[test]
fn only_the_wrapper_names_both() {
    let imports = imports(&library(), Read::Everything);
    let names = |rooms: &'static [&str]| {
        move |import: &&Import| room(&import.from) == "leak_aware" && rooms.contains(&room(&import.to))
    };
    assert!(imports.iter().any(|import| names(&["buffer"])(&import)));
    assert!(imports.iter().any(|import| names(&["detector"])(&import)));
}

#[test]
fn a_report_needs_a_level_and_nothing_else() {
    assert_eq!(report_needs(&library()), [""; 0]);
}

#[test]
fn a_sample_that_points_up_is_seen() {
    let rooms = |text| {
        sample(&[
            ("src/lib.rs", "mod detector; mod report;"),
            ("src/report/mod.rs", text),
            ("src/detector/mod.rs", "mod core;"),
            ("src/detector/core.rs", ""),
        ])
    };
    assert_eq!(uphill(&rooms("")), [""; 0]);
    for text in [
        "use crate::detector::core;",
        "use super::detector::{self};",
        "fn f(_: crate::detector::core::Core) {}",
        "#[cfg(test)] mod tests { use super::super::detector; }",
    ] {
        assert_eq!(uphill(&rooms(text)).len(), 1, "{text}");
        assert!(uphill(&rooms(text))[0].starts_with("src/report/mod.rs:1: detector"), "{text}");
        assert_eq!(report_needs(&rooms(text)).len(), 1, "{text}");
    }
    assert_eq!(uphill(&sample(&[("src/cellar.rs", "")])), ["src/cellar.rs is on no floor"]);
    // Two rooms of one floor do not know each other either.
    let beside = sample(&[("src/stack/mod.rs", "use crate::ledger;"), ("src/ledger/mod.rs", "")]);
    assert_eq!(uphill(&beside).len(), 1);
}

#[test]
fn a_sample_that_crosses_is_seen() {
    for (from, to) in [("buffer", "ledger"), ("memory", "sink"), ("trail", "memory"), ("detector", "buffer")] {
        let [from_file, to_file] = [from, to].map(|room| format!("src/{room}/mod.rs"));
        let text = format!("use crate::{to}::Thing;");
        assert_eq!(across(&sample(&[(&from_file, &text), (&to_file, "")])).len(), 1, "{from} to {to}");
    }
    let wrapper = [
        ("src/leak_aware/mod.rs", "use crate::{buffer, detector};"),
        ("src/buffer/mod.rs", ""),
        ("src/detector/mod.rs", ""),
    ];
    assert_eq!(across(&sample(&wrapper)), [""; 0]);
}
