//! The balance at the end.

use std::cmp::Reverse;

use crate::clock::Stamp;
use crate::config;
use crate::detector::state::Core;
use crate::level::Level;
use crate::report::{ExitSummary, Fingerprint, SiteStats, Verdict};

impl Core {
    /// The balance, unless there is nothing to balance, or it was told already and nothing has changed since.
    pub(in crate::detector) fn unsaid_summary(&self) -> Option<ExitSummary> {
        let summary = self.summary();
        let counted_nothing = summary.created == 0 && summary.level == Level::Disabled;
        (!counted_nothing && self.state().farewell.is_news(&summary)).then_some(summary)
    }

    fn summary(&self) -> ExitSummary {
        let rows = self.ledger().stats();
        let total = |figure: fn(&SiteStats) -> u64| rows.iter().map(figure).sum();
        let fingerprint = |stats: &SiteStats| Fingerprint::of(stats.resource(), Verdict::Unreleased, stats.site());
        let lost = rows.iter().filter(|stats| stats.leaked() > 0);
        let mut causes: Vec<_> = lost.map(|stats| (fingerprint(stats), stats.clone())).collect();
        causes.sort_by_key(|(fingerprint, stats)| (Reverse(stats.leaked()), *fingerprint));
        let discarded = self.discarded();
        ExitSummary {
            level: self.level(),
            uptime: Stamp::now().since(self.started()),
            created: total(SiteStats::created),
            released: total(SiteStats::released),
            leaked: total(SiteStats::leaked),
            leaked_bytes: total(SiteStats::leaked_bytes),
            live: total(SiteStats::live),
            untracked: total(SiteStats::untracked),
            causes,
            live_sites: self.holders_where(|_| true),
            reports_dropped: discarded.reports(),
            discarded,
            faults: self.faults(),
            resident: config::resident_bytes(),
        }
    }
}
