//! What the detector of a scope reports.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::report::{Escaped, Fingerprint, LeakReport, Sink, Snapshot, Verdict};
use crate::sink;

/// Ways to lose a handle of one site that are shown with their trails.
pub(super) const MAX_PATHS: usize = 3;

/// Reports by cause, while the scope lives; afterwards they are printed.
#[derive(Debug)]
pub(super) struct Findings {
    name: Arc<str>,
    kept: Mutex<Kept>,
}

#[derive(Debug, Default)]
struct Kept {
    reports: HashMap<Fingerprint, Vec<LeakReport>>,
    /// Once the scope has ended: what each cause had lost by then.
    told: Option<HashMap<Fingerprint, u64>>,
}

impl Findings {
    pub(super) fn new(name: Arc<str>) -> Findings {
        Findings { name, kept: Mutex::default() }
    }

    /// The reports of a cause that have a trail, one for each path, at most [`MAX_PATHS`].
    pub(super) fn of(&self, fingerprint: Fingerprint) -> Vec<LeakReport> {
        self.lock().reports.get(&fingerprint).cloned().unwrap_or_default()
    }

    /// The scope ends with these counts: what is lost from now on is printed, since nobody asks any more.
    pub(super) fn end(&self, snapshot: &Snapshot) {
        let mut told = HashMap::new();
        for row in snapshot.sites() {
            *told.entry(Fingerprint::of(row.resource(), Verdict::Unreleased, row.site())).or_default() += row.leaked();
        }
        let mut kept = self.lock();
        kept.told = Some(told);
        kept.reports.clear();
    }

    fn lock(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The findings as the detector knows them. They know nothing of the detector, so that neither keeps the other alive.
#[derive(Debug)]
pub(super) struct Recorder(pub(super) Arc<Findings>);

impl Sink for Recorder {
    fn report(&self, report: &LeakReport) {
        let mut kept = self.0.lock();
        let Some(told) = &mut kept.told else {
            let reports = kept.reports.entry(report.fingerprint()).or_default();
            if reports.len() < MAX_PATHS && !report.records().is_empty() {
                reports.push(report.clone());
            }
            return;
        };
        let before = told.insert(report.fingerprint(), report.count()).unwrap_or_default();
        drop(kept);
        if report.count() > before {
            sink::print(&format!(
                "leak scope '{}' has ended, and this was lost since:\n{report}",
                Escaped(&self.0.name)
            ));
        }
    }
}
