//! Tests in a time of their own: what is found of handles that are alive, minutes and hours from now.
//!
//! No thread ticks in the unit tests (see [`super::reporter::start`]), so a tick comes when a test says so.

use std::time::Duration;

use super::pass::Purpose;
use crate::clock::Stamp;
use crate::config::{AgeLimit, Config, GrowthRule};
use crate::detector::state::outbox::Item;
use crate::detector::{LeakDetector, Tracked, Watched};
use crate::level::Level;
use crate::report::{Form, LeakReport, Observation, Severity, TrailDepth, Verdict};
use crate::stack::Symboliser;

const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_secs(60);

/// A detector and its clock.
struct Bench {
    detector: LeakDetector,
    start: Stamp,
    now: Stamp,
}

impl Bench {
    fn new(config: Config) -> Bench {
        let now = Stamp::now();
        Bench { detector: LeakDetector::new(config), start: now, now }
    }

    /// Lets some time go by, with a tick and a pass each second, and answers what was written in it.
    fn pass(&mut self, time: Duration) -> Vec<LeakReport> {
        let mut reports = Vec::new();
        if self.now == self.start {
            // The first handle was made in the machine's time, which has gone on meanwhile: before it there is no window.
            self.start = self.now.max(Stamp::now());
            self.now = self.start;
        }
        let end = self.now.plus(time);
        while self.now < end {
            self.now = self.now.plus(SECOND.min(end.since(self.now)));
            self.detector.core().tick(self.now);
            reports.extend(self.write(Purpose::Schedule));
        }
        reports
    }

    fn write(&self, purpose: Purpose) -> Vec<LeakReport> {
        let items = self.detector.core().write(purpose, self.now, &mut Symboliser::default());
        let reports =
            items.into_iter().filter_map(|item| if let Item::Report(report) = item { Some(*report) } else { None });
        reports.collect()
    }

    fn minutes(&self) -> u64 {
        self.now.since(self.start).as_secs() / 60
    }
}

/// Whether the build admits the level.
fn can_see(level: Level) -> bool {
    Level::CEILING >= level
}

fn is_line(report: &LeakReport) -> bool {
    matches!(report.form(), Form::Again { .. })
}

/// One handle more in each minute, for two hours: when is it said, and how?
#[test]
#[cfg_attr(miri, ignore = "five hours of ticks")]
fn a_hoard_is_told_with_a_trail_and_then_at_growing_pauses() {
    if !can_see(Level::Simple) {
        return;
    }
    let mut bench = Bench::new(Config::new());
    let (mut hoard, mut told) = (Vec::new(), Vec::new());
    let watch = |bench: &Bench| bench.detector.resource("CachedBody").bytes(1024).watch(7);
    for _ in 0..120 {
        hoard.push(watch(&bench));
        for report in bench.pass(MINUTE) {
            told.push((bench.minutes(), report));
        }
    }
    let minutes: Vec<u64> = told.iter().map(|(minute, _)| *minute).collect();
    assert_eq!(minutes, [11, 12, 13, 15, 19, 27, 43, 75], "{told:#?}");
    let (_, first) = &told[0];
    assert_eq!((first.verdict(), first.severity(), first.resource()), (Verdict::Growing, Severity::Warn, "CachedBody"));
    let expected = format!(
        "GROW: CachedBody at {}: {} live ({} B), up in each of the last 10 min, created 10 released 0, fp={}",
        first.site(),
        first.count(),
        first.bytes(),
        first.fingerprint()
    );
    assert_eq!(first.first_line(), format!("{expected} The next 64 from this site will have a full trail."));
    assert_eq!((first.count(), first.bytes(), first.form()), (11, 11 * 1024, Form::Full));
    // The first handle of a thread at a site is sampled: at SIMPLE its creation.
    assert_eq!(first.trail(), TrailDepth::CreationOnly);
    // The site was promoted, so the next handle has a full trail, and the report after that shows it.
    let (_, second) = &told[1];
    assert_eq!((second.trail(), second.form(), second.count()), (TrailDepth::Full, Form::Full, 12));
    assert!(second.to_string().contains("\nCreated at:\n"), "{second}");
    assert!(told[2..].iter().all(|(_, report)| is_line(report)));
    let Some(Observation::Growth { windows, created, .. }) = told[7].1.observation() else { panic!("{:#?}", told[7]) };
    assert_eq!((*windows, *created), (74, 74));
    // One promotion was enough: most of the hoard has no trail.
    let mut full = 0;
    crate::trail::registry::for_each(|_, trail| full += u64::from(trail.is_full() && trail.bytes() == 1024));
    assert!((1..=64).contains(&full), "{full}");
    assert_eq!(bench.detector.core().state().watchlist.going_on(Verdict::Growing), (1, 120));

    // Given back: it grows no more, and nothing is said.
    hoard.clear();
    assert!(bench.pass(MINUTE * 200).is_empty());
    assert_eq!(bench.detector.core().state().watchlist.going_on(Verdict::Growing), (0, 0));
}

