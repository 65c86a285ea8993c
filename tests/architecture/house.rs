//! The rules of the house: small files, reasons for what a lint is told to overlook, no place of work in what is committed.

use super::source::{Source, closing, places_of, repository, sample, sources};

/// Lines of a file, its documentation and tests included. A longer one has two subjects.
const MOST_LINES: usize = 400;

/// Every attribute of a file, with its place; the text within strings too.
pub(super) fn attributes(file: &Source) -> Vec<(usize, &str)> {
    let mut attributes = Vec::new();
    for begin in ["#[", "#!["] {
        for (at, _) in file.code.match_indices(begin) {
            attributes.push((at, &file.text[at..closing(&file.code, at + begin.len() - 1)]));
        }
    }
    attributes
}

fn too_long(files: &[Source]) -> Vec<String> {
    let lines = files.iter().map(|file| (file, file.text.lines().count()));
    lines
        .filter(|(_, lines)| *lines > MOST_LINES)
        .map(|(file, lines)| format!("{} has {lines} lines", file.path))
        .collect()
}

/// Attributes that silence a lint and do not say why.
fn without_reason(files: &[Source]) -> Vec<String> {
    let mut violations = Vec::new();
    for file in files {
        for (at, attribute) in attributes(file) {
            for place in places_of(attribute, &["allow", "expect"]) {
                let silenced =
                    attribute[place..].find('(').map(|open| &attribute[place..closing(attribute, place + open)]);
                if silenced.is_some_and(|silenced| !silenced.contains("reason = \"")) {
                    violations.push(format!("{}:{} {attribute}", file.path, file.line(at)));
                }
            }
        }
    }
    violations
}

/// The only place that a lock file may name: who builds elsewhere tells cargo so in a file of their own.
fn registry() -> String {
    format!("{}+{}://github.com/rust-lang/{}.io-index", "registry", "https", "crates")
}

/// Files that name a package registry's host.
///
/// The words are put together here, so that this file does not have them.
fn hosts(files: &[Source]) -> Vec<String> {
    let schemes = ["registry+", "sparse+"].map(|scheme| format!("{scheme}http"));
    let names = ["artifactory", "nexus", "jfrog", "cloudsmith", "verdaccio", "devpi"].map(|name| format!("{name}."));
    let settings = ["REGISTRIES_", "SOURCE_", "REGISTRY_"].map(|setting| format!("{}_{setting}", "CARGO"));
    let words: Vec<String> = schemes.into_iter().chain(names).chain(settings).collect();
    let mut violations = Vec::new();
    for file in files {
        if file.path.contains(".cargo/") {
            violations.push(format!("{} belongs to a machine, not to the project", file.path));
        }
        let text = file.text.replace(&registry(), "");
        for word in words.iter().filter(|word| text.contains(word.as_str())) {
            violations.push(format!("{} names a registry's host: {word}", file.path));
        }
    }
    violations
}

#[test]
fn no_file_has_two_subjects() {
    assert_eq!(too_long(&sources()), [""; 0]);
}

#[test]
fn what_is_overlooked_has_a_reason() {
    let sources: Vec<Source> = repository().into_iter().filter(|file| file.path.ends_with(".rs")).collect();
    assert_eq!(without_reason(&sources), [""; 0]);
}

#[test]
fn no_file_names_a_registrys_host() {
    assert_eq!(hosts(&repository()), [""; 0]);
}

#[test]
fn a_sample_that_breaks_a_rule_is_seen() {
    let long = "\n".repeat(MOST_LINES + 1);
    assert_eq!(too_long(&sample(&[("src/a.rs", &long), ("src/b.rs", &long[1..])])), ["src/a.rs has 401 lines"]);

    for text in [
        "#[allow(dead_code)] fn f() {}",
        "#![cfg_attr(unix, allow(dead_code))]",
        "#[expect(\n dead_code,\n)]\nfn f() {}",
    ] {
        assert_eq!(without_reason(&sample(&[("src/a.rs", text)])).len(), 1, "{text}");
    }
    let fine = "#[allow(dead_code, reason = \"a )\")] fn f() { g().expect(\"it works\") } // #[allow(dead_code)]";
    assert_eq!(without_reason(&sample(&[("src/a.rs", fine)])), [""; 0]);

    let lock = format!("source = \"{}\"\n", registry());
    assert_eq!(hosts(&sample(&[("Cargo.lock", &lock)])), [""; 0]);
    let elsewhere = lock.replace("github.com/rust-lang", "packages.example.org");
    assert_eq!(hosts(&sample(&[("Cargo.lock", &elsewhere)])).len(), 1);
    assert_eq!(hosts(&sample(&[("docs/A.md", &format!("https://nexus{}example.org/cargo/", '.'))])).len(), 1);
    assert_eq!(hosts(&sample(&[(".cargo/config.toml", "")])).len(), 1);
}
