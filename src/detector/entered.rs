//! A thread that has entered a detector.

use std::marker::PhantomData;

use super::leak_detector::LeakDetector;
use super::state::redirect::{self, Entrance};

/// While it exists, the global detector stands for another one on this thread.
#[derive(Debug)]
#[must_use = "the redirection ends as soon as the guard is dropped"]
pub(crate) struct Entered {
    entrance: Entrance,
    /// Owned, so that what is opened through the entrance is counted by a detector that is not let go of.
    _detector: LeakDetector,
    /// The entrance is in a thread-local, so it ends on the thread where it began.
    _stays_on_its_thread: PhantomData<*const ()>,
}

impl LeakDetector {
    /// Makes the global detector stand for this one on the calling thread, until the guard is dropped.
    pub(crate) fn enter(&self) -> Entered {
        Entered { entrance: redirect::enter(self.core()), _detector: self.clone(), _stays_on_its_thread: PhantomData }
    }
}

impl Drop for Entered {
    fn drop(&mut self) {
        redirect::leave(&self.entrance);
    }
}
