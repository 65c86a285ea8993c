//! Counts what the detector told, as any sink could.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use leaktrail::{ExitSummary, LeakReport, Refusal, Sink, Verdict};

/// A sink that counts.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tally(Arc<Counts>);

/// All of them are plain counts, read after the guard has flushed: `Relaxed` is enough.
#[derive(Debug, Default)]
struct Counts {
    leaks: AtomicU64,
    growths: AtomicU64,
    refusals: AtomicU64,
    clean: AtomicBool,
}

impl Tally {
    /// How many `LEAK:` reports came.
    pub(crate) fn leaks(&self) -> u64 {
        self.0.leaks.load(Ordering::Relaxed)
    }

    /// How many `GROW:` reports came.
    pub(crate) fn growths(&self) -> u64 {
        self.0.growths.load(Ordering::Relaxed)
    }

    /// How many `REFUSED:` lists came.
    pub(crate) fn refusals(&self) -> u64 {
        self.0.refusals.load(Ordering::Relaxed)
    }

    /// Whether the exit summary was `clean at exit`.
    pub(crate) fn is_clean(&self) -> bool {
        self.0.clean.load(Ordering::Relaxed)
    }
}

impl Sink for Tally {
    fn report(&self, report: &LeakReport) {
        match report.verdict() {
            Verdict::Unreleased => _ = self.0.leaks.fetch_add(1, Ordering::Relaxed),
            Verdict::Growing => _ = self.0.growths.fetch_add(1, Ordering::Relaxed),
            _ => {}
        }
    }

    fn refusal(&self, _: &Refusal) {
        self.0.refusals.fetch_add(1, Ordering::Relaxed);
    }

    fn summary(&self, summary: &ExitSummary) {
        self.0.clean.store(summary.is_clean(), Ordering::Relaxed);
    }
}
