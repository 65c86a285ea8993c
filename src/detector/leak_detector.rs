//! The detector as its users hold it.

use std::fmt;
use std::panic::Location;
use std::sync::Arc;
use std::time::Duration;

use super::handle::{Opening, Ticket};
use super::handle::{Tracked, Watched};
use super::state::bulletin::Notice;
use super::state::{Core, redirect, registry, waker};
use super::subscription::Subscription;
use super::telling::pass::{PATIENCE, Purpose};
use crate::clock::Stamp;
use crate::config::Config;
use crate::level::Level;
use crate::report::{LeakReport, Origin, Sink, SiteStats, Snapshot};
use crate::sink::ClosureSink;
use crate::stack::Symboliser;

/// Counts handles by the line that created them and says which were lost.
///
/// A detector is a value: make one with [`new`](LeakDetector::new), clone it freely (clones share everything), or use the
/// [`global`](LeakDetector::global) one. Two detectors share no count, no setting and no sink; the room for trails and stacks,
/// and the twenty full reports a minute, are the process's.
///
/// # Examples
///
/// ```
/// use leaktrail::{Config, LeakDetector, Level};
///
/// let detector = LeakDetector::new(Config::new().level(Level::Paranoid));
/// let kept = detector.track(String::from("given back"));
/// let lost = detector.track(String::from("forgotten"));
/// leaktrail::Tracked::release(kept);
/// drop(lost);
///
/// let snapshot = detector.snapshot();
/// assert_eq!((snapshot.created(), snapshot.released(), snapshot.leaked(), snapshot.live()), (2, 1, 1, 0));
/// ```
///
/// # Cost
/// Of a handle, created and released: at DISABLED a load and a branch; at SIMPLE and ADVANCED two lookups in small caches of
/// the thread and a few plain stores to counters that are the thread's own, no lock and no locked instruction, and for one in
/// `sampling_interval` a walk of the stack; at PARANOID that walk for each. `docs/PERFORMANCE.md` has figures.
pub struct LeakDetector {
    core: Arc<Core>,
}

impl LeakDetector {
    /// A detector of its own, with these settings and no others; [`Config::from_env`] makes settings of the environment.
    ///
    /// One thing is asked of the environment: whether some `LEAK_DETECTION_*` variable is set, to whatever value. At
    /// [`ReportTo::Auto`](crate::ReportTo::Auto) reports go to standard error then if no logger would show them.
    #[must_use]
    pub fn new(config: Config) -> LeakDetector {
        let detector = LeakDetector::made(config);
        detector.begin();
        detector
    }

    /// One that does nothing by itself yet: the global one must stand before it calls anything.
    pub(super) fn made(config: Config) -> LeakDetector {
        LeakDetector { core: Arc::new(Core::new(config)) }
    }

    /// What the settings ask for at the start: whether the report file can be written is told now, and what the control file
    /// says is in force from now on.
    pub(super) fn begin(&self) {
        self.core.outlet().check_file();
        if self.core.config().configured_control_file().is_some() {
            self.core.tick(Stamp::now());
            self.core.attend();
        }
    }

    /// The level in force.
    #[must_use]
    pub fn level(&self) -> Level {
        self.here(|core| {
            core.end_term_if_over(Stamp::now());
            core.level()
        })
    }

    /// Changes the level for handles created from now on; what was decided for the others stays. It ends a level that was
    /// set for a time.
    ///
    /// A level above [`Level::CEILING`] becomes that, and a warning says so once.
    pub fn set_level(&self, level: Level) {
        self.core.set_level(level);
        self.core.tell_notices();
    }

    /// Changes the level for `time`; then the level that was chosen before is in force again, by itself.
    ///
    /// For a look at a running program: `paranoid` for ten minutes, without a restart and without the risk that it stays.
    /// Called again it begins anew, with the new level and time; [`set_level`](LeakDetector::set_level) ends it. The log has
    /// a line at INFO when it begins and when it is over. In a forked child it goes on, and is over at the same moment.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::time::Duration;
    /// use leaktrail::{Config, LeakDetector, Level};
    ///
    /// let detector = LeakDetector::new(Config::new().level(Level::Simple));
    /// detector.set_level_for(Level::Paranoid, Duration::from_secs(600));
    /// assert_eq!(detector.level(), Level::Paranoid.min(Level::CEILING));
    ///
    /// detector.set_level_for(Level::Paranoid, Duration::ZERO);
    /// assert_eq!(detector.level(), Level::Simple.min(Level::CEILING));
    /// ```
    ///
    /// # Cost
    /// Starts the reporter's thread if it does not run yet, at DISABLED too.
    pub fn set_level_for(&self, level: Level, time: Duration) {
        self.core.set_level_for(level, time, Stamp::now());
        self.core.tell_notices();
        waker::wake();
    }

