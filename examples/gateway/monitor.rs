//! The monitor line: a plain loop that says how full the budget is.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use leaktrail::{DirectMemory, LeakDetector, Level};
use tokio::sync::watch;

use crate::say::say;

/// Lines for each rise of `used`, and lines for the requests that were answered, in parts of the whole.
const PARTS: u64 = 4;

/// Width of the bar.
const CELLS: u64 = 20;

/// What is watched.
#[derive(Debug)]
pub(crate) struct Monitor {
    pub(crate) memory: DirectMemory,
    pub(crate) detector: LeakDetector,
    pub(crate) refused: Arc<AtomicU64>,
    pub(crate) requests: u64,
}

impl Monitor {
    /// Prints a line whenever another quarter of the limit is used or another quarter of the requests is
    /// answered, and one as `answered` is closed.
    pub(crate) async fn run(self, mut answered: watch::Receiver<u64>) {
        let (mut filled, mut done) = (0, 0);
        while answered.changed().await.is_ok() {
            let count = *answered.borrow_and_update();
            let filled_now = self.memory.used() * PARTS / self.limit();
            let done_now = (count * PARTS).checked_div(self.requests).unwrap_or(0);
            if filled_now > filled || done_now > done {
                (filled, done) = (filled_now.max(filled), done_now.max(done));
                self.print(count);
            }
        }
    }

    fn limit(&self) -> u64 {
        self.memory.limit().unwrap_or(u64::MAX).max(1)
    }

    /// One line: used, limit, what of it nobody can give back any more, live, answered, 503s.
    fn print(&self, answered: u64) {
        let (used, limit) = (self.memory.used(), self.limit());
        let cells = (used * CELLS).div_ceil(limit) as usize;
        let bar = format!("{:<width$}", "#".repeat(cells), width = CELLS as usize);
        let live = if self.detector.level() == Level::Disabled {
            "not counted".to_owned()
        } else {
            self.detector.snapshot().live().to_string()
        };
        let abandoned = match self.memory.abandoned() {
            0 => String::new(),
            bytes => format!(" ({bytes} abandoned)"),
        };
        // Only a figure to show; nothing is ordered by it.
        let refused = self.refused.load(Ordering::Relaxed);
        say!("monitor: [{bar}] used {used} of {limit} B{abandoned}, live {live}, answered {answered}, 503: {refused}");
    }
}
