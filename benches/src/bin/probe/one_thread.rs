//! One thread: floors, levels and peers in turns.

use leaktrail::{DirectMemory, LeakAware, Level, PooledAllocator, UnpooledAllocator};
use leaktrail_benches::bodies::{
    arithmetic, bare_value, buffer, buffer_of, bytes_mut, bytes_mut_of, detector, lose, named, touch, touch_with,
    track, unsampled, watch,
};
use leaktrail_benches::peers::{Naive, backtrace, naive, std_backtrace, trace};
use leaktrail_benches::rows::Rows;

const DEPTH: usize = 30;
const ROUNDS: usize = 41;

pub(crate) fn measure() {
    let mut rows = Rows::default();
    rows.add("arithmetic", arithmetic());
    rows.add("bare value", bare_value());
    rows.add("BytesMut", bytes_mut());
    rows.add_at(DEPTH, "trace", trace());
    rows.add_at(DEPTH, "Backtrace", backtrace());
    rows.add_at(DEPTH, "std Backtrace", std_backtrace());
    rows.add("naive", naive(Naive::default()));
    for level in [Level::Disabled, Level::Simple, Level::Advanced, Level::Paranoid] {
        rows.add_at(DEPTH, &format!("{level} track"), track(detector(level)));
        rows.add_at(DEPTH, &format!("{level} watch"), watch(detector(level)));
        rows.add_at(DEPTH, &format!("{level} named"), named(detector(level).resource("Permit")));
    }
    for level in [Level::Simple, Level::Advanced] {
        rows.add_at(DEPTH, &format!("{level} unsampled"), track(unsampled(level)));
        rows.add(&format!("{level} touch"), touch(unsampled(level)));
        rows.add_at(DEPTH, &format!("{level} lose"), lose(unsampled(level)));
    }
    rows.add_at(DEPTH, "PARANOID touch", touch(detector(Level::Paranoid)));
    rows.add_at(DEPTH, "PARANOID touch with a hint", touch_with(detector(Level::Paranoid)));
    let plain = UnpooledAllocator::new(DirectMemory::with_limit(1 << 30));
    rows.add_at(DEPTH, "buffer", buffer(plain.clone()));
    for level in [Level::Disabled, Level::Simple, Level::Advanced, Level::Paranoid] {
        rows.add_at(DEPTH, &format!("{level} buffer"), buffer(LeakAware::new(plain.clone(), detector(level))));
    }
    let pool = PooledAllocator::new(DirectMemory::with_limit(1 << 30));
    rows.add("BytesMut 64 KiB", bytes_mut_of(64 << 10));
    rows.add("pooled", buffer(pool.clone()));
    rows.add("pooled 256 B", buffer_of(256, pool.clone()));
    rows.add("pooled 64 KiB", buffer_of(64 << 10, pool.clone()));
    for level in [Level::Disabled, Level::Simple, Level::Advanced, Level::Paranoid] {
        rows.add_at(DEPTH, &format!("{level} pooled"), buffer(LeakAware::new(pool.clone(), detector(level))));
    }
    rows.measure(ROUNDS);
}
