//! How long was waited for bytes.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// Upper bounds in milliseconds, those of the pauses of [`reserve`](super::DirectMemory::reserve); above the last is a
/// bucket without one.
const BOUNDS_MS: [u64; 10] = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512];
const BUCKETS: usize = BOUNDS_MS.len() + 1;

/// The waits of a budget so far. Figures for display, which order nothing: all accesses are relaxed.
#[derive(Debug, Default)]
pub(super) struct Waits {
    buckets: [AtomicU64; BUCKETS],
    total_micros: AtomicU64,
    longest_micros: AtomicU64,
}

impl Waits {
    /// Notes one wait that is over, however it ended.
    pub(super) fn note(&self, waited: Duration) {
        let at = BOUNDS_MS.iter().position(|bound| waited < Duration::from_millis(*bound)).unwrap_or(BOUNDS_MS.len());
        let micros = u64::try_from(waited.as_micros()).unwrap_or(u64::MAX);
        self.buckets[at].fetch_add(1, Ordering::Relaxed);
        self.total_micros.fetch_add(micros, Ordering::Relaxed);
        self.longest_micros.fetch_max(micros, Ordering::Relaxed);
    }

    pub(super) fn histogram(&self) -> WaitHistogram {
        WaitHistogram {
            buckets: std::array::from_fn(|at| self.buckets[at].load(Ordering::Relaxed)),
            total: Duration::from_micros(self.total_micros.load(Ordering::Relaxed)),
            longest: Duration::from_micros(self.longest_micros.load(Ordering::Relaxed)),
        }
    }
}

/// How long requests waited for their bytes, those refused after waiting and those given up included.
///
/// `Display` is one line: `120 waits: 80 under 1 ms, 39 under 2 ms, 1 under 64 ms; 97 ms in all, longest 41 ms`.
///
/// # Examples
///
/// ```
/// use leaktrail::DirectMemory;
///
/// let memory = DirectMemory::with_limit(1024);
/// let _held = memory.try_reserve(1000)?;
/// assert!(memory.reserve_timeout(100, std::time::Duration::from_millis(3)).is_err());
/// let figures = memory.figures();
/// assert_eq!(figures.waited().count(), 1);
/// assert!(figures.waited().longest().as_millis() >= 3);
/// # Ok::<(), leaktrail::OutOfDirectMemory>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WaitHistogram {
    buckets: [u64; BUCKETS],
    total: Duration,
    longest: Duration,
}

impl WaitHistogram {
    /// How many waits are over.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.buckets.iter().sum()
    }

    /// All of them together.
    #[must_use]
    pub fn total(&self) -> Duration {
        self.total
    }

    /// The longest.
    #[must_use]
    pub fn longest(&self) -> Duration {
        self.longest
    }

    /// Each bucket: waits shorter than its bound, and not shorter than the bound before; the last has no bound.
    pub fn buckets(&self) -> impl Iterator<Item = (Option<Duration>, u64)> {
        let bounds = BOUNDS_MS.into_iter().map(Duration::from_millis).map(Some).chain([None]);
        bounds.zip(self.buckets)
    }
}

impl fmt::Display for WaitHistogram {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let count = self.count();
        write!(f, "{count} {}", if count == 1 { "wait" } else { "waits" })?;
        let mut separator = ": ";
        for (bound, count) in self.buckets().filter(|(_, count)| *count > 0) {
            match bound {
                Some(bound) => write!(f, "{separator}{count} under {} ms", bound.as_millis())?,
                None => write!(f, "{separator}{count} longer")?,
            }
            separator = ", ";
        }
        if count > 0 {
            write!(f, "; {} ms in all, longest {} ms", self.total.as_millis(), self.longest.as_millis())?;
        }
        Ok(())
    }
}

#[cfg(all(test, not(leaktrail_loom)))]
mod tests {
    use super::*;

    #[test]
    fn each_wait_is_in_one_bucket() {
        let waits = Waits::default();
        assert_eq!(waits.histogram().to_string(), "0 waits");
        for micros in [0, 999, 1_000, 1_999, 511_999, 512_000] {
            waits.note(Duration::from_micros(micros));
        }
        let histogram = waits.histogram();
        assert_eq!(histogram.count(), 6);
        assert_eq!(
            histogram.to_string(),
            "6 waits: 2 under 1 ms, 2 under 2 ms, 1 under 512 ms, 1 longer; 1027 ms in all, longest 512 ms"
        );
        assert_eq!(histogram.buckets().last(), Some((None, 1)));
    }
}