#[test]
fn a_flush_tells_a_growth_whose_count_has_changed() {
    if !can_see(Level::Simple) {
        return;
    }
    let mut bench = Bench::new(Config::new().growth(GrowthRule::new(2, SECOND)));
    let mut hoard = Vec::new();
    let mut told = Vec::new();
    for _ in 0..10 {
        hoard.push(bench.detector.watch(7));
        told.extend(bench.pass(SECOND));
    }
    assert_eq!(told.len(), 2, "the first, and the first with a full trail: {told:#?}");
    let flushed = bench.write(Purpose::Flush);
    assert_eq!((flushed.len(), flushed[0].count(), is_line(&flushed[0])), (1, 10, true), "{flushed:#?}");
    assert!(flushed[0].first_line().contains(", up in each of the last 9 windows of 1 s, "), "{}", flushed[0]);
    assert!(bench.write(Purpose::Flush).is_empty(), "nothing has changed");
}

#[test]
fn who_does_not_want_to_know_of_growth_is_told_nothing() {
    let mut bench = Bench::new(Config::new().growth(None));
    let mut hoard = Vec::new();
    for _ in 0..30 {
        hoard.push(bench.detector.watch(7));
        assert!(bench.pass(MINUTE).is_empty());
    }
}

fn holding(level: Level) -> Bench {
    Bench::new(Config::new().level(level).held_too_long(AgeLimit::after(SECOND * 30)))
}

#[test]
fn what_is_held_too_long_is_told_and_that_it_came_back() {
    if !can_see(Level::Paranoid) {
        return;
    }
    let mut bench = holding(Level::Paranoid);
    let connection = |bench: &Bench| bench.detector.resource("PgConnection").track(7);
    let held = connection(&bench);
    assert!(bench.pass(SECOND * 30).is_empty());
    let told = bench.pass(SECOND * 2);
    let [report] = &told[..] else { panic!("{told:#?}") };
    assert_eq!((report.verdict(), report.severity(), report.count()), (Verdict::HeldTooLong, Severity::Warn, 1));
    let line = report.first_line();
    assert!(line.starts_with("HELD: PgConnection for 3"), "{line}");
    assert!(line.contains(" s (threshold 30 s): created src/detector/telling/virtual_time.rs:"), "{line}");
    assert!(line.contains(", 1 of 1 live here are over, fp="), "{line}");
    assert_eq!((report.form(), report.trail()), (Form::Full, TrailDepth::Full));

    // It goes on, and a younger one joins it: of another tick of the clock.
    let before = Stamp::now();
    while Stamp::now() == before {
        std::thread::sleep(Duration::from_millis(1));
    }
    let other = connection(&bench);
    let told = bench.pass(SECOND * 70);
    let [report] = &told[..] else { panic!("{told:#?}") };
    assert!(is_line(report) && report.count() == 2, "{report:#?}");
    let Some(Observation::Held { age, .. }) = report.observation() else { panic!("{report:#?}") };
    assert!((91..=94).contains(&age.as_secs()), "{age:?}");

    Tracked::release(held);
    let told = bench.pass(SECOND * 2);
    let [report] = &told[..] else { panic!("{told:#?}") };
    assert_eq!(report.severity(), Severity::Info);
    assert!(report.first_line().starts_with("HELD: PgConnection came back after 10"), "{report}");
    Tracked::release(other);
    assert!(bench.pass(MINUTE * 10).is_empty(), "no line was about the other one");
}

