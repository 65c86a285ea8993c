//! What is measured: each function answers a closure that does one operation so many times.
//!
//! The same body serves every level and every peer of its kind, one thread and two, the table and criterion.

use std::collections::VecDeque;
use std::hint::black_box;
use std::num::NonZeroU32;

use bytes::BytesMut;
use leaktrail::{ByteBufAllocator, Config, LeakDetector, Level, ReportTo, Resource, Tracked, Watched};

/// Does one operation so many times, and answers something that the optimiser cannot guess.
pub type Body = Box<dyn FnMut(u64) -> u64 + Send>;

/// A detector that writes nothing.
pub fn detector(level: Level) -> LeakDetector {
    LeakDetector::new(Config::new().level(level).report(ReportTo::Off))
}

/// The same, without samples: nothing but the first handle of a thread at a line has a trail.
pub fn unsampled(level: Level) -> LeakDetector {
    LeakDetector::new(Config::new().level(level).report(ReportTo::Off).sampling_interval(NonZeroU32::MAX))
}

/// `count` times the operation.
pub fn repeated<T>(mut operation: impl FnMut(u64) -> T + Send + 'static) -> Body {
    Box::new(move |count| {
        for number in 0..count {
            black_box(operation(black_box(number)));
        }
        count
    })
}

/// The loop itself with a value that goes the way of a handle's.
pub fn bare_value() -> Body {
    repeated(black_box)
}

/// A hundred dependent steps of arithmetic: the control row. What slows this down is the machine.
pub fn arithmetic() -> Body {
    repeated(|number| (0..100).fold(number, |sum, step| black_box(sum.wrapping_mul(31) ^ step)))
}

/// What a 4 KiB buffer of `bytes` costs: the floor of the sampled levels.
pub fn bytes_mut() -> Body {
    bytes_mut_of(4096)
}

/// The same of another size.
pub fn bytes_mut_of(capacity: usize) -> Body {
    repeated(move |_| BytesMut::with_capacity(black_box(capacity)))
}

/// A handle is created and released.
pub fn track(detector: LeakDetector) -> Body {
    repeated(move |number| Tracked::release(black_box(detector.track(number))))
}

/// The same by the other kind of handle: the drop is the release.
pub fn watch(detector: LeakDetector) -> Body {
    repeated(move |number| drop(black_box(detector.watch(number))))
}

/// The same of a named resource.
pub fn named(resource: Resource) -> Body {
    repeated(move |number| Tracked::release(black_box(resource.track(number))))
}

/// A handle is lost.
pub fn lose(detector: LeakDetector) -> Body {
    repeated(move |number| drop(black_box(detector.track(number))))
}

/// A handle is created and the oldest of so many is released.
pub fn among(live: usize, detector: LeakDetector) -> Body {
    let mut held: VecDeque<Watched<u64>> = VecDeque::with_capacity(live + 1);
    repeated(move |number| {
        while held.len() < live {
            held.push_back(detector.watch(0));
        }
        held.push_back(detector.watch(number));
        drop(held.pop_front());
    })
}

/// A touch of a handle that has a trail, or, with an `unsampled` detector below PARANOID, has none.
pub fn touch(detector: LeakDetector) -> Body {
    // Of one line: the first is sampled, the second is not.
    let mut handles: Vec<Tracked<u64>> = (0..2).map(|number| detector.track(number)).collect();
    let second = handles.pop().expect("the second of two");
    handles.into_iter().for_each(|handle| {
        Tracked::release(handle);
    });
    let handle = Tracked::into_watched(second);
    repeated(move |_| Watched::touch(black_box(&handle)))
}

/// The same with a hint.
pub fn touch_with(detector: LeakDetector) -> Body {
    let handle = detector.watch(0_u64);
    repeated(move |_| Watched::touch_with(black_box(&handle), "in the cache"))
}

/// A buffer of 4 KiB is allocated and released.
pub fn buffer(allocator: impl ByteBufAllocator + Send + 'static) -> Body {
    buffer_of(4096, allocator)
}

/// The same of another size.
pub fn buffer_of(capacity: usize, allocator: impl ByteBufAllocator + Send + 'static) -> Body {
    repeated(move |_| black_box(allocator.allocate(black_box(capacity)).expect("room for one buffer")).release())
}

/// 256 bytes of the global allocator: what the peers that replace it see.
pub fn heap_block() -> Body {
    repeated(|_| black_box(Box::new([0_u8; 256])))
}
