//! A leak-aware allocator with all that a test asks about it afterwards: budget, detector, and a sink that remembers.
#![allow(dead_code, reason = "each test uses its part of it")]

use std::num::NonZeroU32;
use std::sync::{Arc, Mutex, PoisonError};

use leaktrail::{
    ByteBuf, ByteBufAllocator, Config, DirectMemory, DropPolicy, LeakAware, LeakDetector, LeakReport, Level, Refusal,
    Sink, SiteStats, Subscription, UnpooledAllocator,
};

/// A budget, a detector, and the allocator that joins them.
#[derive(Debug)]
pub(crate) struct Rig {
    pub(crate) memory: DirectMemory,
    pub(crate) detector: LeakDetector,
    pub(crate) allocator: LeakAware<UnpooledAllocator>,
    memo: Memo,
    _subscription: Subscription,
}

/// What a site has counted: created, released, leaked, live.
pub(crate) type Counts = (u64, u64, u64, u64);

impl Rig {
    /// One of its own, so that tests which run beside each other share nothing.
    pub(crate) fn new(level: Level, policy: DropPolicy, limit: u64) -> Rig {
        Rig::with_config(Config::new().level(level), policy, limit)
    }

    /// One that samples the first creation of each thread at each site and then, for all practical purposes, none.
    pub(crate) fn rarely_sampling(level: Level, policy: DropPolicy, limit: u64) -> Rig {
        Rig::with_config(Config::new().level(level).sampling_interval(NonZeroU32::MAX), policy, limit)
    }

    pub(crate) fn with_config(config: Config, policy: DropPolicy, limit: u64) -> Rig {
        let memory = DirectMemory::with_limit(limit);
        let detector = LeakDetector::new(config);
        let memo = Memo::default();
        let subscription = detector.add_sink(memo.clone());
        let allocator = LeakAware::new(UnpooledAllocator::new(memory.clone()), detector.clone()).drop_policy(policy);
        Rig { memory, detector, allocator, memo, _subscription: subscription }
    }

    /// A frozen buffer with these bytes, as large as they are. The caller is its site.
    #[track_caller]
    pub(crate) fn filled(&self, contents: &[u8]) -> ByteBuf {
        let mut buffer = self.allocator.allocate(contents.len()).expect("the budget is large enough");
        buffer.put_slice(contents);
        buffer.freeze()
    }

    /// Every report so far, the oldest first.
    pub(crate) fn reports(&self) -> Vec<LeakReport> {
        self.detector.flush();
        self.memo.lock().reports.clone()
    }

    /// The reports of one site of the calling file.
    pub(crate) fn reports_of(&self, line: u32) -> Vec<LeakReport> {
        self.reports().into_iter().filter(|report| report.site().line() == line).collect()
    }

    /// The only report of one site.
    #[track_caller]
    pub(crate) fn report_of(&self, line: u32) -> LeakReport {
        let mut reports = self.reports_of(line);
        assert_eq!(reports.len(), 1, "{reports:#?}");
        reports.remove(0)
    }

    /// Every refusal that was listed so far.
    pub(crate) fn refusals(&self) -> Vec<Refusal> {
        self.detector.flush();
        self.memo.lock().refusals.clone()
    }

    /// The refusals that were listed without being asked for.
    pub(crate) fn refusals_told_by_now(&self) -> Vec<Refusal> {
        self.memo.lock().refusals.clone()
    }

    /// All sites together.
    pub(crate) fn counts(&self) -> Counts {
        let now = self.detector.snapshot();
        (now.created(), now.released(), now.leaked(), now.live())
    }

    /// The sites on one line.
    pub(crate) fn counts_of(&self, line: u32) -> Counts {
        let sites = self.sites_of(line);
        let total = |figure: fn(&SiteStats) -> u64| sites.iter().map(figure).sum();
        (total(SiteStats::created), total(SiteStats::released), total(SiteStats::leaked), total(SiteStats::live))
    }

    /// The rows of the sites on one line.
    pub(crate) fn sites_of(&self, line: u32) -> Vec<SiteStats> {
        let now = self.detector.snapshot();
        now.sites().iter().filter(|site| site.site().line() == line).cloned().collect()
    }

    /// Holds that nothing is out: no byte reserved or abandoned, no reference alive.
    #[track_caller]
    pub(crate) fn assert_all_came_back(&self) {
        let memory = &self.memory;
        assert_eq!((memory.used(), memory.abandoned(), memory.reservations()), (0, 0, 0));
        let now = self.detector.snapshot();
        assert_eq!((now.live(), now.live_bytes()), (0, 0), "{now}");
    }
}

/// Keeps what it is told.
#[derive(Clone, Debug, Default)]
struct Memo(Arc<Mutex<Told>>);

#[derive(Debug, Default)]
struct Told {
    reports: Vec<LeakReport>,
    refusals: Vec<Refusal>,
}

impl Memo {
    fn lock(&self) -> std::sync::MutexGuard<'_, Told> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Sink for Memo {
    fn report(&self, report: &LeakReport) {
        self.lock().reports.push(report.clone());
    }

    fn refusal(&self, refusal: &Refusal) {
        self.lock().refusals.push(refusal.clone());
    }
}
