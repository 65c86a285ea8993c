//! What only one place may do: read the environment, write to the outside, give names to addresses.

use super::source::{Source, library, places_of, repository, sample};

/// Words that are allowed in some places alone.
struct Rule {
    what: &'static str,
    words: &'static [&'static str],
    /// Files, or folders with a `/` at the end.
    places: &'static [&'static str],
    /// Whether tests may.
    tests_too: bool,
}

const ENVIRONMENT: Rule = Rule {
    what: "reads or changes the environment",
    words: &[
        "env::var",
        "env::vars",
        "env::var_os",
        "env::vars_os",
        "env::set_var",
        "env::remove_var",
        "getenv",
        "setenv",
        "option_env!",
    ],
    places: &["src/config/env.rs"],
    tests_too: true,
};

const OUTSIDE: Rule = Rule {
    what: "writes to the outside",
    words: &[
        "print!",
        "println!",
        "eprint!",
        "eprintln!",
        "stdout",
        "stderr",
        "log::log!",
        "log::error!",
        "log::warn!",
        "log::info!",
        "log::debug!",
        "log::trace!",
        "tracing::event!",
        "tracing::error!",
        "tracing::warn!",
        "tracing::info!",
        "with_recorder",
        "libc::write",
        "File",
        "OpenOptions",
        "fs::write",
        "fs::create_dir",
        "fs::rename",
        "openat",
        "renameat",
        "TcpStream",
        "UdpSocket",
        "UnixStream",
        "Command",
    ],
    places: &["src/sink/"],
    tests_too: false,
};

/// The file system is read for the machine's memory and for the level that an operator asks for, and for nothing else.
const FILES: Rule = Rule {
    what: "reads files",
    words: &["fs::read", "fs::read_to_string", "read_dir"],
    places: &["src/config/machine.rs", "src/config/control_file.rs"],
    tests_too: false,
};

const SYMBOLS: Rule = Rule {
    what: "gives names to addresses",
    words: &[
        "backtrace::resolve",
        "backtrace::resolve_frame",
        "resolve_unsynchronized",
        "backtrace::Backtrace",
        "Backtrace::new",
        "SymbolName",
        "dladdr",
        "dl_iterate_phdr",
        "Module::of",
    ],
    // The rules of a walk ask the loader once, at the start, which code there is.
    places: &["src/stack/symboliser.rs", "src/stack/module/", "src/stack/rules/modules.rs"],
    tests_too: false,
};

/// Who may ask for names: what makes reports, on the reporter's thread or where a flush was asked for. What opens,
/// touches and closes handles is not here.
const SYMBOLISER: Rule = Rule {
    what: "uses the symboliser",
    words: &["Symboliser", "symboliser"],
    places: &["src/stack/", "src/detector/telling/", "src/detector/guard.rs", "src/detector/leak_detector.rs"],
    tests_too: false,
};

/// A hint becomes text where a report is made, and nowhere else. The parts of a joined buffer share one, so theirs is a lazy
/// one around it.
const HINTS: Rule = Rule {
    what: "renders hints",
    words: &["render"],
    places: &["src/report/hint.rs", "src/detector/telling/", "src/buffer/joined_byte_buf.rs"],
    tests_too: false,
};

const LEFT_FOR_LATER: Rule =
    Rule { what: "is left for later", words: &["todo!", "unimplemented!", "dbg!"], places: &[], tests_too: true };

const RULES: [Rule; 6] = [ENVIRONMENT, OUTSIDE, FILES, SYMBOLS, SYMBOLISER, HINTS];

/// Where a file does what only others may.
fn breaks(rule: &Rule, files: &[Source]) -> Vec<String> {
    let is_place =
        |path: &str| rule.places.iter().any(|place| path == *place || place.ends_with('/') && path.starts_with(place));
    let mut violations = Vec::new();
    for file in files.iter().filter(|file| !is_place(&file.path)) {
        let code = if rule.tests_too { &file.code } else { &file.production };
        violations.extend(
            places_of(code, rule.words).into_iter().map(|at| format!("{}:{} {}", file.path, file.line(at), rule.what)),
        );
    }
    violations
}

#[test]
fn what_one_place_does_no_other_does() {
    let files = library();
    for rule in RULES {
        assert_eq!(breaks(&rule, &files), [""; 0]);
        // A rule about a place that is gone, or that does not do it, holds nothing.
        for place in rule.places {
            let here: Vec<Source> = files.iter().filter(|file| file.path.starts_with(place)).cloned().collect();
            assert!(!here.is_empty(), "{place} is not there");
            let nobody = Rule { places: &[], ..rule };
            assert!(!breaks(&nobody, &here).is_empty(), "{place} does not do it: {}", rule.what);
        }
    }
}

#[test]
fn nothing_is_left_for_later() {
    let sources = repository()
        .into_iter()
        .filter(|file| file.path.ends_with(".rs") && !file.path.starts_with("tests/compile_fail/"));
    assert_eq!(breaks(&LEFT_FOR_LATER, &sources.collect::<Vec<_>>()), [""; 0]);
}

#[test]
fn a_sample_that_does_it_elsewhere_is_seen() {
    for (rule, text) in [
        (ENVIRONMENT, "fn f() { std::env::var_os(\"HOME\"); }"),
        (ENVIRONMENT, "#[cfg(test)] mod tests { fn f() { env::set_var(\"A\", \"B\"); } }"),
        (OUTSIDE, "fn f() { println!(\"here\"); }"),
        (OUTSIDE, "fn f() { let _ = std::io::stderr().write_all(b\"\"); }"),
        (OUTSIDE, "fn f() { log::warn!(\"\"); }"),
        (OUTSIDE, "use std::fs::File;"),
        (OUTSIDE, "fn f() { unsafe { libc::renameat(a, b, c, d) } }"),
        (FILES, "fn f() { fs::read_to_string(path); }"),
        (SYMBOLS, "fn f() { backtrace::resolve(address, |_| ()); }"),
        (SYMBOLISER, "use crate::stack::Symboliser;"),
        (HINTS, "fn f(hint: &Hint) { hint.render(); }"),
        (LEFT_FOR_LATER, "fn f() { todo!() }"),
        (LEFT_FOR_LATER, "#[test] fn f() { dbg!(1); }"),
    ] {
        let path = "src/detector/handle/ticket.rs";
        assert_eq!(breaks(&rule, &sample(&[(path, text)])), [format!("{path}:1 {}", rule.what)], "{text}");
    }
    for (rule, path, text) in [
        (ENVIRONMENT, "src/config/env.rs", "fn f() { env::vars_os() }"),
        (OUTSIDE, "src/sink/outlet.rs", "fn f() { log::warn!(\"\") }"),
        (
            OUTSIDE,
            "src/report/hint.rs",
            "/// println!(\"an example\")\n#[cfg(test)] mod tests { fn f() { println!() } }",
        ),
        (SYMBOLISER, "src/detector/telling/editor.rs", "use crate::stack::Symboliser;"),
    ] {
        assert_eq!(breaks(&rule, &sample(&[(path, text)])), [""; 0], "{path}: {text}");
    }
}
