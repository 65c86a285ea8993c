//! What is written and not handed out yet.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::report::{ExitSummary, Fingerprint, LeakReport, Pressure, Refusal, Severity};

/// One thing to hand out.
#[derive(Debug)]
pub(in crate::detector) enum Item {
    Report(Box<LeakReport>),
    Refusal(Arc<Refusal>),
    Pressure(Box<Pressure>),
    Summary(Box<ExitSummary>),
    Notice(Severity, String),
}

/// The items of the pass that is under way. They wait here and not on its stack: a sink that ends the process, or that
/// hangs while another thread does, leaves the rest to the exit handler.
#[derive(Debug, Default)]
pub(in crate::detector) struct Outbox {
    contents: Mutex<Contents>,
}

#[derive(Debug, Default)]
struct Contents {
    items: VecDeque<Item>,
    /// The count of the last report of each cause that was put here. At most as many as the casebook has causes.
    written: HashMap<Fingerprint, u64>,
    closed: bool,
}

impl Outbox {
    /// Adds items, in their order.
    pub(in crate::detector) fn put(&self, items: Vec<Item>) {
        let mut contents = self.lock();
        // Closed: the exit handler has told the same already.
        if contents.closed {
            return;
        }
        contents.note(&items);
        contents.items.extend(items);
    }

    /// The next item; whoever gets it hands it out.
    pub(in crate::detector) fn take(&self) -> Option<Item> {
        self.lock().items.pop_front()
    }

    /// Gives what is left, and takes nothing more: whoever is still writing is too late.
    pub(in crate::detector) fn close(&self) -> Vec<Item> {
        let mut contents = self.lock();
        contents.closed = true;
        contents.items.drain(..).collect()
    }

    /// Notes reports that are handed out by another way.
    pub(in crate::detector) fn note(&self, items: &[Item]) {
        self.lock().note(items);
    }

    /// The count of the last report of a cause that was put here; 0 for none.
    pub(in crate::detector) fn written(&self, fingerprint: Fingerprint) -> u64 {
        self.lock().written.get(&fingerprint).copied().unwrap_or(0)
    }

    fn lock(&self) -> MutexGuard<'_, Contents> {
        self.contents.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Contents {
    fn note(&mut self, items: &[Item]) {
        for item in items {
            if let Item::Report(report) = item {
                self.written.insert(report.fingerprint(), report.count());
            }
        }
    }
}