    /// Tracks a value: the handle must be released, and its drop without that is a leak.
    ///
    /// The resource is named after the type; [`resource`](LeakDetector::resource) names it otherwise and gives it a size.
    /// The site is the caller of this function. Called through a closure, a generic function or an `async fn`, that is the
    /// line within it, unless the function has `#[track_caller]` itself (which does nothing on an `async fn`).
    #[track_caller]
    pub fn track<T>(&self, value: T) -> Tracked<T> {
        Tracked::new(value, self.open_named::<T>(Location::caller()))
    }

    /// Watches a value: dropping the handle is its release, and the ledger finds what is never dropped.
    #[track_caller]
    pub fn watch<T>(&self, value: T) -> Watched<T> {
        Watched::new(value, self.open_named::<T>(Location::caller()))
    }

    #[inline]
    fn open_named<T>(&self, location: &'static Location<'static>) -> Ticket {
        self.core.open(|| Opening {
            resource: std::any::type_name::<T>(),
            is_type: true,
            location,
            origin: Origin::Created,
            bytes: 0,
            hint: None,
        })
    }

    /// Calls `subscriber` with each report; independent of the log.
    ///
    /// Reports come on the log's schedule: the first loss of a cause, its first trail, each new path up to eight, then one
    /// at growing pauses while it goes on; and at [`flush`](LeakDetector::flush) one for each cause whose count has changed.
    /// Never a call per loss: [`LeakReport::count`] is the total so far. Calls come from the reporter's thread or from
    /// whoever flushes, one at a time. A subscriber that panics is not called again.
    pub fn subscribe(&self, subscriber: impl Fn(&LeakReport) + Send + Sync + 'static) -> Subscription {
        self.add_sink(ClosureSink(subscriber))
    }

    /// Attaches a sink: as [`subscribe`](LeakDetector::subscribe), and it gets refusals and the exit summary too.
    pub fn add_sink(&self, sink: impl Sink + 'static) -> Subscription {
        self.here(|core| Subscription::new(core.sinks(), core.sinks().add(Box::new(sink))))
    }

    /// All counts now, exactly: totals and a row for each site.
    ///
    /// # Cost
    /// A walk over the rows, with a few allocations for each; no symbols. Threads that create and release go on meanwhile:
    /// each row is right by itself, and never shows more gone than created.
    #[must_use]
    pub fn snapshot(&self) -> Snapshot {
        self.here(Core::snapshot)
    }

    /// Who holds what is alive of one resource, by line, largest first.
    ///
    /// Sites with nothing alive are left out.
    #[must_use]
    pub fn holders(&self, resource: &str) -> Vec<SiteStats> {
        self.here(|core| core.holders_where(|stats| stats.resource() == resource))
    }

    /// Reports every cause whose count has changed; when it returns, the reports have reached the log and the sinks.
    ///
    /// Called inside a sink it returns at once. While another thread delivers, it waits for it, 10 s at most.
    ///
    /// # Cost
    /// Symbols are resolved and sinks are called on this thread.
    pub fn flush(&self) {
        self.here(|core| {
            if !waker::is_running() {
                core.tick(Stamp::now());
            }
            core.pass(Purpose::Flush, PATIENCE, &mut Symboliser::default());
        });
    }

    /// Asks whatever answers for this detector on this thread: the scope's that it has entered, if this is the global one.
    pub(crate) fn here<R>(&self, ask: impl FnOnce(&Core) -> R) -> R {
        match redirect::target(&self.core) {
            Some(entered) => ask(&entered),
            None => ask(&self.core),
        }
    }

    /// Tells once that somebody's reclaim hook panicked.
    pub(crate) fn warn_of_a_broken_hook(&self) {
        if self.core.state().bulletin.post(Notice::HookPanicked) {
            self.core.tell_notices();
        }
    }

    /// True if another one answers for this detector on this thread.
    pub(crate) fn is_redirected(&self) -> bool {
        redirect::target(&self.core).is_some()
    }

    /// True at DISABLED, unless another one may answer for this detector: for who has a way that is shorter still.
    #[inline]
    pub(crate) fn is_disabled(&self) -> bool {
        self.core.is_disabled()
    }

    /// What the clones share.
    pub(crate) fn core(&self) -> &Arc<Core> {
        &self.core
    }
}

impl Clone for LeakDetector {
    /// Another name for the same detector.
    fn clone(&self) -> LeakDetector {
        self.core.add_owner();
        LeakDetector { core: self.core.clone() }
    }
}

impl Drop for LeakDetector {
    fn drop(&mut self) {
        if self.core.remove_owner() {
            if self.core.has_something_to_tell() {
                if self.core.is_attended() {
                    // It tells what there is and lets go of the detector then.
                    waker::wake();
                    return;
                }
                self.flush();
            }
            registry::let_go(&self.core);
        }
    }
}

impl fmt::Debug for LeakDetector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.core, f)
    }
}
