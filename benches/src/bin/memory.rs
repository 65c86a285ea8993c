//! `memory WHAT`: the bytes that one more live handle takes, of 20,000 of one line. The handles themselves are not in it.

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicU64, Ordering};

use leaktrail::{Level, Watched};
use leaktrail_benches::bodies::detector;
use leaktrail_benches::deep;
use leaktrail_benches::peers::{Naive, NaiveHandle};
use leaktrail_benches::rows::say;

/// The system's allocator, and what is out of it.
struct Counting;

static LIVE_BYTES: AtomicU64 = AtomicU64::new(0);

// SAFETY: every call goes on to `System` with the arguments as they came; `realloc` comes as the two others.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        LIVE_BYTES.fetch_add(layout.size() as u64, Ordering::Relaxed);
        // SAFETY: the caller's promise for `alloc` is the one that `System` asks for.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        LIVE_BYTES.fetch_sub(layout.size() as u64, Ordering::Relaxed);
        // SAFETY: `pointer` came from `System` by `alloc` with this layout.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Handles before the count begins: what all share is there then.
const BEFORE: usize = 10_240;
const COUNTED: usize = 20_480;

/// Bytes for each more of what `make` makes, at a depth of 30 frames.
fn each<T>(mut make: impl FnMut() -> T) -> f64 {
    let mut held = Vec::with_capacity(BEFORE + COUNTED);
    let frames = deep::missing(30);
    let mut before = 0;
    for number in 0..BEFORE + COUNTED {
        if number == BEFORE {
            before = LIVE_BYTES.load(Ordering::Relaxed);
        }
        deep::below(
            frames,
            &mut |_| {
                held.push(make());
                0
            },
            1,
        );
    }
    (LIVE_BYTES.load(Ordering::Relaxed) - before) as f64 / COUNTED as f64
}

fn touched(times: u32) -> f64 {
    let detector = detector(Level::Paranoid);
    each(move || {
        let handle: Watched<u64> = detector.watch(0);
        (0..times).for_each(|_| Watched::touch(&handle));
        handle
    })
}

/// Bytes for each of a million handles that are alive at PARANOID: past 65,536 they have no trail.
fn million() -> f64 {
    const MILLION: usize = 1_000_000;
    let detector = detector(Level::Paranoid);
    let mut held = Vec::with_capacity(MILLION);
    let before = LIVE_BYTES.load(Ordering::Relaxed);
    deep::below(
        deep::missing(30),
        &mut |count| {
            held.extend((0..MILLION).map(|_| detector.watch(0_u64)));
            count
        },
        1,
    );
    (LIVE_BYTES.load(Ordering::Relaxed) - before) as f64 / MILLION as f64
}

fn main() {
    let what = std::env::args().nth(1).unwrap_or_default();
    let bytes = match what.as_str() {
        "trail" => touched(0),
        "a million" => million(),
        "trail after 4" => touched(4),
        "trail after 20" => touched(20),
        "counted" => {
            let detector = detector(Level::Simple);
            each(move || detector.watch(0_u64))
        }
        "naive" => {
            let tracker = Naive::default();
            each(move || -> NaiveHandle { tracker.open(8) })
        }
        "Backtrace" => each(backtrace::Backtrace::new_unresolved),
        "std Backtrace" => each(std::backtrace::Backtrace::force_capture),
        other => panic!("nothing is known of {other:?}"),
    };
    say(&format!("memory {what}"), bytes);
}
