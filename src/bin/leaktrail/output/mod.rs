//! How it is written: for people, for programs, and to which of the two streams.

mod csv;
mod json;
mod shown;
mod table;

use std::io::Write as _;

use anstream::{AutoStream, ColorChoice};

use crate::args::Color;
use crate::log::Tally;

pub(crate) use csv::csv;
pub(crate) use json::json;
pub(crate) use shown::Shown;
pub(crate) use table::{Column, Side, table};

/// Whether there will be colours.
pub(crate) fn colours(color: Color) {
    match color {
        // anstream asks NO_COLOR, CLICOLOR, TERM and whether it is a terminal.
        Color::Auto => ColorChoice::Auto,
        Color::Always => ColorChoice::AlwaysAnsi,
        Color::Never => ColorChoice::Never,
    }
    .write_global();
}

/// Standard output, without colours where they would do harm.
pub(crate) fn stdout() -> AutoStream<std::io::StdoutLock<'static>> {
    AutoStream::auto(std::io::stdout().lock())
}

/// A line for the person, beside what a program reads. Where nobody can see it nothing is lost.
pub(crate) fn note(text: &str) {
    let mut stderr = anstream::stderr().lock();
    let _ = writeln!(stderr, "leaktrail: {}", Shown(text));
}

/// What was not understood, and what was wrong with what was.
pub(crate) fn tell(tally: Tally) {
    let mut pieces = vec![format!("{} lines, {} passed over", tally.lines, tally.passed_over())];
    if tally.cut_off > 0 {
        pieces.push(format!("{} reports cut off", tally.cut_off));
    }
    if tally.interleaved > 0 {
        pieces.push(format!("{} reports mixed with other lines", tally.interleaved));
    }
    note(&pieces.join(", "));
}
