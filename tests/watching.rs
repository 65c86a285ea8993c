//! What is kept is found without a loss: sites that grow, handles that are held too long, small parts that keep large buffers.
//!
//! With windows and limits of milliseconds, on the reporter's own ticks: a test waits until something is told, never for a
//! time. When a report comes and goes on is held in virtual time, within the sources.

mod rig;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use leaktrail::testing::LeakScope;
use leaktrail::{
    AgeLimit, ByteBuf, Config, DropPolicy, GrowthRule, LeakDetector, LeakReport, Level, Observation, ReportTo,
    Severity, Subscription, Tracked, TrailDepth, Verdict, Watched,
};
use rig::Rig;

const MILLISECOND: Duration = Duration::from_millis(1);
const PATIENCE: Duration = Duration::from_secs(60);

/// The reports of a detector, as they come.
struct Told {
    reports: Arc<Mutex<Vec<LeakReport>>>,
    _subscription: Subscription,
}

impl Told {
    fn by(detector: &LeakDetector) -> Told {
        let reports = Arc::new(Mutex::new(Vec::new()));
        let told = reports.clone();
        let subscription = detector.subscribe(move |report| told.lock().unwrap().push(report.clone()));
        Told { reports, _subscription: subscription }
    }

    fn all(&self) -> Vec<LeakReport> {
        self.reports.lock().unwrap().clone()
    }

    /// Waits for a report that is as wanted.
    #[track_caller]
    fn wait_for(&self, what: &str, wanted: impl Fn(&LeakReport) -> bool) -> LeakReport {
        let deadline = Instant::now() + PATIENCE;
        loop {
            if let Some(report) = self.all().into_iter().find(|report| wanted(report)) {
                return report;
            }
            assert!(Instant::now() < deadline, "{what}: {:#?}", self.all());
            thread::sleep(MILLISECOND);
        }
    }
}

fn config() -> Config {
    let config = Config::new().report(ReportTo::Off).growth(None).pinned(AgeLimit::NEVER);
    config.level(Level::Paranoid.min(Level::CEILING))
}

fn is_verdict(verdict: Verdict) -> impl Fn(&LeakReport) -> bool {
    move |report| report.verdict() == verdict
}

#[test]
fn a_site_that_grows_is_told_and_promoted_at_simple() {
    if Level::CEILING < Level::Simple {
        return;
    }
    let config = config().level(Level::Simple).growth(GrowthRule::new(3, MILLISECOND * 20));
    let detector = LeakDetector::new(config);
    let told = Told::by(&detector);
    let (mut hoard, site) = (Vec::new(), line!() + 6);
    let done = AtomicBool::new(false);
    let first = thread::scope(|scope| {
        scope.spawn(|| {
            // Relaxed: the scope's end orders everything.
            while !done.load(Ordering::Relaxed) {
                hoard.push(detector.resource("CachedBody").bytes(1024).watch(7));
                thread::sleep(MILLISECOND);
            }
        });
        let first = told.wait_for("a growth", is_verdict(Verdict::Growing));
        // Handles that are made from then on have full trails, and the report that comes with the first shows one.
        let traced = told.wait_for("a growth with a trail", |report| report.trail() == TrailDepth::Full);
        done.store(true, Ordering::Relaxed);
        assert_eq!((traced.verdict(), traced.fingerprint()), (Verdict::Growing, first.fingerprint()));
        assert!(traced.records()[0].frames().iter().any(|frame| frame.file() == Some(file!())), "{traced}");
        first
    });
    assert_eq!((first.resource(), first.site().line(), first.severity()), ("CachedBody", site, Severity::Warn));
    assert_eq!(first.bytes(), first.count() * 1024);
    let Some(Observation::Growth { windows, created, released, .. }) = first.observation() else {
        panic!("{first:#?}")
    };
    assert!(*windows >= 3 && *created > 0 && *released == 0, "{first}");
    assert!(first.first_line().contains(" windows of 20 ms, created "), "{first}");
}

#[test]
fn a_handle_that_is_held_too_long_is_told_with_its_last_touch_and_its_return() {
    if Level::CEILING < Level::Paranoid {
        return;
    }
    let detector = LeakDetector::new(config().held_too_long(AgeLimit::after(MILLISECOND * 30)));
    let told = Told::by(&detector);
    let (held, created) = (detector.resource("PgConnection").track(7), line!());
    Tracked::touch_with(&held, "a query");
    let touched = line!() - 1;

    let report = told.wait_for("a held one", is_verdict(Verdict::HeldTooLong));
    assert_eq!((report.resource(), report.site().line(), report.count()), ("PgConnection", created, 1));
    let Some(Observation::Held { age, threshold, last_touch: Some(touch), seen }) = report.observation() else {
        panic!("{report:#?}")
    };
    assert!(age > threshold && *threshold == MILLISECOND * 30 && seen.is_everything(), "{report}");
    assert!(touch.place().starts_with(&format!("{}:{touched}:", file!())), "{touch:?}");
    assert!(report.to_string().contains("\n\tHint: a query\n"), "{report}");

    Tracked::release(held);
    let back = told.wait_for("its return", |report| report.severity() == Severity::Info);
    assert!(back.first_line().starts_with("HELD: PgConnection came back after "), "{back}");
    assert_eq!(back.fingerprint(), report.fingerprint());
}

