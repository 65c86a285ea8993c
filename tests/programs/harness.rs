//! Runs the tests of this executable, with the arguments and the output of the built-in harness.
//!
//! The built-in one owns `main`, and here `main` has to be able to return from a program. What `cargo test` and
//! `cargo nextest` ask for is here: names and `--skip` as filters, `--exact`, `--list`, `--test-threads`. Other options
//! change nothing; no test is ignored.

use std::process::ExitCode;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use crate::process::Named;

#[derive(Debug, Default)]
struct Options {
    filters: Vec<String>,
    skipped: Vec<String>,
    exact: bool,
    list: bool,
    ignored: bool,
    threads: Option<usize>,
}

impl Options {
    fn parse(mut arguments: impl Iterator<Item = String>) -> Options {
        let mut options = Options::default();
        while let Some(argument) = arguments.next() {
            let (name, mut value) = match argument.split_once('=') {
                Some((name, value)) if name.starts_with("--") => (name.to_owned(), Some(value.to_owned())),
                _ => (argument, None),
            };
            if ["--skip", "--test-threads", "--format", "--color", "--logfile", "--shuffle-seed", "-Z"]
                .contains(&name.as_str())
            {
                value = value.or_else(|| arguments.next());
            }
            match (name.as_str(), value) {
                ("--exact", _) => options.exact = true,
                ("--list", _) => options.list = true,
                ("--ignored", _) => options.ignored = true,
                ("--skip", Some(name)) => options.skipped.push(name),
                ("--test-threads", Some(number)) => options.threads = number.parse().ok(),
                (option, _) if option.starts_with('-') => {}
                (filter, _) => options.filters.push(filter.to_owned()),
            }
        }
        options
    }

    fn wants(&self, test: &str) -> bool {
        let is_named = |names: &[String]| {
            names.iter().any(|name| if self.exact { test == name } else { test.contains(name.as_str()) })
        };
        !self.ignored && (self.filters.is_empty() || is_named(&self.filters)) && !is_named(&self.skipped)
    }
}

/// A test's name as it is shown and asked for: without the executable's.
fn shown(test: &Named) -> &'static str {
    test.0.split_once("::").map_or(test.0, |(_, name)| name)
}

/// Runs the tests that the arguments ask for.
pub(crate) fn run(tests: &[Named]) -> ExitCode {
    let options = Options::parse(std::env::args().skip(1));
    let chosen: Vec<Named> = tests.iter().copied().filter(|test| options.wants(shown(test))).collect();
    if options.list {
        for test in &chosen {
            println!("{}: test", shown(test));
        }
        return ExitCode::SUCCESS;
    }
    println!("\nrunning {} test{}", chosen.len(), if chosen.len() == 1 { "" } else { "s" });
    let threads = options.threads.or_else(|| thread::available_parallelism().ok().map(usize::from)).unwrap_or(1);
    let (next, failed) = (AtomicUsize::new(0), AtomicUsize::new(0));
    thread::scope(|scope| {
        for _ in 0..threads.max(1) {
            scope.spawn(|| {
                // Relaxed: each number is given once; the scope's end publishes the figures.
                while let Some(test) = chosen.get(next.fetch_add(1, Ordering::Relaxed)) {
                    // A thread of its own, so that a panic's message bears the test's name.
                    let run = thread::Builder::new().name(shown(test).to_owned()).spawn(test.1);
                    let passed = run.is_ok_and(|run| run.join().is_ok());
                    println!("test {} ... {}", shown(test), if passed { "ok" } else { "FAILED" });
                    failed.fetch_add(usize::from(!passed), Ordering::Relaxed);
                }
            });
        }
    });
    let failed = failed.into_inner();
    println!(
        "\ntest result: {}. {} passed; {failed} failed; 0 ignored; 0 measured; {} filtered out\n",
        if failed == 0 { "ok" } else { "FAILED" },
        chosen.len() - failed,
        tests.len() - chosen.len()
    );
    if failed == 0 { ExitCode::SUCCESS } else { ExitCode::from(101) }
}
