//! All counts now, for whoever asks.

use crate::clock::Stamp;
use crate::config;
use crate::detector::state::Core;
use crate::report::{SiteStats, Snapshot};
use crate::stack::walker;

impl Core {
    /// All counts now: totals, and a row for each site.
    pub(in crate::detector) fn snapshot(&self) -> Snapshot {
        let mut sites = self.ledger().stats();
        sites.sort_by(SiteStats::by_live);
        Snapshot {
            level: self.level(),
            uptime: Stamp::now().since(self.started()),
            discarded: self.discarded(),
            faults: self.faults(),
            watched: self.watched(),
            resident: config::resident_bytes(),
            unwritten: self.outlet().lines_dropped(),
            self_bytes: self.self_bytes(sites.len()),
            walker: walker::current().to_string().into(),
            sites,
        }
    }
}
