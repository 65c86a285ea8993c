//! The lines of a refused reservation, which come as records of their own.

use super::id::CauseId;
use super::kind::Kind;
use super::moment::Moment;
use super::ours::Piece;
use super::sighting::{Figure, Listener, Sighting, Source, Trail};

/// What was refused, in rows.
pub(super) const RESOURCE: &str = "direct memory";

/// The site of refusals that were only counted.
pub(super) const NOT_LISTED: &str = "(not listed)";

/// The site of one whose second line is missing.
const UNKNOWN: &str = "(unknown)";

/// Refusals whose rows may still come, one for each process. One more ends the oldest.
const MOST: usize = 16;

#[derive(Debug, Default)]
pub(super) struct Refusals {
    open: Vec<Open>,
}

#[derive(Debug)]
struct Open {
    process: String,
    requested: u64,
    at: Option<Moment>,
    /// Known from the second line on.
    id: Option<CauseId>,
    text: String,
    line: u64,
}

/// Where a line stands.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place<'a> {
    pub(super) process: &'a str,
    pub(super) at: Option<Moment>,
    pub(super) line: u64,
}

impl Refusals {
    pub(super) fn take(&mut self, piece: Piece<'_>, text: &str, place: Place<'_>, listener: &mut impl Listener) {
        match piece {
            Piece::Failed { requested } => {
                self.end(place.process, listener);
                if self.open.len() >= MOST {
                    let oldest = self.open.remove(0);
                    oldest.tell(listener);
                }
                let (process, text) = (place.process.to_owned(), kept(text, listener));
                self.open.push(Open { process, requested, at: place.at, id: None, text, line: place.line });
            }
            Piece::Short { site } => match self.of(place.process) {
                Some(open) if open.id.is_none() => {
                    let id = CauseId::of(RESOURCE, Kind::Refused, site);
                    open.id = Some(id);
                    open.text.push_str(&kept(text, listener));
                    let figure = Figure::More { count: 1, bytes: Some(open.requested) };
                    see(id, site, figure, place.process, place.at.or(open.at), listener);
                }
                // Its first line is not in this log.
                _ => {
                    let id = CauseId::of(RESOURCE, Kind::Refused, site);
                    see(id, site, Figure::More { count: 1, bytes: None }, place.process, place.at, listener);
                }
            },
            Piece::Unlisted { more } => {
                let id = CauseId::of(RESOURCE, Kind::Refused, NOT_LISTED);
                see(id, NOT_LISTED, Figure::More { count: more, bytes: None }, place.process, place.at, listener);
            }
            Piece::Row => {
                let text = kept(text, listener);
                // Rows are few; a log of nothing else is no refusal's.
                if let Some(open) = self.of(place.process).filter(|open| open.text.len() < 64 << 10) {
                    open.text.push_str(&text);
                }
            }
        }
    }

    /// No more rows will come of this process's.
    fn end(&mut self, process: &str, listener: &mut impl Listener) {
        if let Some(index) = self.open.iter().position(|open| open.process == process) {
            self.open.remove(index).tell(listener);
        }
    }

    /// No more lines will come.
    pub(super) fn end_all(&mut self, listener: &mut impl Listener) {
        for open in self.open.drain(..) {
            open.tell(listener);
        }
    }

    fn of(&mut self, process: &str) -> Option<&mut Open> {
        self.open.iter_mut().find(|open| open.process == process)
    }
}

impl Open {
    fn tell(self, listener: &mut impl Listener) {
        let id = self.id.unwrap_or_else(|| {
            let id = CauseId::of(RESOURCE, Kind::Refused, UNKNOWN);
            let figure = Figure::More { count: 1, bytes: Some(self.requested) };
            see(id, UNKNOWN, figure, &self.process, self.at, listener);
            id
        });
        listener.trail(Trail {
            key: Some((Kind::Refused, id)),
            text: self.text,
            is_cut_off: self.id.is_none(),
            line: self.line,
            ..Trail::default()
        });
    }
}

fn kept(text: &str, listener: &impl Listener) -> String {
    if listener.keeps_trails() { format!("{text}\n") } else { String::new() }
}

fn see(id: CauseId, site: &str, figure: Figure, process: &str, at: Option<Moment>, listener: &mut impl Listener) {
    listener.sighting(&Sighting {
        source: Source::Leaktrail,
        kind: Kind::Refused,
        id,
        resource: RESOURCE.into(),
        site: site.into(),
        figure,
        at,
        process: process.into(),
    });
}
