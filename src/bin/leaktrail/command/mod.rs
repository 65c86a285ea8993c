//! What each command does: it reads, adds up and writes.

pub(crate) mod baseline;
pub(crate) mod diff;
pub(crate) mod show;
pub(crate) mod symbolize;
pub(crate) mod top;

mod changes;
mod debug_file;
mod rows;
mod source_lines;
mod trails;

use std::process::ExitCode;

use crate::args::Logs;
use crate::causes::{Causes, Wanted};
use crate::failure::Failure;
use crate::input::{self, Reader};
use crate::output;

impl Reader for Causes {
    fn begin_file(&mut self, _name: &str, family: &str) {
        Causes::begin_file(self, family);
    }
}

impl Logs {
    fn wanted(&self) -> Wanted {
        Wanted { kinds: self.only.clone(), since: self.since }
    }
}

/// All causes of some logs, and the status with which the command ends if nothing else is to be said.
fn read(logs: &Logs) -> Result<(Causes, ExitCode), Failure> {
    let mut causes = Causes::new(logs.wanted());
    let (tally, failures) = input::read_all(&logs.files, &mut causes)?;
    output::tell(tally);
    tell_dropped(&causes);
    Ok((causes, status(&failures)))
}

/// What was read of the other files is shown, and the status says that it is not all.
fn status(failures: &[Failure]) -> ExitCode {
    for failure in failures {
        if let Failure::Input(message) = failure {
            output::note(&format!("error: {message}"));
        }
    }
    if failures.is_empty() { ExitCode::SUCCESS } else { ExitCode::from(2) }
}

fn tell_dropped(causes: &Causes) {
    if causes.dropped > 0 {
        output::note(&format!("{} figures had no room: counts are lower bounds", causes.dropped));
    }
    if causes.timeless > 0 {
        output::note(&format!("{} reports have no time and were taken in spite of --since", causes.timeless));
    }
}
