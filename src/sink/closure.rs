//! A closure that is called with each report.

use crate::report::{LeakReport, Sink};

/// Makes a sink of a closure.
pub(crate) struct ClosureSink<F>(pub(crate) F);

impl<F: Fn(&LeakReport) + Send + Sync> Sink for ClosureSink<F> {
    fn report(&self, report: &LeakReport) {
        (self.0)(report);
    }
}
