//! A scope's name and detector, which go wherever the test's code goes.

use std::sync::Arc;
use std::thread::{self, JoinHandle};

use crate::detector::{Entered, LeakDetector};

/// A cheap clone of a scope's detector, to be sent to another thread and entered there.
///
/// Made by [`LeakScope::handle`](super::LeakScope::handle). It asks nothing at its end: that is the scope's.
///
/// # Examples
///
/// ```
/// use leaktrail::testing::LeakScope;
///
/// let scope = LeakScope::new("worker");
/// let handle = scope.handle();
/// std::thread::scope(|threads| {
///     threads.spawn(move || {
///         let _entered = handle.enter();
///         drop(leaktrail::watch("opened on the global detector, counted in the scope"));
///     });
/// });
/// assert_eq!(scope.detector().snapshot().created(), 1);
/// scope.assert_clean();
/// ```
#[derive(Clone, Debug)]
pub struct ScopeHandle {
    name: Arc<str>,
    detector: LeakDetector,
}

impl ScopeHandle {
    pub(super) fn new(name: Arc<str>, detector: LeakDetector) -> ScopeHandle {
        ScopeHandle { name, detector }
    }

    /// The scope's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The scope's own detector.
    #[must_use]
    pub fn detector(&self) -> &LeakDetector {
        &self.detector
    }

    /// Redirects the global detector to the scope on this thread: see [`LeakScope::enter`](super::LeakScope::enter).
    pub fn enter(&self) -> ScopeGuard {
        ScopeGuard { _entered: self.detector.enter() }
    }

    pub(super) fn shared_name(&self) -> &Arc<str> {
        &self.name
    }

    /// Starts a thread that has entered the scope and bears its name.
    ///
    /// # Panics
    ///
    /// If the system cannot start a thread.
    pub fn spawn<F, R>(&self, work: F) -> JoinHandle<R>
    where
        F: FnOnce() -> R + Send + 'static,
        R: Send + 'static,
    {
        let scope = self.clone();
        // A name with a NUL in it would be refused.
        let name = self.name.replace('\0', " ");
        let started = thread::Builder::new().name(name).spawn(move || {
            let _entered = scope.enter();
            work()
        });
        started.expect("the system has no thread left for a test")
    }
}

/// While it exists, the global detector is the scope's on this thread.
///
/// Guards may be dropped in any order: the newest one that is left is in force. It stays on its thread:
///
/// ```compile_fail
/// let scope = leaktrail::testing::LeakScope::new("here");
/// let entered = scope.enter();
/// std::thread::spawn(move || drop(entered));
/// ```
#[derive(Debug)]
#[must_use = "the scope is left as soon as the guard is dropped: bind it to a name (`let _entered = …`), not to `_`"]
pub struct ScopeGuard {
    _entered: Entered,
}
