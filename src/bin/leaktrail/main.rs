//! `leaktrail`: reads leak reports, wherever they were logged.
//!
//! For the person who gets the logs. It needs of the library what a report is, and nothing that makes one.
//!
//! The floors of it: `args` and `command/` (what was asked for), `input/` (files, gzip, standard input) and `output/`
//! (tables, JSON, CSV), `causes/` (what is added up), `log/` (what a log says). `docs/READER.md` is its page.

mod args;
mod causes;
mod command;
mod failure;
mod input;
mod log;
mod output;

use std::process::ExitCode;

use clap::Parser as _;

use args::{Args, Command};
use failure::Failure;

fn main() -> ExitCode {
    let args = Args::parse();
    output::colours(args.color);
    let done = match &args.command {
        Command::Top(args) => command::top::run(args),
        Command::Show(args) => command::show::run(args),
        Command::Baseline(args) => command::baseline::run(args),
        Command::Diff(args) => command::diff::run(args),
        Command::Symbolize(args) => command::symbolize::run(args),
    };
    match done {
        Ok(code) => code,
        // Whoever reads the output has seen enough of it.
        Err(Failure::NobodyListens) => ExitCode::SUCCESS,
        Err(Failure::Input(message)) => {
            output::note(&format!("error: {message}"));
            ExitCode::from(2)
        }
    }
}
