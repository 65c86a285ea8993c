//! Trails take at most 32 MiB, whatever is recorded. A process of its own: its memory is measured.

mod counting_allocator;
mod observed;

use std::hint::black_box;

use leaktrail::{Access, LeakDetector, Level, Tracked};
use observed::{Observed, assert_figures, config, exit_summary, hints, record};

#[global_allocator]
static ALLOCATOR: counting_allocator::Counting = counting_allocator::Counting;

/// The share of the 32 MiB that records may use here: the ledger of 8,192 sites has its own, and this test has few.
const LIMIT: u64 = (32 << 20) - (4 << 20);

/// The most bytes that the process held beyond what it held before.
fn peak_of(work: impl FnOnce()) -> u64 {
    let before = counting_allocator::live_bytes();
    counting_allocator::forget_peak();
    work();
    counting_allocator::peak_bytes() - before
}

/// Another stack for each `path`: its bits choose the calls.
#[inline(never)]
fn descend(path: u64, depth: u32, visit: &mut dyn FnMut()) {
    match (depth, path & 1) {
        (0, _) => visit(),
        (_, 0) => descend(path >> 1, depth - 1, black_box(visit)),
        _ => descend(path >> 1, depth - 1, black_box(visit)),
    }
    black_box(depth);
}

#[test]
fn records_past_32_mib_are_discarded_and_counted() {
    // Few handles with many records, each with a hint of the largest size.
    let detector = LeakDetector::new(config(Level::Paranoid).target_records(u32::MAX));
    let observed = Observed::of(&detector);
    let (handles, touches) = (10_u64, 10_000_u64);
    let held: Vec<_> = (0..handles).map(|n| detector.resource("Touched").track(n)).collect();
    let peak = peak_of(|| {
        for _ in 0..touches {
            for handle in &held {
                Tracked::touch_with(handle, "x".repeat(256));
            }
        }
    });
    assert!(peak <= LIMIT, "{peak} B for records");
    assert!(peak > LIMIT / 2, "{peak} B: this test does not reach the bound");
    let discarded = detector.snapshot().discarded();
    assert!(discarded.records() > 0);
    assert_eq!(discarded.trails(), 0);

    // New handles find no room and are counted; the accesses of the old ones add up.
    let mut after = Vec::new();
    while detector.snapshot().discarded().trails() == 0 {
        after.push(detector.resource("After").hint("y".repeat(256)).watch(0));
        assert!(after.len() < 50_000, "there is no end to the room");
    }
    let opened = after.len() as u64;
    drop(after);
    let mut held = held.into_iter();
    drop(held.next());
    let report = observed.only();
    assert_eq!(hints(&report).len() as u64 + report.discarded_records(), touches);
    assert_eq!(record(&report, Access::Created).hint(), None);

    // What went makes room again.
    for handle in held {
        Tracked::release(handle);
    }
    let room = detector.resource("Room").track(0);
    Tracked::touch_with(&room, "kept");
    drop(room);
    let report = observed.newest_trail();
    assert_eq!((report.resource(), hints(&report)), ("Room", vec!["kept"]));
    assert_figures!(detector, { created: handles + opened + 1, released: handles + opened - 1, leaked: 2 });
    let summary = exit_summary(&detector).to_string();
    assert!(summary.contains(" records") && summary.contains("1 trail"), "{summary}");
    drop((detector, observed));

    // As many trails as there may be, with a record each.
    const TRAILS: u64 = 65_536;
    let detector = LeakDetector::new(config(Level::Paranoid));
    let mut held = Vec::with_capacity(TRAILS as usize);
    let peak = peak_of(|| {
        held.extend((0..TRAILS).map(|n| detector.resource("Held").track(n)));
        assert_eq!(detector.snapshot().discarded().trails(), 0);
        for handle in &held {
            Tracked::touch_with(handle, "x".repeat(256));
        }
    });
    assert!(peak <= LIMIT, "{peak} B for trails");
    // That the bound was reached is told by what was discarded: the peak is lower by what the reporter gives back meanwhile, which
    // are the symbols of the report before, ten seconds after it.
    let discarded = detector.snapshot().discarded();
    assert!(discarded.records() > 0 && discarded.stacks() < 10, "{discarded:?}");
    assert_figures!(detector, { created: TRAILS, live: TRAILS });

    // Nothing is left for a stack that is not there yet: those of accesses from everywhere are not kept.
    let peak = peak_of(|| {
        for path in 0..30_000 {
            descend(path, 15, &mut || Tracked::touch(&held[0]));
        }
    });
    assert!(peak <= 128 * 1024, "{peak} B more for stacks that are not kept");
    let discarded = detector.snapshot().discarded();
    assert!(discarded.stacks() > 29_000, "{discarded:?}");
    held.into_iter().for_each(|handle| drop(Tracked::into_watched(handle)));
    assert_figures!(detector, { created: TRAILS, released: TRAILS });
}
