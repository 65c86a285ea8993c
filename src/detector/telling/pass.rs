//! One pass over what waits to be told: take it, group it, write it, hand it out.

use std::time::Duration;

use super::delivery;
use super::editor::Editor;
use crate::clock::Stamp;
use crate::config::ReportTo;
use crate::detector::state::bulletin::Notice;
use crate::detector::state::outbox::Item;
use crate::detector::state::schedule::BlockLimit;
use crate::detector::state::{Core, fault, registry};
use crate::fork::PerProcess;
use crate::report::{MoreRefusals, Severity};
use crate::stack::{Symboliser, walker};

/// What a pass is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::detector) enum Purpose {
    /// What is due on the schedule.
    Schedule,
    /// Every cause whose count has changed.
    Flush,
    /// The same at the end of the process, but that what is alive has changed once more is no news then: the balance has it.
    Exit,
}

/// How long a flush waits for a pass that is under way, in which a sink may be at work.
pub(in crate::detector) const PATIENCE: Duration = Duration::from_secs(10);

/// The process's allowance of full blocks.
static BLOCKS: PerProcess<BlockLimit> = PerProcess::new();

impl Core {
    /// Makes and delivers what there is to tell, unless somebody else has the turn for longer than `patience`.
    ///
    /// Inside a sink or a hint it returns at once: what is lost there is told by the next pass.
    pub(in crate::detector) fn pass(&self, purpose: Purpose, patience: Duration, symboliser: &mut Symboliser) {
        if delivery::is_inside_a_sink() {
            return;
        }
        let Some(turn) = self.state().turn.take(patience) else { return };
        self.tell(purpose, symboliser);
        // What came up while delivering: a sink that panicked.
        self.tell_notices();
        drop(turn);
        // Its last owner may have gone while it was told, in a sink of its own.
        registry::let_go(self);
    }

    /// A flush, and the summary after it if it is news. That comes also while somebody else keeps the turn: a sink that hangs
    /// does not keep it from the log.
    ///
    /// Inside a sink or a hint nothing is told: the exit handler will.
    pub(in crate::detector) fn say_farewell(&self, symboliser: &mut Symboliser) {
        if delivery::is_inside_a_sink() {
            return;
        }
        let turn = self.state().turn.take(PATIENCE);
        if turn.is_some() {
            self.tell(Purpose::Flush, symboliser);
        }
        if let Some(summary) = fault::contain(self, || self.unsaid_summary()).flatten() {
            delivery::deliver(self, &Item::Summary(Box::new(summary)));
        }
        self.tell_notices();
    }

    fn tell(&self, purpose: Purpose, symboliser: &mut Symboliser) {
        let outbox = &self.state().outbox;
        outbox.put(self.collect(purpose, symboliser));
        while let Some(item) = outbox.take() {
            delivery::deliver(self, &item);
        }
    }

    /// Tells what was posted and belongs to no report.
    pub(in crate::detector) fn tell_notices(&self) {
        if delivery::is_inside_a_sink() {
            return;
        }
        for item in self.notices() {
            delivery::deliver(self, &item);
        }
    }

    fn notices(&self) -> Vec<Item> {
        let state = self.state();
        let journal = state.journal.take().into_iter().map(|(severity, text)| Item::Notice(severity, text));
        let notices = state.bulletin.take().into_iter();
        journal.chain(notices.map(|notice| Item::Notice(notice.severity(), notice.text().to_owned()))).collect()
    }

    /// What there is to tell now, written. Nothing of the user's but hints runs here, and no lock is held while they do.
    pub(in crate::detector) fn collect(&self, purpose: Purpose, symboliser: &mut Symboliser) -> Vec<Item> {
        delivery::as_if_inside_a_sink(|| fault::contain(self, || self.write(purpose, Stamp::now(), symboliser)))
            .unwrap_or_default()
    }

    /// What nobody has written when the process ends, a line for each cause: a pass is under way and comes to nothing.
    pub(in crate::detector) fn collect_unwritten(&self, symboliser: &mut Symboliser) -> Vec<Item> {
        let state = self.state();
        fault::contain(self, || {
            let unwritten = state.casebook.unwritten(Stamp::now(), |fingerprint| state.outbox.written(fingerprint));
            let mut editor = Editor::new(self, symboliser);
            let reports = unwritten.iter().filter_map(|entry| editor.report(entry, None, false));
            reports.map(|report| Item::Report(Box::new(report))).collect()
        })
        .unwrap_or_default()
    }

    pub(super) fn write(&self, purpose: Purpose, now: Stamp, symboliser: &mut Symboliser) -> Vec<Item> {
        let state = self.state();
        let blocks = BLOCKS.get_or_init(BlockLimit::default);
        let mut items = Vec::new();
        let mut editor = Editor::new(self, symboliser);
        let losses = state.losses.take();
        state.casebook.meet(&losses);
        for loss in losses {
            let lost = loss.trail.as_ref();
            let path = lost.and_then(|lost| editor.path(lost));
            if let Some(entry) = state.casebook.enter(&loss, path, now) {
                // A loss without a trail is one line anyway.
                let in_full = lost.is_none() || blocks.allows(now);
                let report = editor.report(&entry, lost, in_full);
                items.extend(report.map(|report| Item::Report(Box::new(report))));
            }
        }
        let written = |fingerprint| state.outbox.written(fingerprint);
        for entry in state.casebook.going_on(now, purpose != Purpose::Schedule, written) {
            let report = editor.report(&entry, None, false);
            items.extend(report.map(|report| Item::Report(Box::new(report))));
        }
        for due in state.watchlist.take_due(now, purpose == Purpose::Flush) {
            let in_full = due.finding.shown.is_none() || blocks.allows(now);
            let report = editor.observed(&due, in_full, now);
            items.extend(report.map(|report| Item::Report(Box::new(report))));
        }
        items.extend(self.pressures().into_iter().map(|pressure| Item::Pressure(Box::new(pressure))));
        let untold = state.refusals.take(purpose != Purpose::Schedule);
        items.extend(untold.listings.into_iter().map(Item::Refusal));
        if untold.counted > 0 {
            items.push(Item::Notice(Severity::Error, MoreRefusals(untold.counted).to_string()));
        }
        // The walker is the process's: the first detector that has where to tell it does.
        if self.config().configured_report() != ReportTo::Off && walker::was_given_up() {
            state.bulletin.post(Notice::WalkerGivenUp);
        }
        items.extend(self.notices());
        items
    }
}
