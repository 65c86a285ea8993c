//! Programs that lose things, and tests that run them and read what they print.
//!
//! What happens at the end of a process, in a fork or with a logger can only be seen from outside. So this one
//! executable is both: called with `--program NAME` it is that program, and its `main` returns when the program
//! does; called otherwise it runs the tests, as the built-in harness would (`cargo test --test programs exit::` runs
//! some of them). Each module has its tests first and the programs that they run below.

#[macro_use]
mod process;
mod harness;

#[cfg(unix)]
mod exit;
#[cfg(unix)]
mod exit_on_threads;
mod flood;
mod forgery;
#[cfg(unix)]
mod fork;
#[cfg(unix)]
mod fork_budget;
#[cfg(unix)]
mod fork_under_load;
#[cfg(target_os = "linux")]
mod killed;
mod loggers;
#[cfg(unix)]
mod pool_forks;
mod recorders;
mod report_file;
#[cfg(unix)]
mod report_file_unix;
mod report_setting;
mod settings;
mod sinks;
mod sinks_that_call_back;
mod switch;
mod tracing_events;
mod walkers;
#[cfg(unix)]
mod watched_child;

use std::process::ExitCode;

use process::Named;

/// The tests of each module.
const TESTS: &[&[Named]] = &[
    #[cfg(unix)]
    exit::TESTS,
    #[cfg(unix)]
    exit_on_threads::TESTS,
    flood::TESTS,
    forgery::TESTS,
    #[cfg(unix)]
    fork::TESTS,
    #[cfg(unix)]
    fork_budget::TESTS,
    #[cfg(unix)]
    fork_under_load::TESTS,
    #[cfg(target_os = "linux")]
    killed::TESTS,
    loggers::TESTS,
    #[cfg(unix)]
    pool_forks::TESTS,
    recorders::TESTS,
    report_file::TESTS,
    #[cfg(unix)]
    report_file_unix::TESTS,
    report_setting::TESTS,
    settings::TESTS,
    sinks::TESTS,
    sinks_that_call_back::TESTS,
    switch::TESTS,
    tracing_events::TESTS,
    #[cfg(unix)]
    watched_child::TESTS,
    walkers::TESTS,
];

/// The programs of each module.
const PROGRAMS: &[&[Named]] = &[
    #[cfg(unix)]
    exit::PROGRAMS,
    #[cfg(unix)]
    exit_on_threads::PROGRAMS,
    flood::PROGRAMS,
    forgery::PROGRAMS,
    #[cfg(unix)]
    fork::PROGRAMS,
    #[cfg(unix)]
    fork_budget::PROGRAMS,
    #[cfg(unix)]
    fork_under_load::PROGRAMS,
    #[cfg(target_os = "linux")]
    killed::PROGRAMS,
    loggers::PROGRAMS,
    #[cfg(unix)]
    pool_forks::PROGRAMS,
    recorders::PROGRAMS,
    report_file::PROGRAMS,
    #[cfg(unix)]
    report_file_unix::PROGRAMS,
    report_setting::PROGRAMS,
    settings::PROGRAMS,
    sinks::PROGRAMS,
    sinks_that_call_back::PROGRAMS,
    switch::PROGRAMS,
    tracing_events::PROGRAMS,
    #[cfg(unix)]
    watched_child::PROGRAMS,
    walkers::PROGRAMS,
];

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    if arguments.next().as_deref() != Some(process::PROGRAM) {
        return harness::run(&TESTS.concat());
    }
    let name = arguments.next().unwrap_or_default();
    let program = PROGRAMS.iter().copied().flatten().find(|(known, _)| *known == name);
    let (_, program) = program.unwrap_or_else(|| panic!("{name} stands in no list of programs"));
    program();
    ExitCode::SUCCESS
}
