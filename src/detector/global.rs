//! The global detector, and the verbs that need no other.

use std::fmt;

use once_cell::race::OnceBox;

use super::handle::{Tracked, Watched};
use super::leak_detector::LeakDetector;
use super::state::redirect;
use super::telling::delivery;
use crate::config::{ComesTo, Config, DirectMemoryLimit};
use crate::sink;

/// Set once and never blocked on: whoever is called while another thread, or this one, is making it (a logger, an
/// allocator) may ask for it.
static GLOBAL: OnceBox<LeakDetector> = OnceBox::new();

/// The global detector exists already, so it cannot be configured any more.
///
/// It exists from its first use on: install before the first handle is created, first in `main`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AlreadyInstalled;

impl fmt::Display for AlreadyInstalled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the global leak detector exists already: install a configuration before its first use")
    }
}

impl std::error::Error for AlreadyInstalled {}

impl LeakDetector {
    /// The global detector: made at first use from the environment, or before by [`install`](LeakDetector::install).
    #[must_use]
    pub fn global() -> &'static LeakDetector {
        get()
    }

    /// Makes the global detector from `config`, over which the environment wins.
    ///
    /// # Errors
    ///
    /// [`AlreadyInstalled`] if the global detector exists: it was installed, or used, before.
    pub fn install(config: Config) -> Result<(), AlreadyInstalled> {
        install(config)
    }
}

/// The global detector, made from the environment at first use.
pub(super) fn get() -> &'static LeakDetector {
    match GLOBAL.get() {
        Some(detector) => detector,
        None => {
            // Whether this thread's or another's, afterwards there is one.
            let _ = install(Config::new());
            GLOBAL.get_or_init(|| Box::new(LeakDetector::made(Config::new())))
        }
    }
}

/// Makes the global detector from `config`, over which the environment wins.
///
/// The settings in force are logged at DEBUG, each with where it came from; a variable that is not understood is warned
/// about once, on the log or, where no logger shows warnings, on standard error.
///
/// # Errors
///
/// [`AlreadyInstalled`] if the global detector exists: it was installed, or used, before.
///
/// # Examples
///
/// ```
/// use leaktrail::{AlreadyInstalled, Config, LeakDetector};
///
/// assert_eq!(leaktrail::install(Config::new().target_records(32)), Ok(()));
/// assert_eq!(leaktrail::install(Config::new()), Err(AlreadyInstalled));
/// assert!(LeakDetector::global().snapshot().created() == 0);
/// ```
pub fn install(config: Config) -> Result<(), AlreadyInstalled> {
    if GLOBAL.get().is_some() {
        return Err(AlreadyInstalled);
    }
    let (config, errors, settings) = config.with_environment();
    let detector = LeakDetector::made(config);
    detector.core().set_global();
    GLOBAL.set(Box::new(detector)).map_err(|_| AlreadyInstalled)?;
    // Told once the detector stands: a logger may itself use what is tracked. If it panics, that is not the caller's, who
    // perhaps only wanted to track something.
    let core = get().core();
    redirect::set_global(core);
    sink::warn_about(&errors);
    for setting in settings {
        if setting.name == DirectMemoryLimit::VARIABLE {
            let limit = ComesTo(core.config().configured_max_direct_memory());
            delivery::say(core, || core.outlet().echo(&format_args!("{setting}: {limit}")));
        } else {
            delivery::say(core, || core.outlet().echo(&setting));
        }
    }
    if !core.is_disabled() {
        let walker = core.choose_walker();
        delivery::say(core, || core.outlet().echo(&format!("stacks are walked by: {walker}")));
    }
    get().begin();
    core.tell_notices();
    Ok(())
}

/// Tracks a value on the global detector: a drop of the handle without release is a leak.
///
/// See [`LeakDetector::track`].
#[track_caller]
pub fn track<T>(value: T) -> Tracked<T> {
    get().track(value)
}

/// Watches a value on the global detector: a drop of the handle is the release; what is never dropped is found by the
/// ledger.
///
/// See [`LeakDetector::watch`].
#[track_caller]
pub fn watch<T>(value: T) -> Watched<T> {
    get().watch(value)
}
