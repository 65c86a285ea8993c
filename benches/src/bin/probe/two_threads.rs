//! Two threads on one line of one detector, and the floors.

use std::sync::atomic::{AtomicU64, Ordering};

use leaktrail::{DirectMemory, Level, PooledAllocator};
use leaktrail_benches::bodies::{Body, arithmetic, buffer, bytes_mut, detector, repeated, track, unsampled};
use leaktrail_benches::pair;
use leaktrail_benches::peers::{Naive, naive, std_backtrace, trace};

/// One counter for all threads.
fn fetch_add() -> Body {
    static SHARED: AtomicU64 = AtomicU64::new(0);
    repeated(|_| SHARED.fetch_add(1, Ordering::Relaxed))
}

pub(crate) fn measure() {
    pair::measure("arithmetic", 0, arithmetic);
    pair::measure("fetch_add", 0, fetch_add);
    pair::measure("BytesMut", 0, bytes_mut);
    let pool = PooledAllocator::new(DirectMemory::with_limit(1 << 30));
    pair::measure("pooled", 0, || buffer(pool.clone()));
    let tracker = Naive::default();
    pair::measure("naive", 0, || naive(tracker.clone()));
    pair::measure("trace", 30, trace);
    pair::measure("std Backtrace", 30, std_backtrace);
    // The ledger alone; in the rows below most is the walk.
    let quiet = unsampled(Level::Simple);
    pair::measure("unsampled", 0, || track(quiet.clone()));
    for level in [Level::Simple, Level::Advanced, Level::Paranoid] {
        let detector = detector(level);
        pair::measure(&level.to_string(), 30, || track(detector.clone()));
    }
}
