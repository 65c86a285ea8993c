//! Figures for a scraper: the same counts as in a snapshot, by resource and never by site.

mod family;
mod text;

use std::collections::BTreeMap;
use std::time::Duration;

use super::{SiteStats, Snapshot};

pub(crate) use family::Kind;
use family::{Family, Figure};

/// Resources that have figures of their own. Those past it are counted together: a scraper keeps every name for ever.
const MAX_RESOURCES: usize = 256;

/// What resources past the bound are called.
const OTHER_RESOURCES: &str = "(other resources)";

/// Figures for a scraper: counters and gauges by resource, never by site.
///
/// `Display` is the OpenMetrics text, with its end, which Prometheus and its kin read; serve it as
/// [`CONTENT_TYPE`](Metrics::CONTENT_TYPE). With feature `metrics` the same figures go to whatever recorder the program has
/// installed for the crate of that name. `docs/OPERATING.md` has every name and what to alert on.
///
/// # Examples
///
/// ```
/// use leaktrail::{Config, DirectMemory, LeakDetector, Metrics};
///
/// let detector = LeakDetector::new(Config::new());
/// let memory = DirectMemory::with_limit(1024);
/// let _reservation = memory.try_reserve(1000)?;
/// drop(detector.resource("Permit").bytes(64).track(()));
///
/// let text = Metrics::of(&detector.snapshot()).budget("bodies", &memory).to_string();
/// # if leaktrail::Level::CEILING > leaktrail::Level::Disabled {
/// assert!(text.contains("leaktrail_leaked_total{resource=\"Permit\"} 1\n"));
/// # }
/// assert!(text.contains("leaktrail_budget_used_bytes{budget=\"bodies\"} 1000\n"));
/// assert!(text.ends_with("# EOF\n"));
/// # Ok::<(), leaktrail::OutOfDirectMemory>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
#[must_use]
pub struct Metrics {
    pub(crate) families: Vec<Family>,
}

/// The figures of one budget.
#[derive(Clone, Copy, Debug)]
pub(crate) struct BudgetFigures {
    pub(crate) used: u64,
    /// None without one.
    pub(crate) limit: Option<u64>,
    pub(crate) peak: u64,
    pub(crate) refusals: u64,
    /// How long was waited in all.
    pub(crate) waited: Duration,
}

impl Metrics {
    /// What the text is served as.
    pub const CONTENT_TYPE: &'static str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

    /// No figures yet: for budgets alone.
    pub fn new() -> Metrics {
        Metrics::default()
    }

    /// The figures of a detector.
    pub fn of(snapshot: &Snapshot) -> Metrics {
        let by_resource = by_resource(snapshot.sites());
        let mut metrics = Metrics::new();
        for (family, figure) in PER_RESOURCE {
            metrics.family(family.0, family.1, family.2);
            for (resource, sites) in &by_resource {
                let sum = sites.iter().map(|stats| figure(stats)).fold(0, u64::saturating_add);
                metrics.sample(&[("resource", resource)], sum);
            }
        }
        for (name, help, count) in [
            ("leaktrail_held_too_long", "Handles alive for longer than they may be.", snapshot.held_too_long()),
            ("leaktrail_growing_sites", "Sites whose live count only rises.", snapshot.growing_sites()),
        ] {
            metrics.family(name, Kind::Gauge, help);
            metrics.sample(&[], count);
        }
        let dropped = snapshot.discarded();
        metrics.family(
            "leaktrail_reports_dropped",
            Kind::Counter,
            "Reports that reached nobody, by what was in the way.",
        );
        for (reason, count) in
            [("queue_full", dropped.reports()), ("cause_cap", dropped.fingerprints()), ("file", snapshot.unwritten())]
        {
            metrics.sample(&[("reason", reason)], count);
        }
        metrics.family("leaktrail_self_bytes", Kind::Gauge, "What the detector itself takes, without its symbols.");
        metrics.sample(&[], snapshot.self_bytes());
        metrics.family("leaktrail", Kind::Info, "What is in force.");
        let labels =
            [("level", snapshot.level().name()), ("walker", snapshot.walker()), ("version", env!("CARGO_PKG_VERSION"))];
        metrics.sample(&labels, 1);
        metrics
    }

    /// Adds the figures of a budget under a name; called again it stands beside the others.
    pub(crate) fn with_budget(mut self, name: &str, figures: BudgetFigures) -> Metrics {
        let BudgetFigures { used, limit, peak, refusals, waited } = figures;
        let waited = u64::try_from(waited.as_micros()).unwrap_or(u64::MAX);
        for (family, kind, help, figure) in [
            ("leaktrail_budget_used_bytes", Kind::Gauge, "What is reserved.", Some(used)),
            ("leaktrail_budget_limit_bytes", Kind::Gauge, "What may be reserved; absent without a limit.", limit),
            ("leaktrail_budget_peak_bytes", Kind::Gauge, "The most that was reserved at once.", Some(peak)),
            ("leaktrail_budget_refusals", Kind::Counter, "Requests that were refused.", Some(refusals)),
            ("leaktrail_budget_wait_seconds", Kind::Time, "How long requests waited, all together.", Some(waited)),
        ] {
            self.family(family, kind, help);
            if let Some(figure) = figure {
                self.sample(&[("budget", name)], figure);
            }
        }
        self
    }

    /// The family that samples are added to from now on: it is found again, so that a name stands once.
    fn family(&mut self, name: &'static str, kind: Kind, help: &'static str) {
        let known = self.families.iter().position(|family| family.name == name);
        let family = match known {
            Some(at) => self.families.remove(at),
            None => Family { name, kind, help, figures: Vec::new() },
        };
        self.families.push(family);
    }

    fn sample(&mut self, labels: &[(&'static str, &str)], value: u64) {
        if let Some(family) = self.families.last_mut() {
            let labels = labels.iter().map(|(name, value)| (*name, (*value).to_owned())).collect();
            family.figures.push(Figure { labels, value });
        }
    }
}

/// What there is of each resource: the family, and its figure at one site.
type PerResource = ((&'static str, Kind, &'static str), fn(&SiteStats) -> u64);

const PER_RESOURCE: [PerResource; 6] = [
    (("leaktrail_created", Kind::Counter, "Handles made."), SiteStats::created),
    (("leaktrail_released", Kind::Counter, "Handles given back."), SiteStats::released),
    (("leaktrail_leaked", Kind::Counter, "Handles dropped without release. Any is a defect."), SiteStats::leaked),
    (("leaktrail_leaked_bytes", Kind::Counter, "Bytes of handles dropped without release."), SiteStats::leaked_bytes),
    (("leaktrail_live", Kind::Gauge, "Handles alive."), SiteStats::live),
    (("leaktrail_live_bytes", Kind::Gauge, "Bytes of handles alive."), SiteStats::live_bytes),
];

/// The rows of each resource, in the order of their names; those past the bound together.
fn by_resource(sites: &[SiteStats]) -> BTreeMap<&str, Vec<&SiteStats>> {
    let mut resources: BTreeMap<&str, Vec<&SiteStats>> = BTreeMap::new();
    for stats in sites {
        let name = stats.resource();
        let has_room = resources.len() < MAX_RESOURCES || resources.contains_key(name);
        resources.entry(if has_room { name } else { OTHER_RESOURCES }).or_default().push(stats);
    }
    resources
}
