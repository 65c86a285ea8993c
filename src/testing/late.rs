//! What comes back after a scope has ended: the difference between a leak and a test that asked too early.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use crate::detector::LeakDetector;
use crate::report::Escaped;
use crate::sink;

/// How long after its end a scope is still looked at.
const PATIENCE: Duration = Duration::from_secs(5);
/// Between two looks.
const PAUSE: Duration = Duration::from_millis(10);
/// Ended scopes that are looked at; a property test that fails makes them by the thousand.
const MAX_SCOPES: usize = 64;

/// A scope that has ended with more alive than it was to have.
#[derive(Debug)]
struct Ended {
    name: Arc<str>,
    detector: LeakDetector,
    at: Instant,
    /// How many were alive that were to be gone.
    surplus: u64,
    /// How many may stay: expected ones, and those of what is ignored.
    allowed: u64,
}

impl Ended {
    /// What there is to say, once all has come back or the patience is at its end; `None` while it goes on.
    fn verdict(&self, now: Instant) -> Option<Option<String>> {
        let after = now.saturating_duration_since(self.at);
        let counts = self.detector.snapshot();
        let surplus = counts.live().saturating_sub(self.allowed);
        if surplus > 0 && after < PATIENCE {
            return None;
        }
        let back = self.surplus.saturating_sub(surplus);
        // A loss is told as such, and is not what came back.
        let text = (back > 0 && counts.leaked() == 0).then(|| {
            format!(
                "leak scope '{}' has ended, and {back} of {} that were still alive then came back within {} ms: \
                 assert_clean_within(duration) waits for them",
                Escaped(&self.name),
                self.surplus,
                after.as_millis().max(1)
            )
        });
        Some(text)
    }
}

#[derive(Debug, Default)]
struct Watch {
    scopes: Vec<Ended>,
    is_running: bool,
}

static WATCH: Mutex<Watch> = Mutex::new(Watch { scopes: Vec::new(), is_running: false });

fn watch() -> MutexGuard<'static, Watch> {
    WATCH.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A scope ends with so many handles alive that are not meant to be: what of them comes back soon is printed with the scope's
/// name.
pub(super) fn look_after(name: &Arc<str>, detector: &LeakDetector, surplus: u64) {
    let allowed = detector.snapshot().live().saturating_sub(surplus);
    let ended = Ended { name: name.clone(), detector: detector.clone(), at: Instant::now(), surplus, allowed };
    let mut watch = watch();
    if watch.scopes.len() == MAX_SCOPES {
        return;
    }
    watch.scopes.push(ended);
    if !watch.is_running {
        // Where no thread can be had nothing is said: the scope has failed all the same.
        watch.is_running = thread::Builder::new().name("leaktrail-late".to_owned()).spawn(go_on).is_ok();
    }
}

fn go_on() {
    loop {
        thread::sleep(PAUSE);
        let mut done = Vec::new();
        let is_over = {
            let mut watch = watch();
            watch.scopes.retain(|ended| match ended.verdict(Instant::now()) {
                None => true,
                Some(text) => {
                    done.push((ended.detector.clone(), text));
                    false
                }
            });
            watch.is_running = !watch.scopes.is_empty();
            !watch.is_running
        };
        // With no lock held: printing is the test harness's code, and a detector's end may be anybody's.
        for (detector, text) in done {
            drop(detector);
            text.inspect(|text| sink::print(text));
        }
        if is_over {
            return;
        }
    }
}
