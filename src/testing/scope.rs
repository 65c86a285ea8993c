//! One test's own detector and verdict.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use super::balance::Balance;
use super::failure::Failure;
use super::findings::{Findings, MAX_PATHS, Recorder};
use super::instrumented::Instrumented;
use super::late;
use super::rules::{Rules, What};
use super::scope_handle::{ScopeGuard, ScopeHandle};
use super::settling::{self, Pauses};
use crate::config::{AgeLimit, Config};
use crate::detector::LeakDetector;
use crate::leak_aware::LeakAware;
use crate::level::Level;
use crate::report::{Escaped, LeakReport};
use crate::sink;

/// A test's own PARANOID detector, which says at the test's end what did not come back.
///
/// Code that is handed an allocator or a detector gets the scope's: [`wrap`](LeakScope::wrap),
/// [`detector`](LeakScope::detector). Code that uses the global detector is caught too, once the scope is
/// [`enter`](LeakScope::enter)ed. At the end [`assert_clean`](LeakScope::assert_clean) asks; a scope that was never asked asks
/// itself when it is dropped, so that a forgotten line is no forgotten test.
///
/// *Clean* means: nothing was lost, and nothing is alive but what [`expect_live`](LeakScope::expect_live) and the two
/// `ignore`s allow. A scope sees its own handles alone, whatever other tests do meanwhile. What is released or lost after its
/// end is counted in its own rows; a loss is printed, since nobody asks for it any more.
///
/// Reports go into the failure's text, not into the log. `LEAK_DETECTION_TARGET_RECORDS` and `LEAK_DETECTION_MAX_FRAMES` are
/// honoured, so that a failure can be looked at more closely; the level is PARANOID whatever the environment says.
///
/// # Examples
///
/// ```
/// use leaktrail::Tracked;
/// use leaktrail::testing::LeakScope;
///
/// let scope = LeakScope::new("the pool gives back");
/// let handle = scope.detector().track("a connection");
/// Tracked::release(handle);
/// scope.assert_clean();
/// ```
///
/// ```should_panic
/// use leaktrail::testing::LeakScope;
///
/// let scope = LeakScope::new("the pool forgets");
/// drop(scope.detector().track("a connection"));
/// // Never asked: the drop of the scope fails the test.
/// ```
#[derive(Debug)]
#[must_use = "a scope that is dropped at once sees nothing"]
pub struct LeakScope {
    handle: ScopeHandle,
    findings: Arc<Findings>,
    rules: Mutex<Rules>,
    /// Some assertion has looked: the drop need not.
    asked: AtomicBool,
}

impl LeakScope {
    /// A scope of its own. The name stands in what it says.
    ///
    /// # Panics
    ///
    /// If the build's [`Level::CEILING`] is below PARANOID: a scope that cannot see does not pass.
    #[track_caller]
    pub fn new(name: impl Into<String>) -> LeakScope {
        let name: Arc<str> = name.into().into();
        if Level::CEILING < Level::Paranoid {
            panic!(
                "leak scope '{}' cannot see: it needs level PARANOID, and the ceiling of this build is {} (cargo features \
                 max_level_* and release_max_level_*)",
                Escaped(&name),
                Level::CEILING
            );
        }
        let (config, errors) = Config::from_env_lossy();
        sink::warn_about(&errors);
        // A test says itself what may be alive, and for how long.
        let config = config.growth(None).held_too_long(AgeLimit::NEVER).pinned(AgeLimit::NEVER);
        let detector = LeakDetector::new(config.level(Level::Paranoid).secluded());
        let findings = Arc::new(Findings::new(name.clone()));
        detector.add_sink(Recorder(findings.clone())).detach_never();
        LeakScope {
            handle: ScopeHandle::new(name, detector),
            findings,
            rules: Mutex::default(),
            asked: AtomicBool::new(false),
        }
    }

    /// The scope's name.
    #[must_use]
    pub fn name(&self) -> &str {
        self.handle.name()
    }

    /// The scope's own detector, for code that is handed one.
    #[must_use]
    pub fn detector(&self) -> &LeakDetector {
        self.handle.detector()
    }

    /// Wraps an allocator so that its buffers are counted in this scope.
    ///
    /// # Examples
    ///
    /// ```
    /// use leaktrail::testing::LeakScope;
    /// use leaktrail::{ByteBufAllocator, DirectMemory, UnpooledAllocator};
    ///
    /// let scope = LeakScope::new("encode");
    /// let allocator = scope.wrap(UnpooledAllocator::new(DirectMemory::unlimited()));
    /// allocator.allocate(64)?.release();
    /// scope.assert_clean();
    /// # Ok::<(), leaktrail::AllocError>(())
    /// ```
    pub fn wrap<A>(&self, allocator: A) -> LeakAware<A> {
        LeakAware::new(allocator, self.detector().clone())
    }