/// What was lost has a line of its own; so it does not come back, and neither does what was given up.
#[test]
fn what_is_lost_or_given_up_does_not_come_back() {
    if !can_see(Level::Paranoid) {
        return;
    }
    let ends: [fn(Tracked<i32>); 2] = [drop, |held| _ = Tracked::into_untracked(held, "for good")];
    for end in ends {
        let mut bench = holding(Level::Paranoid);
        let held = bench.detector.track(7);
        assert_eq!(bench.pass(MINUTE).len(), 1);
        end(held);
        let told = bench.pass(MINUTE * 5);
        assert!(told.iter().all(|report| report.verdict() == Verdict::Unreleased), "{told:#?}");
    }
}

#[test]
fn the_last_touch_is_told_and_how_long_ago_it_was() {
    if !can_see(Level::Paranoid) {
        return;
    }
    let mut bench = holding(Level::Paranoid);
    let held = bench.detector.watch(7);
    Watched::touch(&held);
    let told = bench.pass(SECOND * 40);
    let Some(Observation::Held { last_touch: Some(touch), .. }) = told[0].observation() else { panic!("{told:#?}") };
    // Where that was is seen from outside of this crate alone, whose own frames are left out: `tests/watching.rs`.
    assert!((29..=31).contains(&touch.ago().as_secs()), "{touch:?}");
}

#[test]
fn a_resource_may_have_a_limit_of_its_own() {
    if !can_see(Level::Paranoid) {
        return;
    }
    let config = Config::new().level(Level::Paranoid).held_too_long(AgeLimit::after(MINUTE));
    let config =
        config.held_too_long_of("Listener", AgeLimit::NEVER).held_too_long_of("Permit", AgeLimit::after(SECOND));
    let mut bench = Bench::new(config);
    let held = ["Listener", "Permit", "Page"].map(|name| bench.detector.resource(name).watch(name));
    let resources = |told: Vec<LeakReport>| told.iter().map(|report| report.resource().to_owned()).collect::<Vec<_>>();
    assert_eq!(resources(bench.pass(SECOND * 3)), ["Permit"]);
    assert_eq!(resources(bench.pass(SECOND * 50)), [""; 0]);
    let told = resources(bench.pass(SECOND * 10));
    assert!(told.contains(&"Page".to_owned()) && !told.contains(&"Listener".to_owned()), "{told:?}");
    drop(held);
}

/// Below PARANOID the handles with a trail are looked at, and the line says how many those are.
#[test]
fn what_is_sampled_is_not_told_as_if_it_were_all() {
    if !can_see(Level::Simple) {
        return;
    }
    let config = Config::new().sampling_interval(std::num::NonZeroU32::MAX).level(Level::Simple);
    let mut bench = Bench::new(config.held_too_long(AgeLimit::after(SECOND * 30)));
    let held: Vec<Watched<i32>> = (0..10).map(|n| bench.detector.watch(n)).collect();
    let told = bench.pass(SECOND * 40);
    assert!(told[0].first_line().contains(", 1 of 1 sampled (10 live) here are over, fp="), "{}", told[0]);
    drop(held);
}

#[test]
fn what_is_given_back_in_time_is_not_told() {
    let mut bench = holding(Level::Paranoid.min(Level::CEILING));
    for _ in 0..20 {
        let held = bench.detector.watch(7);
        assert!(bench.pass(SECOND * 29).is_empty());
        drop(held);
        // A handle is made in real time, so for the next one the clock begins anew.
        bench = holding(Level::Paranoid.min(Level::CEILING));
    }
}
