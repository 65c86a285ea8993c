//! What one mention of a cause says.

use std::borrow::Cow;

use super::id::CauseId;
use super::kind::Kind;
use super::moment::Moment;

/// Who wrote the report.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Source {
    Leaktrail,
    Netty,
}

impl Source {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Source::Leaktrail => "leaktrail",
            Source::Netty => "netty",
        }
    }
}

/// One mention of a cause.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Sighting<'a> {
    pub(crate) source: Source,
    pub(crate) kind: Kind,
    pub(crate) id: CauseId,
    /// Not escaped.
    pub(crate) resource: Cow<'a, str>,
    /// Not escaped.
    pub(crate) site: Cow<'a, str>,
    pub(crate) figure: Figure,
    pub(crate) at: Option<Moment>,
    /// What the prefix tells of the process; empty when it tells nothing.
    pub(crate) process: Cow<'a, str>,
}

/// What a figure means decides how figures are added up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Figure {
    /// Totals of one process run so far: the last one counts, and one that falls belongs to another run.
    Total(Totals),
    /// How it stands now: the newest of a process counts. Without bytes where nobody says them.
    Now { count: u64, bytes: Option<u64> },
    /// So many more. Without bytes where nobody says them.
    More { count: u64, bytes: Option<u64> },
    /// It was mentioned, and that is all.
    Mention,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Totals {
    pub(crate) count: u64,
    pub(crate) bytes: u64,
    /// Made at this site so far, where the line says it.
    pub(crate) created: Option<u64>,
    /// When this run met the cause first, in seconds of the day: all lines of one run have the same.
    pub(crate) since: Option<u32>,
    /// From the summary at exit: this run is over.
    pub(crate) is_last: bool,
}

/// What followed a first line.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Trail {
    pub(crate) key: Option<(Kind, CauseId)>,
    /// The lines as they were, without what a collector put before them; empty when nobody wants them.
    pub(crate) text: String,
    /// How many records it has, the creation's included.
    pub(crate) records: usize,
    /// The creation's time, in reports that have one.
    pub(crate) created_at: Option<Moment>,
    /// Its end is missing.
    pub(crate) is_cut_off: bool,
    /// Other lines stood between its own.
    pub(crate) is_interleaved: bool,
    /// The line of the log in which it begins.
    pub(crate) line: u64,
}

/// Who wants to know.
pub(crate) trait Listener {
    /// Whether the text of trails is wanted, or only what they tell of their cause.
    fn keeps_trails(&self) -> bool;

    fn sighting(&mut self, sighting: &Sighting<'_>);

    fn trail(&mut self, trail: Trail);
}
