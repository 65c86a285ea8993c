//! Sixteen tests beside each other, each of which loses and keeps its own number of handles: every scope sees exactly its
//! own, whether the code has the scope's detector, a wrapped allocator, or uses the global detector.

use std::thread;
use std::time::Duration;

use leaktrail::testing::LeakScope;
use leaktrail::{ByteBufAllocator, DirectMemory, Tracked, UnpooledAllocator};

/// How often each test turns to another way, so that they meet.
const ROUNDS: u64 = 20;

/// Loses `n` handles a round on the global detector, one a round in a buffer, and keeps `n` in all.
fn lose_and_keep(n: u64) {
    let scope = LeakScope::new(format!("the one that loses {n}"));
    let allocator = scope.wrap(UnpooledAllocator::new(DirectMemory::unlimited()));
    let mut kept = Vec::new();
    for round in 0..ROUNDS {
        let entered = scope.enter();
        for _ in 0..n {
            drop(leaktrail::track(n));
        }
        Tracked::release(leaktrail::track(n));
        if round < n {
            kept.push(leaktrail::watch(n));
        }
        drop(entered);
        drop(allocator.allocate(8).unwrap());
        thread::sleep(Duration::from_micros(n * 50));
    }
    let seen = scope.detector().snapshot();
    assert_eq!(seen.leaked(), n * ROUNDS + ROUNDS, "{seen}");
    assert_eq!(seen.live(), n.min(ROUNDS), "{seen}");
    assert_eq!(seen.released(), ROUNDS, "{seen}");

    scope.ignore_resource("ByteBuf", "counted above");
    let failure = std::panic::catch_unwind(|| scope.assert_clean()).unwrap_err();
    let text = failure.downcast::<String>().unwrap();
    let expected = format!(
        "leak scope 'the one that loses {n}' is not clean: {} lost (0 B) at 1 site, {n} live (0 B) at 1 site; level PARANOID",
        n * ROUNDS
    );
    assert_eq!(text.lines().next().unwrap(), expected);
    assert!(text.contains(&format!("{0} of {0} lost", n * ROUNDS)), "{text}");
}

macro_rules! sixteen {
    ($($name:ident $n:literal,)*) => {
        $(#[test]
        fn $name() {
            lose_and_keep($n);
        })*
    };
}

sixteen! {
    loses_1 1, loses_2 2, loses_3 3, loses_4 4, loses_5 5, loses_6 6, loses_7 7, loses_8 8,
    loses_9 9, loses_10 10, loses_11 11, loses_12 12, loses_13 13, loses_14 14, loses_15 15, loses_16 16,
}

#[test]
fn the_global_detector_has_nothing_of_it() {
    thread::scope(|threads| {
        for n in 1..=16 {
            threads.spawn(move || lose_and_keep(n));
        }
    });
    // This thread has entered nothing, so this is the global detector itself, and no test here uses it outside a scope.
    assert_eq!(leaktrail::LeakDetector::global().snapshot().created(), 0);
}
