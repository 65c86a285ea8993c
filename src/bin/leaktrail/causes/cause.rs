//! One cause, with all that was said of it.

use super::row::Row;
use super::run::{Counts, Run, enter_mention, enter_now, enter_total};
use crate::log::{Figure, Kind, Moment, Sighting, Source};

#[derive(Debug)]
pub(super) struct Cause {
    source: Source,
    resource: Box<str>,
    site: Box<str>,
    runs: Vec<Run>,
    /// What came without totals.
    more: u64,
    more_bytes: u64,
    has_bytes: bool,
    first: Option<Moment>,
    last: Option<Moment>,
    /// Nothing was said of it but before the time that was asked for.
    is_of_before: bool,
}

impl Cause {
    pub(super) fn new(sighting: &Sighting<'_>) -> Cause {
        Cause {
            source: sighting.source,
            resource: sighting.resource.as_ref().into(),
            site: sighting.site.as_ref().into(),
            runs: Vec::new(),
            more: 0,
            more_bytes: 0,
            has_bytes: false,
            first: None,
            last: None,
            is_of_before: true,
        }
    }

    /// Enters what was said. False when its figure found no room.
    pub(super) fn enter(&mut self, sighting: &Sighting<'_>, process: u32, counts: Counts, room: &mut usize) -> bool {
        if counts == Counts::Yes {
            self.is_of_before = false;
            if let Some(at) = sighting.at {
                self.seen(at);
            }
        }
        match sighting.figure {
            Figure::Total(totals) => {
                self.has_bytes = true;
                enter_total(&mut self.runs, process, &totals, counts, room)
            }
            Figure::Mention if sighting.kind == Kind::Leak => enter_mention(&mut self.runs, process, counts, room),
            // What only is, or is more, has no part in what comes later.
            _ if counts == Counts::Before => true,
            Figure::Now { count, bytes } => {
                self.has_bytes |= bytes.is_some();
                enter_now(&mut self.runs, process, (count, bytes.unwrap_or(0)), room)
            }
            Figure::More { count, bytes } => {
                self.has_bytes |= bytes.is_some();
                self.more = self.more.saturating_add(count);
                self.more_bytes = self.more_bytes.saturating_add(bytes.unwrap_or(0));
                true
            }
            Figure::Mention => true,
        }
    }

    /// A time for a cause whose lines have none.
    pub(super) fn created_at(&mut self, at: Moment) {
        if self.last.is_none() {
            self.seen(at);
        }
    }

    fn seen(&mut self, at: Moment) {
        self.first = Some(self.first.map_or(at, |first| first.min(at)));
        self.last = Some(self.last.map_or(at, |last| last.max(at)));
    }

    /// Its row, unless all of it was before the time that was asked for.
    pub(super) fn row(&self, kind: Kind, fingerprint: String) -> Option<Row> {
        let sum = |figure: fn(&Run) -> u64, more| self.runs.iter().map(figure).fold(more, u64::saturating_add);
        let row = Row {
            fingerprint,
            verdict: kind.name().into(),
            resource: self.resource.to_string(),
            site: self.site.to_string(),
            count: sum(Run::count, self.more),
            bytes: self.has_bytes.then(|| sum(Run::bytes, self.more_bytes)),
            source: self.source.name().into(),
            first_seen: self.first,
            last_seen: self.last,
        };
        (!self.is_of_before).then_some(row)
    }
}
