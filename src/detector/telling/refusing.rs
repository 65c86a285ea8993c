//! A refused reservation: who holds the memory, told once an episode.

use std::cmp::Ordering;
use std::sync::Arc;

use super::delivery;
use crate::clock::Stamp;
use crate::detector::state::outbox::Item;
use crate::detector::state::{Core, waker};
use crate::level::Level;
use crate::report::{Refusal, SiteStats};

impl Core {
    /// Completes a refusal with the holders, and has it told if it begins an episode.
    ///
    /// # Cost
    /// A walk over the ledger's rows, at most ten times a second; no symbols, no I/O, but at DISABLED, where no thread
    /// runs that could report: there the first refusal of an episode is told at once, by the thread that was refused.
    pub(crate) fn refused(&self, mut refusal: Refusal) -> Arc<Refusal> {
        let now = Stamp::now();
        let refusals = &self.state().refusals;
        refusal.level = self.level();
        if refusal.level > Level::Disabled {
            let rows = self.rows_of_the_moment(now);
            refusal.holders = ranked(&rows, |stats| stats.live() > 0, SiteStats::by_live);
            if refusal.abandoned > 0 {
                refusal.lost = ranked(&rows, |stats| stats.leaked() > 0, SiteStats::by_lost);
            }
        }
        let Some(counted) = refusals.enter(now) else { return Arc::new(refusal) };
        refusal.suppressed = counted;
        let refusal = Arc::new(refusal);
        if self.is_attended() {
            refusals.queue(refusal.clone());
            waker::wake();
        } else if !delivery::is_inside_a_sink() {
            delivery::deliver(self, &Item::Refusal(refusal.clone()));
        }
        refusal
    }

    fn rows_of_the_moment(&self, now: Stamp) -> Arc<[SiteStats]> {
        let refusals = &self.state().refusals;
        refusals.fresh_rows(now).unwrap_or_else(|| {
            let rows: Arc<[SiteStats]> = self.ledger().stats().into();
            refusals.keep_rows(now, rows.clone());
            rows
        })
    }
}

/// The wanted ones of these rows, in order.
fn ranked(
    rows: &[SiteStats],
    wanted: impl Fn(&SiteStats) -> bool,
    order: fn(&SiteStats, &SiteStats) -> Ordering,
) -> Vec<SiteStats> {
    let mut ranked: Vec<SiteStats> = rows.iter().filter(|stats| wanted(stats)).cloned().collect();
    ranked.sort_by(order);
    ranked
}
