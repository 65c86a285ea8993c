//! Detectors are values: independent of each other, shared by their clones, and good to their handles when they are gone.

mod observed;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use leaktrail::{LeakDetector, LeakReport, Level, Sink, Tracked, Watched};
use observed::{Observed, assert_figures, config, detector};

/// Longer than anything here takes: what has not come by then does not come.
const NEVER: Duration = Duration::from_secs(60);

/// A subscriber that lives as long as its detector. Its end of the channel goes with it.
fn told_to(detector: &LeakDetector, heard: Sender<String>) {
    let heard = Mutex::new(heard);
    detector
        .subscribe(move |report| {
            let _ = heard.lock().unwrap().send(report.resource().to_owned());
        })
        .detach_never();
}

/// Waits for what is told next, without a flush.
fn next(told: &Receiver<String>) -> String {
    told.recv_timeout(NEVER).expect("it is told")
}

#[test]
fn detectors_are_independent() {
    let (quiet, loud) = (detector(Level::Simple), detector(Level::Paranoid));
    let (of_quiet, of_loud) = (Observed::of(&quiet), Observed::of(&loud));
    quiet.set_level(Level::Disabled);
    let make = |detector: &LeakDetector| detector.track(1);
    drop((make(&quiet), make(&loud)));
    Tracked::release(make(&loud));
    assert_figures!(quiet, {});
    assert_figures!(loud, { created: 2, released: 1, leaked: 1 });
    assert_eq!((of_quiet.reports().len(), of_loud.reports().len()), (0, 1));
    assert_eq!((quiet.level(), loud.level()), (Level::Disabled, Level::Paranoid));
}

#[test]
fn clones_are_one_detector() {
    let detector = detector(Level::Simple);
    let clone = detector.clone();
    let handle = clone.track(1);
    clone.set_level(Level::Advanced);
    drop(clone);
    assert_eq!(detector.level(), Level::Advanced);
    drop(handle);
    assert_figures!(detector, { created: 1, leaked: 1 });
    assert!(format!("{detector:?}").contains("Advanced"), "{detector:?}");
}

#[test]
fn handles_outlive_their_detector() {
    for level in [Level::Disabled, Level::Simple, Level::Advanced, Level::Paranoid] {
        let detector = LeakDetector::new(config(level).sampling_interval(observed::NEVER_AGAIN));
        let make = |n: u32| detector.resource("Orphan").bytes(8).track(n);
        let handles = [make(1), make(2), make(3), make(4), make(5)];
        drop(detector);
        let [mut lost, released, watched, given_up, raw] = handles;
        Tracked::touch_with(&lost, "late");
        Tracked::set_bytes(&mut lost, 16);
        drop(lost);
        assert_eq!(Tracked::release(released), 2);
        drop(Tracked::into_watched(watched));
        assert_eq!(Tracked::into_untracked(given_up, "a test"), 4);
        let (value, ticket) = Tracked::into_raw(raw);
        assert_eq!(Tracked::release(Tracked::from_raw(value, ticket).unwrap()), 5);
    }
}

#[test]
fn a_late_loss_is_told_to_the_sinks_of_a_detector_that_is_gone() {
    let (heard, told) = channel();
    let detector = detector(Level::Paranoid);
    told_to(&detector, heard);
    let guard = detector.guard();
    let handle = detector.resource("Late").track(1);
    drop(detector);
    drop(handle);
    assert_eq!(next(&told), "Late");
    drop(guard);
    // The last of the detector is let go of, and its sinks with it.
    assert_eq!(told.recv_timeout(NEVER), Err(RecvTimeoutError::Disconnected));
}

#[test]
fn what_was_lost_before_a_detector_went_is_told_after() {
    let (heard, told) = channel();
    let detector = detector(Level::Simple);
    told_to(&detector, heard);
    drop(detector.resource("Before").track(1));
    drop(detector);
    assert_eq!(next(&told), "Before");
    assert_eq!(told.recv_timeout(NEVER), Err(RecvTimeoutError::Disconnected));
}

