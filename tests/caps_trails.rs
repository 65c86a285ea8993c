//! The process's 65,536 live trails: past them PARANOID samples, and the counts stay exact. In a process of its own: other
//! threads would keep some of the free places at hand.

mod observed;

use std::cell::Cell;
use std::sync::{Mutex, PoisonError};

use leaktrail::{Config, LeakDetector, Level, ReportTo, Watched};
use observed::{NEVER_AGAIN, Probe, assert_figures, exit_summary};

const TRAILS: u64 = 65_536;

/// Keeps the warnings that are logged.
struct Warnings(Mutex<Vec<String>>);

static WARNINGS: Warnings = Warnings(Mutex::new(Vec::new()));

impl log::Log for Warnings {
    fn enabled(&self, metadata: &log::Metadata<'_>) -> bool {
        metadata.level() <= log::Level::Warn
    }

    fn log(&self, record: &log::Record<'_>) {
        if self.enabled(record.metadata()) && record.target() == "leaktrail" {
            let line = format!("{} {}", record.level(), record.args());
            self.0.lock().unwrap_or_else(PoisonError::into_inner).push(line);
        }
    }

    fn flush(&self) {}
}

/// Never inlined: a call that the compiler puts into the program twice has two addresses, and for a thread the first
/// creation at each is sampled.
#[inline(never)]
fn open_held(detector: &LeakDetector) -> Watched<()> {
    detector.resource("Held").bytes(8).watch(())
}

#[test]
fn past_65536_trails_paranoid_samples_and_the_counts_stay_exact() {
    log::set_logger(&WARNINGS).unwrap();
    log::set_max_level(log::LevelFilter::Warn);
    let config = Config::new().level(Level::Paranoid).sampling_interval(NEVER_AGAIN).report(ReportTo::Log);
    let detector = LeakDetector::new(config);
    let open = || open_held(&detector);
    let traced = |handle: &Watched<()>| {
        let made = Cell::new(0);
        Watched::touch_with(handle, Probe(&made));
        made.get() == 1
    };
    let mut held: Vec<_> = (0..TRAILS).map(|_| open()).collect();
    assert!(traced(held.last().unwrap()), "the last place was taken");
    assert_eq!(detector.snapshot().discarded().trails(), 0);

    // Over the cap each handle is counted, and none has a trail: there is no room.
    let over: Vec<_> = (0..5_000).map(|_| open()).collect();
    assert!(!over.iter().any(traced));
    assert_figures!(detector, { created: TRAILS + 5_000, live: TRAILS + 5_000 });
    assert_eq!(detector.snapshot().live_bytes(), (TRAILS + 5_000) * 8);
    let discarded = detector.snapshot().discarded().trails();
    assert_eq!(discarded, 5_000, "each of them should have had a trail");

    // A few places more are not enough: it samples until half are free.
    held.truncate(40_000);
    assert_figures!(detector, { created: TRAILS + 5_000, live: 45_000, released: TRAILS - 40_000 });
    let sampled = (0..100).filter(|_| traced(&open())).count();
    assert_eq!(sampled, 0, "one in a very long interval");
    held.truncate(30_000);
    let sampled = (0..100).filter(|_| traced(&open())).count();
    assert_eq!(sampled, 100, "room again");

    detector.flush();
    let warnings = WARNINGS.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
    let told: Vec<_> = warnings.iter().filter(|line| line.contains("PARANOID falls back to sampling")).collect();
    assert_eq!(told.len(), 1, "{warnings:#?}");
    assert!(told[0].starts_with("WARN "), "{told:?}");

    drop((held, over));
    assert_figures!(detector, { created: TRAILS + 5_200, released: TRAILS + 5_200 });
    let summary = exit_summary(&detector);
    let line = "leaktrail: not kept, over a cap: 5100 trails; the counts are exact";
    assert!(summary.lines().iter().any(|(_, text)| text == line), "{summary}");
}