    /// Makes the global detector stand for this scope's on the calling thread, until the guard is dropped.
    ///
    /// Through whatever clone of it: the free functions, a `LeakDetector` or `Resource` that was kept, an allocator that was
    /// wrapped with it, also while its own level is DISABLED. All that opens, reads and reports answers for the scope (`track`,
    /// `watch`, `resource`, `level`, `snapshot`, `holders`, `subscribe`, `add_sink`, `flush`, who holds the memory of a refused
    /// reservation). What sets and ends the global detector is left alone (`set_level`, `install`, `guard`): code under
    /// test cannot blind its scope. A handle stays where it was opened: one from before is not the scope's.
    ///
    /// Scopes nest; the newest guard is in force, and guards may be dropped in any order. The guard does not borrow the scope:
    /// what is opened through it after the scope has ended is counted and asked by nobody.
    ///
    /// # Examples
    ///
    /// ```
    /// use leaktrail::testing::LeakScope;
    ///
    /// fn code_under_test() {
    ///     leaktrail::Tracked::release(leaktrail::track("a connection"));
    /// }
    ///
    /// let scope = LeakScope::new("global");
    /// let entered = scope.enter();
    /// code_under_test();
    /// drop(entered);
    /// assert_eq!(scope.detector().snapshot().released(), 1);
    /// scope.assert_clean();
    /// ```
    ///
    /// # Cost
    /// While any scope is entered in the process, creations on the global detector look at a thread-local, on every thread.
    /// While none is, they pay one relaxed load.
    pub fn enter(&self) -> ScopeGuard {
        self.handle.enter()
    }

    /// A cheap clone that can be sent to another thread and entered there.
    #[must_use]
    pub fn handle(&self) -> ScopeHandle {
        self.handle.clone()
    }

    /// Starts a thread that has entered the scope.
    ///
    /// # Panics
    ///
    /// If the system cannot start a thread.
    ///
    /// # Examples
    ///
    /// ```
    /// use leaktrail::testing::LeakScope;
    ///
    /// let scope = LeakScope::new("thread");
    /// scope.spawn(|| drop(leaktrail::watch(7))).join().unwrap();
    /// assert_eq!(scope.detector().snapshot().released(), 1);
    /// scope.assert_clean();
    /// ```
    pub fn spawn<F, R>(&self, work: F) -> JoinHandle<R>
    where
        F: FnOnce() -> R + Send + 'static,
        R: Send + 'static,
    {
        self.handle.spawn(work)
    }

    /// Wraps a future so that it has entered the scope whenever it is polled, on whatever thread, and when it is dropped.
    ///
    /// For tasks: `tokio::spawn(scope.instrument(work()))`. A guard of [`enter`](LeakScope::enter) cannot be held across an
    /// `.await` of a task that may move between threads: it is not `Send`.
    pub fn instrument<F: Future>(&self, future: F) -> Instrumented<F> {
        self.handle.instrument(future)
    }

    /// Says how many handles are to be alive when the scope is asked: no more, and no fewer. 0 if it is never said.
    ///
    /// For what stays by design, such as a warm pool. Handles that are ignored are not among them.
    ///
    /// # Examples
    ///
    /// ```
    /// use leaktrail::testing::LeakScope;
    ///
    /// let scope = LeakScope::new("a warm pool");
    /// let idle = [scope.detector().watch("one"), scope.detector().watch("two")];
    /// scope.expect_live(2);
    /// scope.assert_clean();
    /// # drop(idle);
    /// ```
    pub fn expect_live(&self, handles: u64) {
        self.rules().expected_live = handles;
    }

    /// Overlooks a resource of that name, lost or alive, wherever it is made. The reason stands in what the scope says.
    pub fn ignore_resource(&self, name: &str, reason: &str) {
        self.rules().ignore(What::Resource(name.to_owned()), reason);
    }

    /// Overlooks what is made at a place: `src/pool.rs`, `src/pool.rs:41` or `src/pool.rs:41:22`, or the last parts of such a
    /// path. The reason stands in what the scope says.
    ///
    /// # Examples
    ///
    /// ```
    /// use leaktrail::testing::LeakScope;
    ///
    /// let scope = LeakScope::new("a registry for the process's life");
    /// let entry = scope.detector().watch("an entry");
    /// let place = scope.detector().snapshot().sites()[0].site().to_string();
    /// scope.ignore_site(&place, "entries live as long as the process");
    /// scope.assert_clean();
    /// # drop(entry);
    /// ```
    pub fn ignore_site(&self, place: &str, reason: &str) {
        self.rules().ignore(What::Site(place.to_owned()), reason);
    }

    /// Fails unless everything has come back by now.
    ///
    /// # Panics
    ///
    /// If something was lost, or is alive that is not meant to be. The payload is a `String`: the scope's name, every site
    /// with counts, bytes and up to three trails, and how to see more.
    #[track_caller]
    pub fn assert_clean(&self) {
        self.assert_clean_within(Duration::ZERO);
    }

