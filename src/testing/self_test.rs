//! The proof that detection is on.

use std::panic::Location;
use std::sync::{Arc, Mutex, PoisonError};

use crate::config::Config;
use crate::detector::LeakDetector;
use crate::level::Level;
use crate::sink;

/// Proves that the level in force detects a leak, by seeding one; returns that level.
///
/// A suite that is green because detection is switched off is worse than a red one. The level in force is the global
/// detector's, from `LEAK_DETECTION_LEVEL`, an installed configuration or the default, below the ceiling that the build was
/// compiled with; on a thread that has entered a scope it is the scope's. The leak is seeded on a detector of the same
/// settings, so that the program's own counts and log have nothing of it.
///
/// # Panics
///
/// If the leak is not counted and reported with its site, with a text that says why.
///
/// # Examples
///
/// ```
/// use leaktrail::Level;
///
/// let level = leaktrail::testing::self_test();
/// assert!(level >= Level::Simple);
/// ```
#[track_caller]
pub fn self_test() -> Level {
    let level = LeakDetector::global().level();
    assert!(
        level > Level::Disabled,
        "leak detection is off: the level in force is DISABLED and the ceiling of this build is {}; set LEAK_DETECTION_LEVEL \
         to simple, advanced or paranoid, and build without the cargo features max_level_disabled and \
         release_max_level_disabled",
        Level::CEILING
    );
    let (config, errors) = Config::from_env_lossy();
    sink::warn_about(&errors);
    let detector = LeakDetector::new(config.level(level).secluded());
    let reports = Arc::new(Mutex::new(Vec::new()));
    let kept = reports.clone();
    let subscription =
        detector.subscribe(move |report| kept.lock().unwrap_or_else(PoisonError::into_inner).push(report.clone()));

    // Through `#[track_caller]` the seed's site is the line that asked for the test.
    let line = Location::caller().line();
    drop(detector.resource("SelfTest").bytes(64).track(()));
    detector.flush();
    drop(subscription);

    let snapshot = detector.snapshot();
    assert_eq!(
        (snapshot.created(), snapshot.leaked(), snapshot.leaked_bytes(), snapshot.live()),
        (1, 1, 64, 0),
        "leak detection does not count at level {level}: a seeded leak of 64 B should be created, lost and not alive"
    );
    let reports = reports.lock().unwrap_or_else(PoisonError::into_inner);
    let is_seeded = reports.iter().any(|report| report.site().line() == line && report.count() == 1);
    assert!(is_seeded, "leak detection does not report at level {level}: of a seeded leak it said {reports:?}");
    level
}
