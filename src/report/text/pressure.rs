//! The text of a [`Pressure`].

use std::fmt;

use super::refusal::Holder;
use super::resident::Tracked;
use super::{Share, len, plural};
use crate::report::{Pressure, SiteStats};

/// How many holders are listed: as for a refusal.
const MAX_HOLDERS: usize = 8;

impl fmt::Display for Pressure {
    /// The lines as they are logged, each beginning with `LIVE: `, without a newline at the end.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Pressure { of, used, limit, holders, .. } = self;
        let share = Share { part: *used, whole: *limit };
        let held = holders.iter().map(SiteStats::live_bytes).fold(0, u64::saturating_add);
        let (sites, hold) = (plural(len(holders), "site"), if holders.len() == 1 { "holds" } else { "hold" });
        write!(f, "LIVE: {} at {share}: {used} of {limit} B used, {sites} {hold} references to {held} B", of.words())?;
        for (index, holder) in holders.iter().take(MAX_HOLDERS).enumerate() {
            write!(f, "\nLIVE: #{} {}", index + 1, Holder { stats: holder, used: *used })?;
        }
        if let more @ 1.. = holders.len().saturating_sub(MAX_HOLDERS) {
            write!(f, "\nLIVE: and {}", plural(more as u64, "more site"))?;
        }
        match self.resident {
            Some(resident_bytes) => write!(f, "\nLIVE: {}", Tracked { live_bytes: held, resident_bytes }),
            None => Ok(()),
        }
    }
}
