//! The first screen of the README is true: its program is the example, and its report is what that prints.

#[allow(dead_code, reason = "shared with other tests, which use the rest")]
mod example_process;

use std::fs;

/// A file of the repository.
fn file(path: &str) -> String {
    fs::read_to_string(format!("{}/{path}", env!("CARGO_MANIFEST_DIR"))).expect("the sources are here")
}

/// The first fenced block of the README that contains `mark`.
fn block(mark: &str) -> String {
    let readme = file("README.md");
    let blocks = readme.split("```").skip(1).step_by(2);
    let block =
        blocks.map(|block| block.split_once('\n').map_or("", |(_, text)| text)).find(|text| text.contains(mark));
    block.unwrap_or_else(|| panic!("the README has no block with {mark:?}")).to_owned()
}

/// A report without what differs from run to run: spans and moments.
fn steady(report: &str) -> Vec<String> {
    let is_moment = |word: &str| word.trim_start_matches(['\t', '(']).starts_with("20") && word.ends_with("Z,");
    let is_unit = |word: &&str| matches!(word.trim_end_matches(','), "ms" | "s");
    let steady_line = |line: &str| {
        let words: Vec<&str> = line.split(' ').collect();
        let kept = words.iter().enumerate().map(|(at, word)| match word {
            word if is_moment(word) => "MOMENT",
            _ if words.get(at + 1).is_some_and(is_unit) => "A",
            word if is_unit(word) => "SPAN",
            word => word,
        });
        kept.collect::<Vec<_>>().join(" ")
    };
    report.lines().map(steady_line).collect()
}

#[test]
fn the_program_is_the_example() {
    let example = file("examples/readme.rs");
    let code: Vec<&str> = example.lines().filter(|line| !line.is_empty() && !line.starts_with("//!")).collect();
    let shown = block("leaktrail::guard()");
    assert_eq!(shown.lines().collect::<Vec<_>>(), code);
    assert_eq!(code.len(), 8, "the README promises eight lines");
}

#[test]
fn the_report_is_what_the_example_prints() {
    let mut paranoid = example_process::command("readme");
    paranoid.env("LEAK_DETECTION_LEVEL", "paranoid");
    let ended = example_process::run(paranoid);
    assert_eq!(steady(&block("LEAK: Permit")), steady(&ended.stderr));
}

#[test]
fn without_a_variable_and_a_logger_it_is_silent() {
    let ended = example_process::run(example_process::command("readme"));
    assert_eq!((ended.stdout.as_str(), ended.stderr.as_str()), ("", ""));
}

#[test]
fn a_report_is_compared_without_its_times() {
    let one = "\t(2026-11-20T07:29:22Z, thread main)\n\t(dropped +0 ms, thread main)\nup 332 ms, 1 of 1";
    let other = "\t(2027-01-02T01:02:03Z, thread main)\n\t(dropped +12 ms, thread main)\nup 2 s, 1 of 1";
    assert_eq!(steady(one), steady(other));
    assert_ne!(steady(one), steady(&one.replace("1 of 1", "1 of 2")));
}
