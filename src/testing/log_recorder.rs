//! What is logged, for tests to assert on.

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, Once, PoisonError, RwLock, Weak};
use std::time::{Duration, Instant};

use log::kv::{Key, Value, VisitSource};

use crate::report::Severity;
use crate::sink::TARGET;

/// Lines that one recorder keeps; the oldest make room.
const MAX_LINES: usize = 4_096;

/// Keeps what leaktrail logs from its start to its drop, for a test to assert on.
///
/// It is for tests of the logging itself: whether the program's loss is logged, in what words. Scopes need no log. The first
/// recorder of a process installs a logger, which prints nothing; every recorder sees what all threads log, so tests that
/// run beside each other ask for what is their own.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
///
/// use leaktrail::testing::LogRecorder;
/// use leaktrail::{Config, LeakDetector};
///
/// let log = LogRecorder::start();
/// let detector = LeakDetector::new(Config::new());
/// drop(detector.resource("Ticket").track(7));
/// detector.flush();
/// let line = log.expect("LEAK: Ticket.release() was not called");
/// assert_eq!(line.value("count"), Some("1"));
/// assert_eq!(log.count("LEAK: Ticket"), 1);
/// ```
#[derive(Debug)]
#[must_use = "it keeps nothing once it is dropped"]
pub struct LogRecorder {
    tape: Arc<Tape>,
}

/// One record of the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogLine {
    severity: Severity,
    text: String,
    values: Vec<(String, String)>,
}

#[derive(Debug, Default)]
struct Tape {
    lines: Mutex<VecDeque<LogLine>>,
    news: Condvar,
}

impl LogRecorder {
    /// Starts to keep what is logged.
    ///
    /// # Panics
    ///
    /// If the process has another logger: then this one would hear nothing, and every assertion of silence would pass.
    #[track_caller]
    pub fn start() -> LogRecorder {
        static INSTALLED: Once = Once::new();
        INSTALLED.call_once(|| {
            if log::set_logger(&LOGGER).is_ok() {
                log::set_max_level(log::LevelFilter::Debug);
            }
        });
        let is_ours = std::ptr::addr_eq(log::logger(), &raw const LOGGER);
        assert!(is_ours, "a log recorder needs to be the process's logger, and another one is installed");
        let tape = Arc::new(Tape::default());
        LOGGER.change(|tapes| tapes.push(Arc::downgrade(&tape)));
        LogRecorder { tape }
    }

    /// What was logged so far, the oldest first; at most the last 4,096 lines.
    #[must_use]
    pub fn lines(&self) -> Vec<LogLine> {
        self.tape.lock().iter().cloned().collect()
    }

    /// How many of the lines have `words` in their text.
    #[must_use]
    pub fn count(&self, words: &str) -> usize {
        self.tape.lock().iter().filter(|line| line.text.contains(words)).count()
    }

    /// The first line with `words` in its text.
    ///
    /// # Panics
    ///
    /// If there is none, with all that was logged instead.
    #[track_caller]
    #[must_use]
    pub fn expect(&self, words: &str) -> LogLine {
        self.expect_within(words, Duration::ZERO)
    }

    /// The first line with `words` in its text, for which it waits.
    ///
    /// # Panics
    ///
    /// If there is none in time, with all that was logged instead.
    #[track_caller]
    #[must_use]
    pub fn expect_within(&self, words: &str, patience: Duration) -> LogLine {
        let started = Instant::now();
        let mut lines = self.tape.lock();
        loop {
            if let Some(found) = lines.iter().find(|line| line.text.contains(words)) {
                return found.clone();
            }
            let left = patience.saturating_sub(started.elapsed());
            if left.is_zero() {
                let logged: Vec<String> = lines.iter().map(ToString::to_string).collect();
                drop(lines);
                panic!("nothing with {words:?} was logged within {patience:?}, but:\n{}", logged.join("\n"));
            }
            lines = self.tape.news.wait_timeout(lines, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }
}

impl Drop for LogRecorder {
    fn drop(&mut self) {
        let own = Arc::downgrade(&self.tape);
        LOGGER.change(|tapes| tapes.retain(|tape| !tape.ptr_eq(&own)));
    }
}

impl LogLine {
    /// How loudly it was said.
    #[must_use]
    pub fn severity(&self) -> Severity {
        self.severity
    }

    /// The message; a report's has several lines.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The value of a key, as text: `fingerprint`, `resource`, `site`, `count`, `bytes`.
    #[must_use]
    pub fn value(&self, key: &str) -> Option<&str> {
        self.values.iter().find(|(name, _)| name == key).map(|(_, value)| &**value)
    }
}

impl fmt::Display for LogLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.severity, self.text)
    }
}

impl Tape {
    fn lock(&self) -> MutexGuard<'_, VecDeque<LogLine>> {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The process's logger: hands each line to every recorder.
struct Logger {
    tapes: RwLock<Vec<Weak<Tape>>>,
}

static LOGGER: Logger = Logger { tapes: RwLock::new(Vec::new()) };

impl Logger {
    fn change(&self, change: impl FnOnce(&mut Vec<Weak<Tape>>)) {
        change(&mut self.tapes.write().unwrap_or_else(PoisonError::into_inner));
    }
}

impl log::Log for Logger {
    fn enabled(&self, metadata: &log::Metadata<'_>) -> bool {
        metadata.target() == TARGET
    }

    fn log(&self, record: &log::Record<'_>) {
        if !self.enabled(record.metadata()) {
            return;
        }
        // Made into text before any lock is taken: what is formatted may log itself.
        let mut values = Values::default();
        let _ = record.key_values().visit(&mut values);
        let severity = match record.level() {
            log::Level::Error => Severity::Error,
            log::Level::Warn => Severity::Warn,
            log::Level::Info => Severity::Info,
            log::Level::Debug | log::Level::Trace => Severity::Debug,
        };
        let line = LogLine { severity, text: record.args().to_string(), values: values.0 };
        for tape in self.tapes.read().unwrap_or_else(PoisonError::into_inner).iter().filter_map(Weak::upgrade) {
            let mut lines = tape.lock();
            if lines.len() == MAX_LINES {
                lines.pop_front();
            }
            lines.push_back(line.clone());
            tape.news.notify_all();
        }
    }

    fn flush(&self) {}
}

#[derive(Default)]
struct Values(Vec<(String, String)>);

impl<'kvs> VisitSource<'kvs> for Values {
    fn visit_pair(&mut self, key: Key<'kvs>, value: Value<'kvs>) -> Result<(), log::kv::Error> {
        self.0.push((key.to_string(), value.to_string()));
        Ok(())
    }
}
