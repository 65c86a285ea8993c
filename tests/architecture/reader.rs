//! The command needs what a report is, and nothing that makes one; within it imports point down too.

use super::circles::circles;
use super::imports::{Import, Read, imports};
use super::source::{Source, places_of, sample, sources};

/// The rooms of the command, each with its floor.
const FLOORS: [(&str, u8); 8] =
    [("log", 0), ("failure", 0), ("causes", 1), ("args", 1), ("input", 2), ("output", 2), ("command", 3), ("main", 4)];

/// What the command may name of the library.
const OF_THE_LIBRARY: [&str; 2] = ["src/report/", "src/level.rs"];

const COMMAND: &str = "src/bin/leaktrail/";

/// All sources with the command's as a room of the library's: its own root is below the library's, and the library is
/// what the command calls `leaktrail`.
fn with_the_command(files: Vec<Source>) -> Vec<Source> {
    let as_a_room = |file: Source| match file.path.starts_with(COMMAND) {
        false => file,
        true => {
            let text = file.text.replace("crate::", "\0").replace("leaktrail::", "crate::");
            let mut own = Source::new(&file.path, &text.replace('\0', "crate::bin::leaktrail::"));
            // What only tests compile was found with the other files at hand.
            if file.production.trim().is_empty() {
                own.production = file.production;
            }
            own
        }
    };
    files.into_iter().map(as_a_room).collect()
}

fn room(path: &str) -> &str {
    let inside = path.trim_start_matches(COMMAND);
    inside.split_once('/').map_or(inside.trim_end_matches(".rs"), |(room, _)| room)
}

fn floor(path: &str) -> Option<u8> {
    FLOORS.iter().find(|(name, _)| *name == room(path)).map(|(_, floor)| *floor)
}

fn tell(import: &Import, what: &str) -> String {
    format!("{}:{}: {} ({}) {what}", import.from, import.line, import.path, import.to)
}

/// What the command drags along beyond reports.
fn more_than_reports(files: &[Source]) -> Vec<String> {
    let is_more = |import: &Import| {
        import.from.starts_with(COMMAND)
            && !import.to.starts_with(COMMAND)
            && !OF_THE_LIBRARY.iter().any(|allowed| import.to.starts_with(allowed))
    };
    let imports = imports(files, Read::Everything).into_iter();
    imports.filter(is_more).map(|import| tell(&import, "is no report")).collect()
}

fn uphill(files: &[Source]) -> Vec<String> {
    let own = files.iter().filter(|file| file.path.starts_with(COMMAND));
    let nowhere = own.filter(|file| floor(&file.path).is_none()).map(|file| format!("{} is on no floor", file.path));
    let inside = imports(files, Read::Everything)
        .into_iter()
        .filter(|import| import.from.starts_with(COMMAND) && import.to.starts_with(COMMAND))
        .filter(|import| room(&import.from) != room(&import.to) && floor(&import.from) <= floor(&import.to));
    nowhere.chain(inside.map(|import| tell(&import, "does not point down"))).collect()
}

/// Reading a log and adding up is work on bytes alone.
fn touches_the_outside(files: &[Source]) -> Vec<String> {
    let words = ["File", "fs", "stdin", "stdout", "stderr", "print!", "println!", "eprintln!", "Command", "env"];
    let pure =
        files.iter().filter(|file| file.path.starts_with(COMMAND) && ["log", "causes"].contains(&room(&file.path)));
    pure.flat_map(|file| {
        places_of(&file.production, &words).into_iter().map(|at| format!("{}:{}", file.path, file.line(at)))
    })
    .collect()
}

#[test]
fn the_command_needs_reports_and_nothing_else() {
    let files = with_the_command(sources());
    assert_eq!(more_than_reports(&files), [""; 0]);
    // A rule about a command that names nothing of the library's holds nothing.
    let of_reports = |import: &Import| import.from.starts_with(COMMAND) && import.to.starts_with("src/report/");
    assert!(imports(&files, Read::WithoutTests).iter().any(of_reports));
}

#[test]
fn the_library_knows_no_command() {
    let up = |import: &Import| !import.from.starts_with(COMMAND) && import.to.starts_with(COMMAND);
    assert!(!imports(&with_the_command(sources()), Read::Everything).iter().any(up));
}

#[test]
fn within_the_command_imports_point_down_and_in_no_circle() {
    let files = with_the_command(sources());
    assert_eq!(uphill(&files), [""; 0]);
    let own: Vec<Source> = files.into_iter().filter(|file| file.path.starts_with(COMMAND)).collect();
    assert_eq!(circles(&own, str::to_owned), [[""; 0]; 0]);
}

#[test]
fn what_reads_and_adds_up_touches_nothing_outside() {
    assert_eq!(touches_the_outside(&sources()), [""; 0]);
}

#[test]
fn a_sample_that_breaks_a_rule_is_seen() {
    let files = |path: &str, text: &str| {
        with_the_command(sample(&[
            ("src/lib.rs", "mod report; mod detector; pub use report::LeakReport; pub use detector::track;"),
            ("src/report/mod.rs", "pub struct LeakReport;"),
            ("src/detector/mod.rs", "pub fn track() {}"),
            ("src/bin/leaktrail/main.rs", "mod log; mod input;"),
            ("src/bin/leaktrail/log/mod.rs", ""),
            ("src/bin/leaktrail/input/mod.rs", ""),
            (path, text),
        ]))
    };
    let log = "src/bin/leaktrail/log/words.rs";
    assert_eq!(more_than_reports(&files(log, "use leaktrail::LeakReport;")), [""; 0]);
    assert_eq!(more_than_reports(&files(log, "use leaktrail::track;")).len(), 1);
    assert_eq!(more_than_reports(&files(log, "fn f() { leaktrail::track() }")).len(), 1);
    assert_eq!(uphill(&files(log, "use crate::log::Kind;")), [""; 0]);
    assert_eq!(uphill(&files(log, "use crate::input;")).len(), 1);
    assert_eq!(uphill(&files("src/bin/leaktrail/cellar.rs", "")), ["src/bin/leaktrail/cellar.rs is on no floor"]);
    assert_eq!(touches_the_outside(&files(log, "fn f() { std::fs::read(\"x\") }")).len(), 1);
    assert_eq!(touches_the_outside(&files(log, "#[cfg(test)] mod tests { use std::env; }")), [""; 0]);
}
