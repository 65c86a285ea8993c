//! The pages: each is reached from the first one, each link and each named file and test is there.

use std::collections::BTreeSet;

use super::source::{Source, repository, sample};

/// The pages that a reader starts from.
const STARTS: [&str; 2] = ["README.md", "docs/ARCHITECTURE.md"];

fn page<'a>(files: &'a [Source], path: &str) -> Option<&'a Source> {
    files.iter().find(|file| file.path == path)
}

/// The targets of a page's links, relative to the repository; those that leave it are left out.
fn links(page: &Source) -> Vec<String> {
    let folder = page.path.rsplit_once('/').map_or("", |(folder, _)| folder);
    let targets = page.text.split("](").skip(1).filter_map(|rest| rest.split(')').next());
    let targets = targets.map(|target| target.split('#').next().unwrap_or_default());
    targets
        .filter(|target| !target.is_empty() && !target.contains("://"))
        .map(|target| normal(folder, target))
        .collect()
}

fn normal(folder: &str, target: &str) -> String {
    let mut parts: Vec<&str> = folder.split('/').filter(|part| !part.is_empty()).collect();
    for part in target.split('/') {
        match part {
            "." | "" => {}
            ".." => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    parts.join("/")
}

/// Pages of `docs/` that no start links to.
fn not_reached(files: &[Source]) -> Vec<String> {
    let reached: BTreeSet<String> = STARTS.iter().filter_map(|start| page(files, start)).flat_map(links).collect();
    let pages = files.iter().map(|file| &file.path).filter(|path| is_a_page_of_docs(path));
    pages.filter(|path| !reached.contains(*path)).cloned().collect()
}

fn is_a_page_of_docs(path: &str) -> bool {
    path.starts_with("docs/") && path.ends_with(".md")
}

fn is_there(files: &[Source], path: &str) -> bool {
    let folder = format!("{}/", path.trim_end_matches('/'));
    files.iter().any(|file| file.path == path || file.path.starts_with(&folder))
}

/// Links to what is not there.
fn dead_links(files: &[Source]) -> Vec<String> {
    let pages = files.iter().filter(|file| file.path.ends_with(".md"));
    pages
        .flat_map(|page| links(page).into_iter().map(move |target| (page, target)))
        .filter(|(_, target)| !is_there(files, target))
        .map(|(page, target)| format!("{} links to {target}", page.path))
        .collect()
}

/// Files of the repository that a page names in backticks (`src/a.rs`, `tests/b.rs`, `.ci/run`) and tests that it names as
/// `file: name_of_test`, which are not there.
fn named_and_missing(files: &[Source], page: &Source) -> Vec<String> {
    let mut missing = Vec::new();
    for named in page.text.split('`').skip(1).step_by(2) {
        let (path, test) = named.split_once(": ").map_or((named, None), |(path, test)| (path, Some(test)));
        let is_path =
            ["src/", "tests/", "docs/", "examples/", ".ci/", "benches/"].iter().any(|root| path.starts_with(root))
                && path.chars().all(|c| c.is_ascii_alphanumeric() || "/._-".contains(c));
        if !is_path {
            continue;
        }
        let in_file =
            |test: &str| files.iter().any(|file| file.path == path && file.text.contains(&format!("fn {test}(")));
        if !is_there(files, path) || test.is_some_and(|test| !in_file(test)) {
            missing.push(format!("{} names {named}", page.path));
        }
    }
    missing
}

/// Pages whose snippets no documentation test compiles.
fn not_compiled(files: &[Source]) -> Vec<String> {
    let library = page(files, "src/lib.rs").map_or("", |library| &library.text);
    let pages = files.iter().filter(|file| file.path == "README.md" || is_a_page_of_docs(&file.path));
    let included = |page: &&Source| library.contains(&format!("include_str!(\"../{}\")", page.path));
    pages.filter(|page| !included(page)).map(|page| page.path.clone()).collect()
}

/// Test executables that the page about testing has no row for.
fn without_a_row(files: &[Source]) -> Vec<String> {
    let rows = page(files, "docs/TESTING.md").map_or("", |page| &page.text);
    let tests = files.iter().filter_map(|file| {
        let name = file.path.strip_prefix("tests/")?;
        if name.ends_with("/main.rs") {
            file.path.strip_suffix("main.rs")
        } else {
            (!name.contains('/')).then_some(&*file.path)
        }
    });
    tests.filter(|test| !rows.contains(&format!("`{test}`"))).map(str::to_owned).collect()
}

#[test]
fn every_test_has_its_row() {
    assert_eq!(without_a_row(&repository()), [""; 0]);
}

#[test]
fn every_page_is_compiled() {
    assert_eq!(not_compiled(&repository()), [""; 0]);
}

#[test]
fn every_page_is_reached() {
    assert_eq!(not_reached(&repository()), [""; 0]);
}

#[test]
fn no_link_is_dead() {
    assert_eq!(dead_links(&repository()), [""; 0]);
}

#[test]
fn what_a_page_names_is_there() {
    let files = repository();
    for path in ["README.md", "docs/ARCHITECTURE.md", "docs/SAFETY.md", "docs/TESTING.md", "docs/PERFORMANCE.md"] {
        assert_eq!(named_and_missing(&files, page(&files, path).expect(path)), [""; 0]);
    }
}

#[test]
fn a_sample_with_a_lost_page_is_seen() {
    let files = sample(&[
        (
            "README.md",
            "[the map](docs/ARCHITECTURE.md#floors) and [gone](docs/GONE.md), [elsewhere](https://example.org/x)",
        ),
        (
            "docs/ARCHITECTURE.md",
            "[here](A.md), [above](../README.md). `src/a.rs`, `src/b.rs`, `src/a.rs: works`, `src/a.rs: breaks`",
        ),
        ("docs/A.md", ""),
        ("docs/B.md", ""),
        ("src/a.rs", "#[test]\nfn works() {}"),
        ("src/lib.rs", "include_str!(\"../README.md\") include_str!(\"../docs/A.md\") include_str!(\"../docs/B.md\")"),
    ]);
    assert_eq!(not_compiled(&files), ["docs/ARCHITECTURE.md"]);
    let tests =
        [("docs/TESTING.md", "`tests/a.rs`"), ("tests/a.rs", ""), ("tests/b/main.rs", ""), ("tests/c/mod.rs", "")];
    assert_eq!(without_a_row(&sample(&tests)), ["tests/b/"]);
    assert_eq!(not_reached(&files), ["docs/B.md"]);
    assert_eq!(dead_links(&files), ["README.md links to docs/GONE.md"]);
    assert_eq!(
        named_and_missing(&files, &files[1]),
        ["docs/ARCHITECTURE.md names src/b.rs", "docs/ARCHITECTURE.md names src/a.rs: breaks"]
    );
}