    /// Fails unless everything comes back within `patience`: for releases by other threads. Returns how long it took.
    ///
    /// It looks at once, then after pauses that grow from 1 to 50 ms, and returns with the first look that is clean; zero if
    /// that was the first. What is lost does not come back, so a loss fails at once.
    ///
    /// It blocks the thread: in async code see [`assert_clean_within_async`](LeakScope::assert_clean_within_async).
    ///
    /// # Panics
    ///
    /// As [`assert_clean`](LeakScope::assert_clean), when the patience is at its end.
    #[track_caller]
    pub fn assert_clean_within(&self, patience: Duration) -> Duration {
        let mut pauses = Pauses::new(patience);
        loop {
            match self.settled(&mut pauses) {
                Settling::Clean => return pauses.waited(),
                Settling::Pause(pause) => thread::sleep(pause),
                Settling::Failed(text) => panic!("{text}"),
            }
        }
    }

    /// As [`assert_clean_within`](LeakScope::assert_clean_within), and the tasks of the executor go on meanwhile, whichever
    /// executor it is.
    ///
    /// # Panics
    ///
    /// As [`assert_clean`](LeakScope::assert_clean), when the patience is at its end.
    ///
    /// # Cost
    /// A short-lived thread for each pause.
    pub async fn assert_clean_within_async(&self, patience: Duration) -> Duration {
        let mut pauses = Pauses::new(patience);
        loop {
            match self.settled(&mut pauses) {
                Settling::Clean => return pauses.waited(),
                Settling::Pause(pause) => settling::sleep(pause).await,
                Settling::Failed(text) => panic!("{text}"),
            }
        }
    }

    /// One look, and what follows from it.
    fn settled(&self, pauses: &mut Pauses) -> Settling {
        self.mark_asked();
        let waited = pauses.waited();
        let balance = self.balance();
        if balance.is_clean() {
            return Settling::Clean;
        }
        match pauses.next() {
            Some(pause) if !balance.is_beyond_repair() => Settling::Pause(pause),
            _ => Settling::Failed(self.failure(&balance, waited, false)),
        }
    }

    pub(super) fn mark_asked(&self) {
        // Relaxed: the scope's drop comes after every use of it, by whatever brought it there.
        self.asked.store(true, Ordering::Relaxed);
    }

    fn balance(&self) -> Balance {
        Balance::new(&self.detector().snapshot(), &self.rules())
    }

    fn failure(&self, balance: &Balance, waited: Duration, unwinding: bool) -> String {
        let living = self.tell();
        Failure { name: self.name(), balance, findings: &self.findings, living: &living, waited, unwinding }.text()
    }

    /// Has every loss reported to the findings; gives what is alive.
    pub(super) fn tell(&self) -> Vec<LeakReport> {
        self.detector().flush();
        self.detector().core().living(MAX_PATHS)
    }

    pub(super) fn findings(&self) -> &Findings {
        &self.findings
    }

    fn rules(&self) -> MutexGuard<'_, Rules> {
        self.rules.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn ask_at_the_end(&self) {
        let balance = self.balance();
        if balance.is_clean() {
            return;
        }
        let unwinding = thread::panicking();
        let text = self.failure(&balance, Duration::ZERO, unwinding);
        if unwinding {
            // A second panic would end the process and hide the first.
            sink::print(&text);
        } else {
            panic!("{text}");
        }
    }
}

/// What follows from one look.
enum Settling {
    Clean,
    Pause(Duration),
    Failed(String),
}

impl Drop for LeakScope {
    /// A scope that was never asked asks itself. While the thread unwinds it prints what it found and does not panic.
    ///
    /// What happens to its handles afterwards is still the scope's, and nobody else's: a loss is printed with its name, and so
    /// is what comes back within 5 s although it was to be back by now.
    fn drop(&mut self) {
        let asked = *self.asked.get_mut();
        let failed = if asked { Ok(()) } else { catch_unwind(AssertUnwindSafe(|| self.ask_at_the_end())) };
        self.findings.end(&self.detector().snapshot());
        let balance = self.balance();
        let surplus = balance.live_count().saturating_sub(balance.expected_live);
        if surplus > 0 {
            late::look_after(self.handle.shared_name(), self.detector(), surplus);
        }
        match failed {
            Err(payload) if !thread::panicking() => std::panic::resume_unwind(payload),
            Err(_) | Ok(()) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_watched_by_the_clock() {
        if Level::CEILING == Level::Paranoid {
            let scope = LeakScope::new("holds");
            let config = scope.detector().core().config();
            assert_eq!((config.configured_growth(), config.shortest_held_too_long()), (None, None));
            assert_eq!(config.configured_pinned(), AgeLimit::NEVER);
        }
    }
}
