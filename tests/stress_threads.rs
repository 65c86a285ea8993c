//! A hundred thousand short threads, 32 at a time, while snapshots are in flight: every handle is counted to the last, no
//! row shows more gone than created, and what a thread kept is used again by the next. A process of its own: its memory is
//! measured.

mod counting_allocator;
mod observed;

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;

use leaktrail::{LeakDetector, Level, Tracked};
use observed::{Observed, assert_figures, detector};

#[global_allocator]
static ALLOCATOR: counting_allocator::Counting = counting_allocator::Counting;

const THREADS: u64 = if cfg!(debug_assertions) { 12_800 } else { 100_000 };
/// Threads that start other threads, and how many each starts at once.
const STARTERS: u64 = 4;
const AT_ONCE: u64 = 8;
/// Threads before memory is measured: by then there are as many blocks as threads at the same time.
const BEFORE: u64 = THREADS / 10 / (STARTERS * AT_ONCE) * (STARTERS * AT_ONCE);
/// The first half loses nothing, and its memory is measured: names for the first report would be most of it.
const HALF: u64 = THREADS / 2;
/// Of the second half one thread in so many loses a handle.
const LOSES: u64 = 50;

/// What the heap may hold more after half of the threads than after the first tenth: much less than the 2 KiB of one block
/// for each thread, which is 10 MiB already in a build for debugging.
const MORE_BYTES: u64 = 1 << 20;

/// Where threads leave a handle for whoever comes next.
#[derive(Default)]
struct Exchange([Mutex<Option<Tracked<u64>>>; 3]);

impl Exchange {
    fn swap(&self, number: u64, handle: Option<Tracked<u64>>) -> Option<Tracked<u64>> {
        let mut place = self.0[number as usize % self.0.len()].lock().unwrap();
        std::mem::replace(&mut *place, handle)
    }
}

/// One short thread: three handles of its own, one that it passes on, one that it was left, and sometimes a loss.
fn live(number: u64, detector: &LeakDetector, exchange: &Exchange) {
    let own = detector.resource("Own").bytes(64);
    let first = own.track(number);
    let second = own.watch(number);
    Tracked::touch(&first);
    drop(second);
    Tracked::release(first);
    drop(detector.resource("Once").bytes(number % 7).watch(number));
    let left = exchange.swap(number, Some(detector.resource("Passed").bytes(4_096).track(number)));
    left.map(Tracked::release);
    if number >= HALF && number.is_multiple_of(LOSES) {
        drop(detector.resource("Lost").bytes(16).track(number));
    }
}

/// Runs the threads of these numbers, `AT_ONCE` at a time on each of `STARTERS` threads.
fn run(numbers: std::ops::Range<u64>, detector: &LeakDetector, exchange: &Exchange) {
    let next = AtomicU64::new(numbers.start);
    thread::scope(|scope| {
        for _ in 0..STARTERS {
            scope.spawn(|| {
                loop {
                    // Relaxed: only the numbers themselves matter.
                    let first = next.fetch_add(AT_ONCE, Ordering::Relaxed);
                    if first >= numbers.end {
                        break;
                    }
                    thread::scope(|scope| {
                        for number in first..first + AT_ONCE {
                            scope.spawn(move || live(number, detector, exchange));
                        }
                    });
                }
            });
        }
    });
}

/// Every row of a snapshot is possible.
fn assert_possible(detector: &LeakDetector) {
    for row in detector.snapshot().sites() {
        assert!(row.released() + row.leaked() + row.untracked() <= row.created(), "{row:?}");
        assert!(row.leaked_bytes() <= row.leaked() * 16, "{row:?}");
    }
}

/// Memory of the process, where the system tells.
fn resident_bytes() -> Option<u64> {
    let pages = std::fs::read_to_string("/proc/self/statm").ok()?.split(' ').nth(1)?.parse::<u64>().ok()?;
    Some(pages * 4_096)
}

#[test]
fn a_hundred_thousand_threads_are_counted_and_leave_nothing_behind() {
    let detector = detector(Level::Advanced);
    let observed = Observed::of(&detector);
    let exchange = Exchange::default();
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        for flushes in [false, true] {
            let (detector, done) = (&detector, &done);
            scope.spawn(move || {
                while !done.load(Ordering::Relaxed) {
                    assert_possible(detector);
                    if flushes {
                        detector.flush();
                    }
                    // On a machine with few processors the threads are to have their turn.
                    thread::yield_now();
                }
            });
        }
        run(0..BEFORE, &detector, &exchange);
        let (heap, resident) = (counting_allocator::live_bytes(), resident_bytes());
        run(BEFORE..HALF, &detector, &exchange);
        let more = counting_allocator::live_bytes().saturating_sub(heap);
        let more_resident = resident_bytes().zip(resident).map_or(0, |(after, before)| after.saturating_sub(before));
        run(HALF..THREADS, &detector, &exchange);
        // Before anything is asserted: the snapshots would not end.
        done.store(true, Ordering::Relaxed);
        assert!(more <= MORE_BYTES, "{more} B more after {} threads more", HALF - BEFORE);
        // Only with the whole number of threads, whose blocks would be 80 MiB: allocators and sanitizers keep what they like.
        assert!(cfg!(debug_assertions) || more_resident <= 16 * MORE_BYTES, "{more_resident} B more are resident");
    });

    let lost = (HALF..THREADS).filter(|number| number.is_multiple_of(LOSES)).count() as u64;
    let waiting = exchange.0.len() as u64;
    assert_figures!(detector, { created: 4 * THREADS + lost, released: 4 * THREADS - waiting, live: waiting, leaked: lost });
    (0..waiting)
        .filter_map(|number| exchange.swap(number, None))
        .for_each(|handle| drop(Tracked::into_watched(handle)));
    assert_figures!(detector, { created: 4 * THREADS + lost, released: 4 * THREADS, leaked: lost });
    let snapshot = detector.snapshot();
    assert_eq!((snapshot.live_bytes(), snapshot.leaked_bytes()), (0, lost * 16));
    assert_eq!(observed.reports().last().map(|report| report.resource().to_owned()).as_deref(), Some("Lost"));
}
