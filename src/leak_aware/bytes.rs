//! Watching `Bytes` that somebody else made.

use bytes::Bytes;

use crate::detector::{LeakDetector, Watched};

impl LeakDetector {
    /// Watches a [`Bytes`]: what comes back shares its memory, and counts as alive until its last clone is dropped.
    ///
    /// # Examples
    ///
    /// ```
    /// use bytes::Bytes;
    /// use leaktrail::{Config, LeakDetector};
    ///
    /// let detector = LeakDetector::new(Config::new());
    /// let body = detector.watch_bytes(Bytes::from_static(b"hello"));
    /// let part = body.slice(1..3);
    /// drop(body);
    /// assert_eq!(detector.holders("Bytes")[0].live_bytes(), 5);
    /// drop(part);
    /// assert_eq!(detector.snapshot().live(), 0);
    /// ```
    #[track_caller]
    #[must_use]
    pub fn watch_bytes(&self, bytes: Bytes) -> Bytes {
        let size = bytes.len() as u64;
        Bytes::from_owner(Owner(self.resource("Bytes").bytes(size).watch(bytes)))
    }
}

/// Watches a [`Bytes`] on the global detector. See [`LeakDetector::watch_bytes`].
#[track_caller]
#[must_use]
pub fn watch_bytes(bytes: Bytes) -> Bytes {
    LeakDetector::global().watch_bytes(bytes)
}

/// What the new `Bytes` owns: dropped with its last clone.
struct Owner(Watched<Bytes>);

impl AsRef<[u8]> for Owner {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}
