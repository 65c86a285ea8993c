//! What a detector said and counted, for a test to read.
#![allow(dead_code, unused_imports, unused_macros, reason = "each test uses its part")]

use std::cell::Cell;
use std::num::NonZeroU32;
use std::sync::{Arc, Mutex, PoisonError};

use leaktrail::{
    Access, AccessRecord, Config, ExitSummary, Hint, LeakDetector, LeakReport, Level, ReportTo, Sink, Snapshot,
    Subscription,
};

/// An interval so long that after a thread's first creation at a site none is sampled in the life of a test.
pub(crate) const NEVER_AGAIN: NonZeroU32 = NonZeroU32::MAX;

/// Settings at a level; nothing is written to the log or to standard error.
pub(crate) fn config(level: Level) -> Config {
    Config::new().level(level).report(ReportTo::Off)
}

/// A detector of its own.
pub(crate) fn detector(level: Level) -> LeakDetector {
    LeakDetector::new(config(level))
}

/// The reports of one detector, in the order in which they were made.
pub(crate) struct Observed {
    detector: LeakDetector,
    reports: Arc<Mutex<Vec<LeakReport>>>,
    _subscription: Subscription,
}

impl Observed {
    pub(crate) fn of(detector: &LeakDetector) -> Observed {
        let reports = Arc::new(Mutex::new(Vec::new()));
        let subscription = detector.subscribe({
            let reports = reports.clone();
            move |report: &LeakReport| reports.lock().unwrap_or_else(PoisonError::into_inner).push(report.clone())
        });
        Observed { detector: detector.clone(), reports, _subscription: subscription }
    }

    /// Everything that was told up to now, what waits included.
    pub(crate) fn reports(&self) -> Vec<LeakReport> {
        self.detector.flush();
        self.reports.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The newest report that has a trail.
    pub(crate) fn newest_trail(&self) -> LeakReport {
        let reports = self.reports();
        let found = reports.iter().rev().find(|report| !report.records().is_empty());
        found.unwrap_or_else(|| panic!("no report with a trail in {reports:#?}")).clone()
    }

    /// The only report there is.
    pub(crate) fn only(&self) -> LeakReport {
        let reports = self.reports();
        assert_eq!(reports.len(), 1, "{reports:#?}");
        reports[0].clone()
    }
}

/// The balance of a detector, as its guard writes it.
pub(crate) fn exit_summary(detector: &LeakDetector) -> ExitSummary {
    struct Keeps(Arc<Mutex<Option<ExitSummary>>>);
    impl Sink for Keeps {
        fn report(&self, _: &LeakReport) {}
        fn summary(&self, summary: &ExitSummary) {
            *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(summary.clone());
        }
    }
    let kept = Arc::new(Mutex::new(None));
    let _subscription = detector.add_sink(Keeps(kept.clone()));
    drop(detector.guard());
    let summary = kept.lock().unwrap_or_else(PoisonError::into_inner).take();
    summary.expect("the guard writes a summary")
}

/// The totals of a snapshot, to be compared as a whole.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Figures {
    pub(crate) created: u64,
    pub(crate) released: u64,
    pub(crate) leaked: u64,
    pub(crate) untracked: u64,
    pub(crate) live: u64,
}

impl Figures {
    pub(crate) fn of(snapshot: &Snapshot) -> Figures {
        Figures {
            created: snapshot.created(),
            released: snapshot.released(),
            leaked: snapshot.leaked(),
            untracked: snapshot.untracked(),
            live: snapshot.live(),
        }
    }
}

/// Asserts the totals of a detector; what is not named is 0.
macro_rules! assert_figures {
    ($detector:expr, { $($figure:ident: $count:expr),* $(,)? } $(, $($note:tt)+)?) => {{
        #[allow(clippy::needless_update, reason = "some callers name all figures")]
        let expected = $crate::observed::Figures { $($figure: $count,)* ..Default::default() };
        assert_eq!($crate::observed::Figures::of(&$detector.snapshot()), expected $(, $($note)+)?);
    }};
}
pub(crate) use assert_figures;

/// A hint that counts how often it is made: that happens only for a handle whose trail records accesses.
pub(crate) struct Probe<'a>(pub(crate) &'a Cell<u64>);

impl From<Probe<'_>> for Hint {
    fn from(probe: Probe<'_>) -> Hint {
        probe.0.set(probe.0.get() + 1);
        Hint::from("probe")
    }
}

/// What the records are of, newest first.
pub(crate) fn accesses(report: &LeakReport) -> Vec<Access> {
    report.records().iter().map(AccessRecord::access).collect()
}

/// The hints of the records that have one, newest first.
pub(crate) fn hints(report: &LeakReport) -> Vec<&str> {
    report.records().iter().filter_map(AccessRecord::hint).collect()
}

/// The first record of that kind.
pub(crate) fn record(report: &LeakReport, access: Access) -> &AccessRecord {
    let found = report.records().iter().find(|record| record.access() == access);
    found.unwrap_or_else(|| panic!("no record of {access:?} in {report:#?}"))
}

/// `file:line` of a record's innermost frame.
pub(crate) fn innermost(record: &AccessRecord) -> (&str, u32) {
    let frame = record.frames().first().unwrap_or_else(|| panic!("no frame in {record:#?}"));
    (frame.file().unwrap_or("no file"), frame.line().unwrap_or(0))
}
