//! What was said at the end, so that it is not said twice.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::report::ExitSummary;

/// The last balance that was told.
#[derive(Debug, Default)]
pub(in crate::detector) struct Farewell {
    /// Created, lost and live, mixed; 0 before anything was said.
    said: AtomicU64,
}

impl Farewell {
    /// True if this balance is not the one that was told last; it counts as told now.
    pub(in crate::detector) fn is_news(&self, summary: &ExitSummary) -> bool {
        let mixed = summary.created.rotate_left(40) ^ summary.leaked.rotate_left(20) ^ summary.live;
        let mark = mixed | 1 << 63;
        // Relaxed: the mark is compared, nothing is read through it.
        self.said.swap(mark, Ordering::Relaxed) != mark
    }
}
