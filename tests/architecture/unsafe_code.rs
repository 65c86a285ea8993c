//! `unsafe` stands in the files that `docs/SAFETY.md` has a section for, and in no others.

use std::collections::BTreeSet;

use super::house::attributes;
use super::source::{Source, places_of, repository, sample, sources};

/// The files that a page has a section for: headings that begin with a path in backticks.
fn listed(page: &str) -> BTreeSet<String> {
    let heading =
        |line: &str| line.trim_start_matches('#').trim_start().strip_prefix('`')?.split('`').next().map(str::to_owned);
    page.lines()
        .filter(|line| line.starts_with('#'))
        .filter_map(heading)
        .filter(|path| path.starts_with("src/"))
        .collect()
}

/// Files with `unsafe` that the page does not list, and listed ones without.
fn not_as_listed(files: &[Source], page: &str) -> Vec<String> {
    let listed = listed(page);
    let with: BTreeSet<String> = files
        .iter()
        .filter(|file| !places_of(&file.code, &["unsafe"]).is_empty())
        .map(|file| file.path.clone())
        .collect();
    let missing = with.difference(&listed).map(|path| format!("{path} has unsafe code and no section"));
    missing.chain(listed.difference(&with).map(|path| format!("{path} has a section and no unsafe code"))).collect()
}

/// Files where the lint is off without need, or on in spite of it.
fn lint_not_as_needed(files: &[Source]) -> Vec<String> {
    let mut violations = Vec::new();
    for file in files {
        let is_needed = !places_of(&file.code, &["unsafe"]).is_empty();
        let is_off = attributes(file).iter().any(|(_, attribute)| attribute.contains("allow(unsafe_code"));
        if is_needed != is_off {
            violations.push(format!("{}: unsafe code: {is_needed}, allowed: {is_off}", file.path));
        }
    }
    violations
}

#[test]
fn every_file_with_unsafe_has_a_section_and_no_other_has() {
    let page = repository().into_iter().find(|file| file.path == "docs/SAFETY.md").expect("the page is here");
    assert_eq!(not_as_listed(&sources(), &page.text), [""; 0]);
}

#[test]
fn the_lint_is_off_where_it_has_to_be_and_nowhere_else() {
    assert_eq!(lint_not_as_needed(&sources()), [""; 0]);
}

#[test]
fn a_sample_that_is_not_listed_is_seen() {
    let files = sample(&[
        ("src/raw.rs", "#![allow(unsafe_code, reason = \"raw memory\")]\nfn f() { unsafe { g() } }"),
        ("src/safe.rs", "// unsafe\nconst A: &str = \"unsafe\"; fn unsafe_looking() {}"),
    ]);
    let page = "# Unsafe code\n\n## `src/raw.rs`\n\ntext about `src/safe.rs`\n";
    assert_eq!(not_as_listed(&files, page), [""; 0]);
    assert_eq!(not_as_listed(&files, ""), ["src/raw.rs has unsafe code and no section"]);
    assert_eq!(not_as_listed(&files[1..], page), ["src/raw.rs has a section and no unsafe code"]);
    assert_eq!(lint_not_as_needed(&files), [""; 0]);
    for text in ["fn f() { unsafe { g() } }", "#![allow(unsafe_code, reason = \"\")]"] {
        assert_eq!(lint_not_as_needed(&sample(&[("src/a.rs", text)])).len(), 1, "{text}");
    }
}
