//! A thread that tells how full a budget is.

use std::fmt;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use super::direct_memory::DirectMemory;
use super::sample::{MemorySample, Sampler};
use crate::fork;
use crate::report::SiteStats;

/// More often than this nothing is seen that a thread does not disturb.
const SHORTEST_INTERVAL: Duration = Duration::from_millis(1);

impl DirectMemory {
    /// Starts a thread that hands `sink` a sample of this budget, now and then once in each `interval`, until the
    /// [`Monitor`] is dropped: what is used and live, the limit, how much that has grown.
    ///
    /// When the budget has gone up in each of the last sixty samples, the sample says so. The monitor of a
    /// [`LeakAware`](crate::LeakAware::monitor) allocator also says which line has grown.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::sync::mpsc;
    /// use std::time::Duration;
    /// use leaktrail::DirectMemory;
    ///
    /// let memory = DirectMemory::with_limit(1024);
    /// let _reservation = memory.try_reserve(1000)?;
    /// let (lines, told) = mpsc::channel();
    /// let monitor = memory.monitor(Duration::from_secs(1), move |sample| {
    ///     let _ = lines.send(sample.to_string());
    /// });
    /// assert_eq!(told.recv().unwrap(), "used 1000 of 1024 B, live 1, growth +0 B");
    /// drop(monitor);
    /// # Ok::<(), leaktrail::OutOfDirectMemory>(())
    /// ```
    ///
    /// # Cost
    /// Who reserves pays nothing. A sample is a few loads; it takes the lock of those who wait while somebody does.
    pub fn monitor(&self, interval: Duration, sink: impl Fn(&MemorySample) + Send + 'static) -> Monitor {
        self.monitor_with_holders(interval, Vec::new, sink)
    }

    /// The same, told who holds what by somebody who knows.
    pub(crate) fn monitor_with_holders(
        &self,
        interval: Duration,
        holders: impl Fn() -> Vec<SiteStats> + Send + 'static,
        sink: impl Fn(&MemorySample) + Send + 'static,
    ) -> Monitor {
        fork::watch();
        let memory = self.clone();
        let stop = Arc::new(Stop::default());
        let stopped = stop.clone();
        let run = move || {
            let mut sampler = Sampler::default();
            loop {
                sink(&sampler.next(memory.figures(), &holders));
                if stopped.wait_for(interval.max(SHORTEST_INTERVAL)) {
                    return;
                }
            }
        };
        let thread = thread::Builder::new().name("leaktrail-memory".to_owned()).spawn(run).ok();
        Monitor { stop, thread, generation: fork::generation() }
    }
}

/// Keeps a budget's monitor going; dropping it stops the thread and waits for a call of its sink that is under way.
///
/// A sink that panics ends its monitor. A forked child has none.
#[must_use = "dropping it stops the monitor at once"]
pub struct Monitor {
    stop: Arc<Stop>,
    /// Nothing where no thread could be started.
    thread: Option<JoinHandle<()>>,
    /// The fork generation that has the thread.
    generation: u32,
}

impl Monitor {
    /// False if no thread could be started, or if the sink has panicked.
    #[must_use]
    pub fn is_running(&self) -> bool {
        let is_ours = fork::generation() == self.generation;
        is_ours && self.thread.as_ref().is_some_and(|thread| !thread.is_finished())
    }
}

impl Drop for Monitor {
    fn drop(&mut self) {
        let Some(thread) = self.thread.take() else { return };
        if fork::generation() != self.generation {
            // A forked child does not have that thread, and nobody to give back its lock.
            std::mem::forget(thread);
            return;
        }
        self.stop.now();
        // A sink may drop its own monitor.
        if thread.thread().id() != thread::current().id() {
            // That it panicked was told by the panic.
            let _ = thread.join();
        }
    }
}

impl fmt::Debug for Monitor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Monitor").field("running", &self.is_running()).finish()
    }
}

#[derive(Debug, Default)]
struct Stop {
    stopped: Mutex<bool>,
    changed: Condvar,
}

impl Stop {
    fn now(&self) {
        *self.stopped.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.changed.notify_all();
    }

    /// True as soon as it is stopped, false after so long.
    fn wait_for(&self, interval: Duration) -> bool {
        let began = Instant::now();
        let mut stopped = self.stopped.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            let left = interval.saturating_sub(began.elapsed());
            if *stopped || left.is_zero() {
                return *stopped;
            }
            stopped = self.changed.wait_timeout(stopped, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }
}
