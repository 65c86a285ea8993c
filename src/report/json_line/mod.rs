//! Reports as lines of JSON, for the report file, in any build.
//!
//! The fields are those that `docs/REPORT-FORMAT.md` promises and that feature `serde` gives: the golden tests compare the
//! two, for every kind of report. Written here and not by serde, because a report file has to work in a build without
//! features, and serde_json with what it needs would put the library's tree over its bound. What is by hand is a line's
//! punctuation and three rules of escaping (RFC 8259, section 7), which a test holds against serde_json for every character.

mod data;
mod value;

use std::time::SystemTime;

use super::{ExitSummary, LeakReport, Pressure, Refusal};
use value::{Moment, Object};

/// The version of the lines. It grows when a name or a meaning changes; new fields and new words do not change it.
pub(crate) const SCHEMA: u32 = 1;

/// What a line is about.
#[derive(Clone, Copy, Debug)]
pub(crate) enum JsonLine<'a> {
    /// A cause.
    Report(&'a LeakReport),
    /// A refused reservation.
    Refusal(&'a Refusal),
    /// A limit that comes near.
    Pressure(&'a Pressure),
    /// The balance at the end.
    Summary(&'a ExitSummary),
}

impl JsonLine<'_> {
    /// The line with its newline: the schema, what it is about, who writes it and when, then the fields.
    pub(crate) fn text(self, process: u32, now: SystemTime) -> String {
        let mut text = String::new();
        let mut line = Object::begin(&mut text);
        line.field("schema", SCHEMA).field("kind", self.kind()).field("pid", process);
        match self {
            // It has a moment of its own.
            JsonLine::Report(report) => data::report(&mut line, report),
            JsonLine::Refusal(refusal) => data::refusal(line.field("at", Moment(now)), refusal),
            JsonLine::Pressure(pressure) => data::pressure(line.field("at", Moment(now)), pressure),
            JsonLine::Summary(summary) => data::summary(line.field("at", Moment(now)), summary),
        }
        line.end();
        text.push('\n');
        text
    }

    fn kind(self) -> &'static str {
        match self {
            JsonLine::Report(_) => "report",
            JsonLine::Refusal(_) => "refusal",
            JsonLine::Pressure(_) => "pressure",
            JsonLine::Summary(_) => "summary",
        }
    }
}
