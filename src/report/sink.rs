//! Where reports go.

use super::{ExitSummary, LeakReport, Pressure, Refusal};

/// Where reports go: a log, a file, a metric, a test's list.
///
/// A sink is called on leaktrail's own thread, or on the thread that flushes, with no lock of leaktrail held; it may
/// track, lose and report as any other code does. One that panics is dropped after one warning. One that blocks makes
/// later reports late.
///
/// # Examples
///
/// ```
/// use std::sync::atomic::{AtomicU64, Ordering};
///
/// use leaktrail::{LeakReport, Sink};
///
/// /// A figure for a dashboard.
/// #[derive(Debug, Default)]
/// struct Reports(AtomicU64);
///
/// impl Sink for Reports {
///     fn report(&self, _: &LeakReport) {
///         self.0.fetch_add(1, Ordering::Relaxed);
///     }
/// }
///
/// let sink: Box<dyn Sink> = Box::new(Reports::default());
/// # drop(sink);
/// ```
pub trait Sink: Send + Sync {
    /// Takes the report of a cause: at its first loss, with its first trail, for a new path, and then rarely while it
    /// goes on; likewise of what is alive for too long (see [`Verdict`](super::Verdict)). Never once per loss; [`LeakReport::count`] is the total so far.
    fn report(&self, report: &LeakReport);

    /// Takes the report of a refused reservation. Does nothing unless it is overridden.
    fn refusal(&self, refusal: &Refusal) {
        let _ = refusal;
    }

    /// Takes the report of a limit that comes near. Does nothing unless it is overridden.
    fn pressure(&self, pressure: &Pressure) {
        let _ = pressure;
    }

    /// Takes what is said at the end of the program. Does nothing unless it is overridden.
    fn summary(&self, summary: &ExitSummary) {
        let _ = summary;
    }
}