/// A rig whose reports come by themselves.
fn pinning(level: Level, policy: DropPolicy) -> (Rig, Told) {
    let config = config().level(level).pinned(AgeLimit::after(MILLISECOND * 30));
    let rig = Rig::with_config(config, policy, 1 << 20);
    let told = Told::by(&rig.detector);
    (rig, told)
}

#[test]
fn a_small_slice_that_keeps_a_large_buffer_is_told_with_both_sites() {
    // Below PARANOID the first buffer of a thread at a site is sampled, and then each reference to it has a trail.
    for level in [Level::Simple, Level::Advanced, Level::Paranoid] {
        if Level::CEILING < level {
            return;
        }
        let (rig, told) = pinning(level, DropPolicy::Reclaim);
        let (body, created) = (rig.filled(&[7; 4096]), line!());
        let (header, sliced) = (body.slice(10..74), line!());
        assert!(!body.release());
        let report = told.wait_for("a pinned one", is_verdict(Verdict::Pinned));
        assert_eq!((report.resource(), report.site().line(), report.severity()), ("ByteBuf", sliced, Severity::Warn));
        assert_eq!((report.count(), report.bytes()), (1, 4096));
        let Some(Observation::Pinned { part_bytes: 64, whole_bytes: 4096, whole_site: Some(site), .. }) =
            report.observation()
        else {
            panic!("{report:#?}")
        };
        assert_eq!((site.file(), site.line()), (file!(), created));
        let line = report.first_line();
        assert!(line.starts_with("PINNED: ByteBuf of 4096 B is kept by 64 B for "), "{line}");
        assert!(line.contains(&format!(": sliced {}:{sliced}:", file!())), "{line}");
        assert!(line.contains(", 1 of 1 live here pin 4096 B, fp="), "{line}");
        assert!(header.release());
        rig.assert_all_came_back();
    }
}

/// Keeps a buffer in each of the ways that are none of a small part alone, and one that is.
#[test]
fn a_buffer_that_something_larger_keeps_is_not_pinned() {
    if Level::CEILING < Level::Paranoid {
        return;
    }
    let (rig, told) = pinning(Level::Paranoid, DropPolicy::Abandon);
    let mut kept: Vec<ByteBuf> = Vec::new();
    let mut keep = |kept_of: fn(&ByteBuf) -> Vec<ByteBuf>| {
        let body = rig.filled(&[7; 4096]);
        kept.extend(kept_of(&body));
        body.release();
    };
    // The whole is there too; the part is larger than a sixty-fourth; or the parts together are.
    keep(|body| vec![body.retain(), body.slice(..1)]);
    keep(|body| vec![body.slice(..65)]);
    keep(|body| (0..3).map(|nth| body.slice(nth * 32..nth * 32 + 32)).collect());
    // Somebody's reference was abandoned, which keeps the buffer for ever.
    keep(|body| {
        drop(body.retain());
        vec![body.slice(..1)]
    });
    // More slices than a family remembers, of which one is large.
    keep(|body| (0..40).map(|nth| body.slice(..if nth == 30 { 4000 } else { 0 })).collect());
    let pinned_by = line!() + 1;
    keep(|body| (0..40).map(|nth| body.slice(nth..=nth).retain_alone()).collect());
    let report = told.wait_for("a pinned one", is_verdict(Verdict::Pinned));
    assert_eq!(report.site().line(), pinned_by);
    assert_eq!(report.bytes(), 4096, "one buffer, however many keep it");
    for other in told.all().iter().filter(|report| report.verdict() == Verdict::Pinned) {
        assert_eq!(other.site().line(), pinned_by, "{other}");
    }
    kept.into_iter().for_each(|part| _ = part.release());
}

trait RetainAlone {
    /// Another reference to the same bytes, and none of the first.
    fn retain_alone(self) -> ByteBuf;
}

impl RetainAlone for ByteBuf {
    #[track_caller]
    fn retain_alone(self) -> ByteBuf {
        let other = self.retain();
        self.release();
        other
    }
}

/// A scope says itself what may be alive; its detector watches nothing by the clock.
#[test]
fn a_scope_is_told_nothing_of_what_it_holds() {
    if Level::CEILING < Level::Paranoid {
        return;
    }
    let scope = LeakScope::new("holds");
    let (inside, outside) =
        (Told::by(scope.detector()), LeakDetector::new(config().held_too_long(AgeLimit::after(MILLISECOND))));
    let outside_told = Told::by(&outside);
    let mut held: Vec<Watched<i32>> = Vec::new();
    let witness = outside.watch(7);
    // For as long as the reporter needs to look at both some times.
    for _ in 0..3 {
        held.push(scope.detector().watch(7));
        outside_told.wait_for("the witness", is_verdict(Verdict::HeldTooLong));
    }
    assert!(inside.all().is_empty(), "{:#?}", inside.all());
    drop((held, witness));
    scope.assert_clean();
}