/// The last handle of a detector that is gone may be lost at the very moment in which the thread that makes reports looks
/// whether the detector is done.
#[test]
fn no_late_loss_is_missed_while_detectors_are_let_go_of() {
    const DETECTORS: usize = if cfg!(debug_assertions) { 1_000 } else { 5_000 };
    let (heard, told) = channel();
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            // Keeps the thread that makes reports going.
            let busy = detector(Level::Simple);
            while !done.load(Ordering::Relaxed) {
                drop(busy.track(1));
            }
        });
        let (handles, to_lose) = channel();
        scope.spawn(move || {
            for handle in to_lose {
                drop::<Tracked<usize>>(handle);
            }
        });
        for n in 0..DETECTORS {
            // A drop's stack is taken between the count of a loss and its place in the queue.
            let detector = detector(Level::Paranoid);
            told_to(&detector, heard.clone());
            let handle = detector.track(n);
            drop(detector);
            handles.send(handle).unwrap();
        }
        drop(heard);
        let mut count = 0;
        let end = loop {
            match told.recv_timeout(NEVER) {
                Ok(_) => count += 1,
                Err(end) => break end,
            }
        };
        done.store(true, Ordering::Relaxed);
        drop(handles);
        assert_eq!((count, end), (DETECTORS, RecvTimeoutError::Disconnected));
    });
}

/// Panics when it is dropped, without a message.
struct Bomb;

impl Drop for Bomb {
    fn drop(&mut self) {
        std::panic::resume_unwind(Box::new("on purpose"));
    }
}

impl Sink for Bomb {
    fn report(&self, _: &LeakReport) {}
}

#[test]
fn a_sink_whose_drop_panics_takes_nothing_with_it() {
    let (heard, told) = channel();
    let other = detector(Level::Simple);
    told_to(&other, heard);
    for round in 0..5 {
        let detector = detector(Level::Simple);
        detector.add_sink(Bomb).detach_never();
        let handle = detector.track(1);
        if round % 2 == 0 {
            // Lost after its detector: the thread that makes reports drops the sink.
            drop(detector);
            drop(handle);
        } else {
            // Nothing is left to tell: this thread drops it.
            Tracked::release(handle);
            drop(detector);
        }
    }
    drop(other.resource("Another's").track(1));
    assert_eq!(next(&told), "Another's", "somebody still makes reports");
}

#[test]
fn a_sink_that_is_detached_while_it_is_called_ends_there() {
    struct Waits(Mutex<Sender<()>>, Mutex<Receiver<()>>, Bomb);
    impl Sink for Waits {
        fn report(&self, _: &LeakReport) {
            self.0.lock().unwrap().send(()).unwrap();
            let _ = self.1.lock().unwrap().recv();
        }
    }
    let (entered, is_entered) = channel();
    let (go_on, goes_on) = channel();
    let (heard, told) = channel();
    let detector = detector(Level::Simple);
    let waits = detector.add_sink(Waits(Mutex::new(entered), Mutex::new(goes_on), Bomb));
    told_to(&detector, heard);
    drop(detector.resource("First").track(1));
    is_entered.recv().unwrap();
    drop(waits);
    drop(go_on);
    assert_eq!(next(&told), "First");
    drop(detector.resource("Second").track(1));
    assert_eq!(next(&told), "Second");
    assert!(is_entered.try_recv().is_err(), "it was detached");
}

#[test]
fn a_detector_may_be_dropped_by_its_own_sink() {
    let (heard, told) = channel();
    let detector = detector(Level::Paranoid);
    let own = Mutex::new(None::<LeakDetector>);
    let own = Arc::new(own);
    detector
        .subscribe({
            let own = own.clone();
            move |_| {
                let last = own.lock().unwrap().take();
                drop(last);
            }
        })
        .detach_never();
    told_to(&detector, heard);
    let handle = detector.resource("Own").track(1);
    *own.lock().unwrap() = Some(detector);
    drop(handle);
    assert_eq!(next(&told), "Own");
    assert_eq!(told.recv_timeout(NEVER), Err(RecvTimeoutError::Disconnected));
    assert!(own.lock().unwrap().is_none());
}

#[test]
fn a_subscription_may_outlive_its_detector() {
    let detector = detector(Level::Simple);
    let observed = detector.subscribe(|_| {});
    Watched::release(detector.watch(1));
    drop(detector);
    drop(observed);
}
