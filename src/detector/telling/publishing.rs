//! The figures of the global detector, for whoever has installed a recorder.

use std::sync::atomic::Ordering;

use super::delivery;
use crate::detector::state::Core;
use crate::detector::state::bulletin::Notice;
use crate::detector::state::survival::survives;
use crate::report::Metrics;

impl Core {
    /// Hands out the figures. The recorder is the program's: it is called with no lock held, as a sink is, and one that
    /// panics is told about once and not called again.
    ///
    /// # Cost
    /// A snapshot, and a few allocations for each resource.
    pub(super) fn publish(&self) {
        let is_broken = &self.state().recorder_is_broken;
        // Relaxed: only a tick reads and writes it.
        if !self.is_global() || is_broken.load(Ordering::Relaxed) {
            return;
        }
        let metrics = Metrics::of(&self.snapshot());
        if !delivery::as_if_inside_a_sink(|| survives(|| metrics.record())) {
            is_broken.store(true, Ordering::Relaxed);
            self.state().bulletin.post(Notice::RecorderPanicked);
        }
    }
}
