//! What the two handles are: smart pointers of their value's own properties, eight bytes larger, counted exactly.

mod observed;

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::{Arc, Mutex, MutexGuard};

use leaktrail::{
    ByteBuf, ByteBufMut, DirectMemory, Fate, LeakDetector, Level, RawTicket, Resource, StaleTicket, Tracked, Watched,
};
use observed::{Observed, assert_figures, detector};

const COUNTING: [Level; 3] = [Level::Simple, Level::Advanced, Level::Paranoid];

#[test]
fn handles_are_smart_pointers() {
    let detector = detector(Level::Simple);
    let mut tracked = detector.track(vec![1, 2]);
    tracked.push(3); // DerefMut
    assert_eq!(tracked.len(), 3); // Deref
    let whole: &Vec<i32> = tracked.as_ref();
    assert_eq!(whole, &[1, 2, 3]);
    tracked.as_mut().clear();
    assert_eq!(format!("{tracked:?}"), "[]");
    assert_eq!(Tracked::release(tracked), []);

    let mut watched = detector.watch(String::from("a"));
    watched.push('b');
    assert_eq!(watched.len(), 2);
    let whole: &String = watched.as_ref();
    assert_eq!(whole, "ab");
    watched.as_mut().push('c');
    assert_eq!((format!("{watched:?}"), format!("{watched:>5}|")), ("\"abc\"".to_owned(), "  abc|".to_owned()));
    assert_eq!(Watched::release(watched), "abc");

    let shown = detector.track(1.5_f64);
    assert_eq!((format!("{shown:?}"), format!("{shown:.3}")), ("1.5".to_owned(), "1.500".to_owned()));
    Tracked::release(shown);
    assert_figures!(detector, { created: 3, released: 3 });
}

/// `$type` does not have `$trait`: if it had, the path below would be ambiguous and would not compile.
macro_rules! assert_lacks {
    ($type:ty: $trait:path) => {
        const _: fn() = || {
            trait AmbiguousIfItHas<A> {
                fn some_item() {}
            }
            impl<T: ?Sized> AmbiguousIfItHas<()> for T {}
            struct Has;
            impl<T: ?Sized + $trait> AmbiguousIfItHas<Has> for T {}
            let _ = <$type as AmbiguousIfItHas<_>>::some_item;
        };
    };
}

macro_rules! assert_has {
    ($type:ty: $($traits:tt)+) => {
        const _: fn() = || {
            fn has<T: ?Sized + $($traits)+>() {}
            has::<$type>();
        };
    };
}

