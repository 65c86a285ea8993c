//! A sink's attachment to a detector.

use std::fmt;
use std::sync::{Arc, Weak};

use super::state::sinks::Sinks;

/// Keeps a sink or subscriber attached; dropping it detaches.
///
/// A call that is under way when it is dropped is finished.
///
/// # Examples
///
/// ```
/// use leaktrail::{Config, LeakDetector};
///
/// let detector = LeakDetector::new(Config::new());
/// let subscription = detector.subscribe(|report| println!("{report}"));
/// drop(subscription); // no more calls
/// ```
#[must_use = "dropping it detaches the sink at once; `detach_never` keeps it for as long as the detector lives"]
pub struct Subscription {
    sinks: Weak<Sinks>,
    number: u64,
}

impl Subscription {
    pub(super) fn new(sinks: &Arc<Sinks>, number: u64) -> Subscription {
        Subscription { sinks: Arc::downgrade(sinks), number }
    }

    /// Keeps the sink for as long as the detector lives.
    pub fn detach_never(self) {
        std::mem::forget(self);
    }
}

impl Drop for Subscription {
    fn drop(&mut self) {
        if let Some(sinks) = self.sinks.upgrade() {
            sinks.remove(self.number);
        }
    }
}

impl fmt::Debug for Subscription {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Subscription").field("number", &self.number).finish()
    }
}
