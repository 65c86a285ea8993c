//! `leaktrail top`: a row for each cause.

use std::hash::{BuildHasher as _, RandomState};
use std::io::{BufWriter, IsTerminal as _, Write as _};
use std::process::ExitCode;
use std::thread;
use std::time::{Duration, Instant};

use anstream::AutoStream;

use super::{read, rows, status, tell_dropped};
use crate::args::{Format, TopArgs};
use crate::causes::{Causes, Row};
use crate::failure::Failure;
use crate::input;
use crate::log::Tally;
use crate::output;

/// How often files are asked for more.
const POLL: Duration = Duration::from_millis(200);

/// How often the rows are shown again at most.
const BREATH: Duration = Duration::from_secs(1);

/// A log that never stands still is shown so often all the same.
const LATE: Duration = Duration::from_secs(5);

pub(crate) fn run(args: &TopArgs) -> Result<ExitCode, Failure> {
    if args.follow {
        return follow(args);
    }
    let (causes, code) = read(&args.logs)?;
    let rows = causes.rows();
    // What it was made of goes before it is written: the most memory is taken here.
    drop(causes);
    rows::write(&mut BufWriter::new(output::stdout()), &rows, args.format, args.rows)?;
    Ok(code)
}

fn follow(args: &TopArgs) -> Result<ExitCode, Failure> {
    let mut causes = Causes::new(args.logs.wanted());
    let mut files = input::follow(&args.logs.files)?;
    let mut failures = Vec::new();
    let mut shown = None;
    let state = RandomState::new();
    let mut shown_at = Instant::now();
    loop {
        let mut has_more = false;
        let mut index = 0;
        while let Some(file) = files.get_mut(index) {
            match file.read(&mut causes) {
                Ok(length) => {
                    has_more |= length > 0;
                    index += 1;
                }
                Err(failure) => {
                    failures.push(failure);
                    files.remove(index);
                }
            }
        }
        let is_over = files.iter().all(input::Followed::has_ended);
        if is_over {
            for file in &mut files {
                file.finish(&mut causes);
            }
        }
        // At a pause, so that what is shown is all that there is.
        let is_due = !has_more && (shown.is_none() || shown_at.elapsed() >= BREATH);
        if is_over || is_due || shown_at.elapsed() >= LATE {
            let rows = causes.rows();
            // Of the rows before only a hash is kept: fifty thousand twice would be too much.
            let hash = state.hash_one(&rows);
            if shown != Some(hash) {
                show(&rows, args)?;
                shown = Some(hash);
            }
            shown_at = Instant::now();
        }
        if is_over {
            let mut tally = Tally::default();
            files.iter().for_each(|file| tally.add(file.tally()));
            output::tell(tally);
            tell_dropped(&causes);
            return Ok(status(&failures));
        }
        if !has_more {
            thread::sleep(POLL);
        }
    }
}

/// Shows the rows anew: on a terminal in place of those before, elsewhere after them.
fn show(rows: &[Row], args: &TopArgs) -> Result<(), Failure> {
    let mut stdout = output::stdout();
    if args.format == Format::Table && std::io::stdout().is_terminal() {
        // Home, and nothing below. Past the colours' stream, which would take it out where there are none.
        let mut terminal = stdout.into_inner();
        write!(terminal, "\u{1b}[H\u{1b}[2J")?;
        stdout = AutoStream::auto(terminal);
    } else if args.format == Format::Table {
        writeln!(stdout)?;
    }
    rows::write(&mut stdout, rows, args.format, args.rows)
}
