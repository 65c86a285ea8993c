//! The end of `main`: what is left is told while loggers still live.

use std::sync::Arc;

use super::global;
use super::leak_detector::LeakDetector;
use super::state::Core;
use crate::stack::Symboliser;

/// Flushes and writes the exit summary when it is dropped, while loggers still live.
///
/// Made by [`guard`](crate::guard) or [`LeakDetector::guard`](crate::LeakDetector::guard), first in `main`, so that it is
/// dropped last.
#[derive(Debug)]
#[must_use = "the guard writes the exit summary when it is dropped: bind it to a name (`let _guard = …`), not to `_`"]
pub struct Guard {
    core: Arc<Core>,
}

impl LeakDetector {
    /// Flushes and writes the exit summary of this detector when it is dropped.
    pub fn guard(&self) -> Guard {
        Guard { core: self.core().clone() }
    }
}

/// Flushes reports and writes the exit summary when it is dropped: first in `main`.
///
/// # Examples
///
/// ```
/// let _guard = leaktrail::guard();
/// // … the program …
/// ```
pub fn guard() -> Guard {
    global::get().guard()
}

impl Drop for Guard {
    fn drop(&mut self) {
        self.core.say_farewell(&mut Symboliser::default());
    }
}
