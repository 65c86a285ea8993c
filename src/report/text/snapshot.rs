//! The text of a [`Snapshot`]: a table for a person.

use std::fmt;

use super::resident::Tracked;
use super::{Escaped, Spelled, discarded_figures, plural, switched_off};
use crate::report::{SiteStats, Snapshot, Watched};

/// A head and the figure below it.
type Column = (&'static str, fn(&SiteStats) -> u64);

/// What each row shows, in this order, before the name.
const COLUMNS: [Column; 7] = [
    ("live", SiteStats::live),
    ("live B", SiteStats::live_bytes),
    ("created", SiteStats::created),
    ("released", SiteStats::released),
    ("lost", SiteStats::leaked),
    ("lost B", SiteStats::leaked_bytes),
    ("untracked", SiteStats::untracked),
];

impl fmt::Display for Snapshot {
    /// A line of totals, then a row for each site, without a newline at the end. For people: the columns may change.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "level {}, up {}: ", self.level, Spelled(self.uptime))?;
        write!(f, "{} created, {} released, ", self.created(), self.released())?;
        write!(f, "{} lost ({} B), {} untracked, ", self.leaked(), self.leaked_bytes(), self.untracked())?;
        write!(f, "{} live ({} B)", self.live(), self.live_bytes())?;
        if let (Some(resident_bytes), live_bytes @ 1..) = (self.resident, self.live_bytes()) {
            write!(f, "\n{}", Tracked { live_bytes, resident_bytes })?;
        }
        if self.watched != Watched::default() {
            let Watched { growing_sites, held_too_long, pinning } = self.watched;
            let sites = plural(growing_sites, "site");
            write!(f, "\n{sites} growing, {held_too_long} held too long, {pinning} pinning (of those with a trail)")?;
        }
        if !self.sites.is_empty() {
            self.write_table(f)?;
        }
        if !self.discarded.is_empty() {
            write!(f, "\nnot kept, over a cap: {}", discarded_figures(&self.discarded))?;
        }
        if self.faults > 0 {
            write!(f, "\n{}", switched_off(self.faults))?;
        }
        Ok(())
    }
}

impl Snapshot {
    fn write_table(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let widths = COLUMNS.map(|(head, figure)| {
            let widest = self.sites.iter().map(|stats| figure(stats).to_string().len()).max();
            widest.unwrap_or(0).max(head.len())
        });
        f.write_str("\n")?;
        for ((head, _), width) in COLUMNS.iter().zip(widths) {
            write!(f, "{head:>width$}  ")?;
        }
        f.write_str("resource and site")?;
        for stats in &self.sites {
            f.write_str("\n")?;
            for ((_, figure), width) in COLUMNS.iter().zip(widths) {
                write!(f, "{:>width$}  ", figure(stats))?;
            }
            write!(f, "{} {} {}", Escaped(&stats.resource), stats.origin.word(), stats.site)?;
        }
        Ok(())
    }
}
