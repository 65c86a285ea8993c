//! Handles and panics: a panic of the user's is the user's, and the counts are right afterwards.

mod observed;

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use leaktrail::{Access, LeakDetector, Level, Severity, Tracked, Watched};
use observed::{Observed, accesses, assert_figures, detector, innermost, record};

const COUNTING: [Level; 3] = [Level::Simple, Level::Advanced, Level::Paranoid];

/// A panic of a test's own.
struct OnPurpose;

/// Panics without a message: the hook is not called.
fn panic() -> ! {
    resume_unwind(Box::new(OnPurpose))
}

/// Runs it and sees it panic on purpose, and for no other reason.
fn panics(work: impl FnOnce()) {
    let payload = catch_unwind(AssertUnwindSafe(work)).expect_err("it panics");
    assert!(payload.is::<OnPurpose>(), "it panicked, but not on purpose");
}

/// Panics when it is dropped.
struct Bomb;

impl Drop for Bomb {
    fn drop(&mut self) {
        panic();
    }
}

#[test]
fn a_handle_that_is_dropped_while_unwinding_is_lost_with_a_warning() {
    let detector = detector(Level::Paranoid);
    let observed = Observed::of(&detector);
    panics(|| {
        let _lost = detector.track("in flight");
        panic();
    });
    let report = observed.only();
    assert_eq!((report.severity(), report.is_unwinding()), (Severity::Warn, true));
    let dropped = record(&report, Access::Dropped);
    assert!(dropped.is_unwinding());
    assert!(!record(&report, Access::Created).is_unwinding());
    assert_eq!(innermost(dropped).0, "tests/unwinding.rs", "the unwinder's frames are not the user's");
    assert_figures!(detector, { created: 1, leaked: 1 });
}

#[test]
fn the_same_drop_without_a_panic_is_an_error() {
    let detector = detector(Level::Paranoid);
    let observed = Observed::of(&detector);
    drop(detector.track("dropped"));
    let report = observed.only();
    assert_eq!((report.severity(), report.is_unwinding()), (Severity::Error, false));
    assert!(!record(&report, Access::Dropped).is_unwinding());
}

#[test]
fn release_with_a_closure_that_panics_is_a_loss_while_unwinding() {
    for level in COUNTING {
        let detector = detector(level);
        let observed = Observed::of(&detector);
        let handle = detector.resource("Device").bytes(64).track(Vec::<u8>::new());
        panics(|| Tracked::release_with(handle, |_value| panic()));
        assert_figures!(detector, { created: 1, leaked: 1 }, "at {level}");
        let report = observed.only();
        assert_eq!(
            (report.severity(), report.is_unwinding(), report.bytes()),
            (Severity::Warn, true, 64),
            "at {level}"
        );
    }
}

#[test]
fn a_tracked_value_whose_drop_panics_is_lost_once() {
    for level in COUNTING {
        let detector = detector(level);
        let observed = Observed::of(&detector);
        panics(|| drop(detector.track(Bomb)));
        assert_figures!(detector, { created: 1, leaked: 1 }, "at {level}");
        assert_eq!(observed.only().severity(), Severity::Error, "the loss came first");
    }
}

#[test]
fn a_watched_value_whose_drop_panics_is_released_once() {
    for level in COUNTING {
        let detector = detector(level);
        let observed = Observed::of(&detector);
        panics(|| drop(detector.watch(Bomb)));
        assert_figures!(detector, { created: 1, released: 1 }, "at {level}");
        assert!(observed.reports().is_empty());
    }
}

#[test]
fn a_watched_value_is_gone_when_its_release_counts() {
    struct Asks<'a>(&'a LeakDetector);
    impl Drop for Asks<'_> {
        fn drop(&mut self) {
            assert_figures!(self.0, { created: 1, live: 1 });
        }
    }
    let detector = detector(Level::Paranoid);
    drop(detector.watch(Asks(&detector)));
    assert_figures!(detector, { created: 1, released: 1 });
}

#[test]
fn a_value_may_use_the_detector_while_it_is_dropped() {
    struct Nested(LeakDetector, u32);
    impl Drop for Nested {
        fn drop(&mut self) {
            if self.1 > 0 {
                drop(self.0.resource("Inner").track(Nested(self.0.clone(), self.1 - 1)));
                drop(self.0.resource("Inner").watch(()));
            }
            self.0.flush();
        }
    }
    for level in COUNTING {
        let detector = detector(level);
        drop(detector.resource("Outer").track(Nested(detector.clone(), 3)));
        assert_figures!(detector, { created: 7, leaked: 4, released: 3 }, "at {level}");
    }
}

#[test]
fn untracked_and_released_values_are_the_users_to_panic_with() {
    let detector = detector(Level::Paranoid);
    panics(|| drop(Tracked::release(detector.track(Bomb))));
    panics(|| drop(Tracked::into_untracked(detector.track(Bomb), "a test")));
    panics(|| drop(Watched::release(detector.watch(Bomb))));
    panics(|| drop(Tracked::into_watched(detector.track(Bomb))));
    assert_figures!(detector, { created: 4, released: 3, untracked: 1 });
}

#[test]
fn many_handles_lost_in_one_panic_are_all_counted() {
    let detector = detector(Level::Advanced);
    let observed = Observed::of(&detector);
    panics(|| {
        let _all: Vec<_> = (0..100).map(|n| detector.track(n)).collect();
        panic();
    });
    assert_figures!(detector, { created: 100, leaked: 100 });
    let last = observed.reports().pop().unwrap();
    assert_eq!((last.count(), last.severity()), (100, Severity::Warn));
    // A panic that is over is no excuse for what is lost later.
    drop(detector.resource("Later").track(()));
    let report = observed.reports().pop().unwrap();
    assert_eq!((report.resource(), report.severity()), ("Later", Severity::Error));
    assert_eq!(accesses(&report)[0], Access::Dropped);
}