assert_has!(Tracked<u8>: Send + Sync + Unpin + std::panic::UnwindSafe);
assert_has!(Watched<u8>: Send + Sync + Unpin + std::panic::UnwindSafe);
assert_has!(Tracked<Cell<u8>>: Send);
assert_has!(Watched<Cell<u8>>: Send);
assert_lacks!(Tracked<Cell<u8>>: Sync);
assert_lacks!(Watched<Cell<u8>>: Sync);
assert_has!(Tracked<MutexGuard<'static, u8>>: Sync);
assert_lacks!(Tracked<MutexGuard<'static, u8>>: Send);
assert_lacks!(Watched<MutexGuard<'static, u8>>: Send);
assert_lacks!(Tracked<Rc<u8>>: Send);
assert_lacks!(Tracked<Rc<u8>>: Sync);
assert_lacks!(Watched<Rc<u8>>: Send);
// One handle is one release, so a second one is never made by copying.
assert_lacks!(Tracked<u8>: Clone);
assert_lacks!(Watched<u8>: Clone);
assert_has!(LeakDetector: Send + Sync + Clone + std::fmt::Debug);
assert_has!(Resource: Send + Sync + Clone + std::fmt::Debug);
assert_has!(RawTicket: Send + Sync + Copy + Eq + std::fmt::Debug);
assert_has!(StaleTicket<String>: Send + Sync + std::error::Error);
assert_has!(DirectMemory: Send + Sync + Clone + std::fmt::Debug);
assert_has!(ByteBuf: Send + Sync + std::fmt::Debug);
assert_has!(ByteBufMut: Send + std::fmt::Debug);

/// At most the eight bytes of the ticket, and the padding that the value's alignment asks for; under a ceiling of DISABLED
/// none of it.
macro_rules! assert_small {
    ($($type:ty),+ $(,)?) => {$(
        let (size, align) = (size_of::<$type>(), align_of::<$type>());
        let most = if Level::CEILING == Level::Disabled { size } else { (size + 8).next_multiple_of(align) };
        if size % 8 == 0 && align <= 8 {
            assert!(most <= size + 8);
        }
        let name = std::any::type_name::<$type>();
        assert!(size_of::<Tracked<$type>>() <= most, "Tracked<{name}>: {}", size_of::<Tracked<$type>>());
        assert!(size_of::<Watched<$type>>() <= most, "Watched<{name}>: {}", size_of::<Watched<$type>>());
        assert_eq!(align_of::<Tracked<$type>>(), align, "{name}");
    )+};
}

#[repr(align(16))]
struct Wide(#[expect(dead_code, reason = "only its layout matters")] [u8; 16]);

#[repr(align(64))]
struct Line(#[expect(dead_code, reason = "only its layout matters")] [u8; 64]);

#[test]
fn a_handle_is_at_most_eight_bytes_larger_than_its_value() {
    assert_small!((), u8, u16, u32, u64, u128, usize, f64, bool, char, [u8; 1], [u8; 3], [u8; 7], [u8; 8], [u8; 9]);
    assert_small!([u8; 16], [u8; 24], [u8; 4096], [u16; 3], [u32; 3], [u64; 3], (u8, u64), (u32, u8), Wide, Line);
    assert_small!(
        String,
        Vec<u8>,
        Box<u8>,
        Box<dyn Fn()>,
        &'static str,
        &'static u8,
        Option<Box<u8>>,
        Arc<str>,
        Rc<u8>
    );
    assert_small!(std::fs::File, std::net::TcpStream, Mutex<u8>, RefCell<Vec<u8>>, ByteBuf, ByteBufMut, Wide);
    assert_eq!(size_of::<Tracked<u8>>(), 9, "the ticket brings no alignment of its own");
}

#[test]
fn release_with_counts_when_the_closure_has_returned() {
    for level in COUNTING {
        let detector = detector(level);
        let handle = detector.track(40);
        let answer = Tracked::release_with(handle, |value| {
            assert_figures!(detector, { created: 1, live: 1 });
            value + 2
        });
        assert_eq!(answer, 42);
        assert_figures!(detector, { created: 1, released: 1 });
    }
}

#[test]
fn into_watched_makes_the_drop_the_release() {
    for level in COUNTING {
        let detector = detector(level);
        let observed = Observed::of(&detector);
        let watched = Tracked::into_watched(detector.track(1));
        assert_figures!(detector, { created: 1, live: 1 });
        Watched::touch(&watched);
        drop(watched);
        assert_figures!(detector, { created: 1, released: 1 });
        assert!(observed.reports().is_empty());
    }
}

#[test]
fn what_is_untracked_is_counted_apart() {
    for level in COUNTING {
        let detector = detector(level);
        let resource = detector.resource("Kept").bytes(100);
        assert_eq!(Tracked::into_untracked(resource.track(1), "lives as long as the process"), 1);
        assert_eq!(Watched::into_untracked(resource.watch(2), "goes where no handle can"), 2);
        assert_figures!(detector, { created: 2, untracked: 2 });
        let snapshot = detector.snapshot();
        assert_eq!((snapshot.live_bytes(), snapshot.leaked_bytes()), (0, 0));
        assert_eq!(snapshot.sites().iter().map(|site| site.untracked()).sum::<u64>(), 2);
    }
}

#[test]
fn set_bytes_goes_up_and_down_and_the_last_size_is_the_one_lost() {
    for level in COUNTING {
        let detector = detector(level);
        let observed = Observed::of(&detector);
        let live_bytes = || detector.snapshot().live_bytes();
        let mut handle = detector.resource("Grows").bytes(100).track(());
        assert_eq!(live_bytes(), 100);
        for bytes in [4096, 8, 0, u64::from(u32::MAX), 250] {
            Tracked::set_bytes(&mut handle, bytes);
            assert_eq!(live_bytes(), bytes, "at {level}");
        }
        let mut watched = detector.resource("Grows").watch(());
        Watched::set_bytes(&mut watched, 50);
        assert_eq!(live_bytes(), 300);
        drop(watched);
        assert_eq!(live_bytes(), 250);
        drop(handle);
        let snapshot = detector.snapshot();
        assert_eq!((snapshot.live_bytes(), snapshot.leaked_bytes()), (0, 250), "at {level}");
        let report = observed.only();
        assert_eq!((report.bytes(), report.fate()), (250, Fate::DroppedWithHandle));
        assert!(report.first_line().contains("1 of 1 lost, 250 B dropped with its handle,"), "{report}");
    }
}

#[test]
fn a_size_beyond_what_a_handle_can_hold_counts_as_the_largest() {
    const LARGEST: u64 = (1 << 40) - 1;
    for level in COUNTING {
        let detector = detector(level);
        let mut handle = detector.resource("Huge").bytes(u64::MAX).track(());
        assert_eq!(detector.snapshot().live_bytes(), LARGEST);
        Tracked::set_bytes(&mut handle, 7);
        assert_eq!(detector.snapshot().live_bytes(), 7);
        Tracked::set_bytes(&mut handle, u64::MAX);
        Tracked::release(handle);
        assert_eq!(detector.snapshot().live_bytes(), 0);
    }
}

#[test]
fn a_forgotten_handle_stays_alive_in_the_ledger() {
    let detector = detector(Level::Simple);
    std::mem::forget(detector.track(1));
    Box::leak(Box::new(detector.watch(2)));
    assert_figures!(detector, { created: 2, live: 2 });
    assert_eq!(detector.holders("i32").len(), 2);
}

#[test]
fn holders_are_the_largest_first_and_only_what_is_alive() {
    let detector = detector(Level::Simple);
    let small = detector.resource("Page").bytes(10).watch(());
    let large = detector.resource("Page").bytes(4096).watch(());
    let other = detector.resource("Other").bytes(1 << 20).watch(());
    drop(detector.resource("Page").bytes(1 << 30).watch(()));
    let holders = detector.holders("Page");
    assert_eq!(
        holders.iter().map(|stats| (stats.live(), stats.live_bytes())).collect::<Vec<_>>(),
        [(1, 4096), (1, 10)]
    );
    assert!(holders[0].site().line() > holders[1].site().line());
    drop((small, large, other));
    assert!(detector.holders("Page").is_empty());
    assert_eq!(detector.snapshot().sites().len(), 4, "the rows stay");
}

#[test]
fn a_handle_goes_where_its_value_may_go() {
    let detector = detector(Level::Paranoid);
    let tracked = Arc::new(detector.track(Mutex::new(0)));
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                *tracked.lock().unwrap() += 1;
                Tracked::touch(&tracked);
            });
        }
    });
    let handle = Arc::into_inner(tracked).unwrap();
    let value = std::thread::spawn(move || Tracked::release(handle)).join().unwrap();
    assert_eq!(value.into_inner().unwrap(), 4);
    assert_figures!(detector, { created: 1, released: 1 });
}
