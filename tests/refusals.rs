//! When the budget refuses, the error says who holds the memory, and so do the log and the sinks, once an episode.

mod rig;

use std::cell::RefCell;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Barrier};
use std::thread;
use std::time::Instant;

use leaktrail::{
    AllocError, ByteBufAllocator, Config, DirectMemory, DropPolicy, LeakAware, LeakDetector, LeakReport, Level, Origin,
    OutOfDirectMemory, Refusal, Sink, UnpooledAllocator,
};
use rig::Rig;

#[track_caller]
fn refused<T: std::fmt::Debug>(result: Result<T, AllocError>) -> OutOfDirectMemory {
    match result.unwrap_err() {
        AllocError::Budget(error) => error,
        error => panic!("{error:?}"),
    }
}

#[test]
fn the_error_names_the_holders_by_line() {
    for level in [Level::Simple, Level::Advanced, Level::Paranoid] {
        let rig = Rig::new(level, DropPolicy::Reclaim, 10_000);
        let (mut hoard, retained) = (Vec::new(), line!() + 3);
        for _ in 0..9 {
            let body = rig.filled(&[7; 1000]);
            hoard.push(body.retain());
            assert!(!body.release());
        }
        let (busy, created) = (rig.filled(&[7; 500]), line!());
        let (result, asked) = (rig.allocator.allocate(1000), line!());
        let error = refused(result);

        // Netty's text, to the letter, and in the alternate form who has it.
        let text = "failed to allocate 1000 byte(s) of direct memory (used: 9500, max: 10000)";
        assert_eq!(error.to_string(), text);
        let lines: Vec<String> = format!("{error:#}").lines().map(str::to_owned).collect();
        assert_eq!(lines[0], text);
        assert!(lines[1].starts_with(&format!("REFUSED: short by 500 B at tests/refusals.rs:{asked}:")), "{lines:#?}");
        assert!(lines[1].ends_with(", 2 sites hold references to 9500 B"), "{lines:#?}");
        assert!(lines[2].starts_with("REFUSED: #1 94.7 % 9000 B in 9 live, "), "{lines:#?}");
        assert!(lines[2].contains(&format!("(never released), ByteBuf retained tests/refusals.rs:{retained}:")));
        assert!(lines[3].starts_with("REFUSED: #2 5.3 % 500 B in 1 live, "), "{lines:#?}");
        assert!(lines[3].contains(&format!("ByteBuf created tests/refusals.rs:{created}:")), "{lines:#?}");
        // What somebody sees who unwraps, or who prints the error that wraps it.
        assert!(format!("{error:?}").contains(&lines[2]), "{error:?}");
        let wrapped: Box<dyn std::error::Error> = Box::new(AllocError::Budget(error.clone()));
        assert_eq!((wrapped.to_string(), format!("{wrapped:#}")), (text.to_owned(), lines.join("\n")));

        assert_eq!(
            (error.requested(), error.used(), error.limit(), error.site().line()),
            (1000, 9500, Some(10_000), asked)
        );
        let holders = error.holders().unwrap();
        assert_eq!((holders.short_by(), holders.site(), holders.level()), (500, error.site(), level));
        let first = &holders.holders()[0];
        assert_eq!((first.origin(), first.live(), first.live_bytes()), (Origin::Retained, 9, 9000));

        // The refusal took nothing, and nothing of it stays.
        assert_eq!((rig.memory.used(), rig.memory.reservations()), (9500, 10));
        hoard.into_iter().chain([busy]).for_each(|body| assert!(body.release()));
        assert!(rig.allocator.allocate(10_000).unwrap().release());
        rig.assert_all_came_back();
    }
}

#[test]
fn a_growth_that_is_refused_names_the_holders_too() {
    let rig = Rig::new(Level::Simple, DropPolicy::Reclaim, 1000);
    let (held, created) = (rig.filled(&[7; 700]), line!());
    let mut buffer = rig.allocator.allocate(200).unwrap();
    buffer.put_slice(b"head");
    let (result, asked) = (buffer.try_reserve(396), line!());
    let error = refused(result);
    // Netty's reallocation, too, asks for the difference alone.
    assert_eq!(error.to_string(), "failed to allocate 200 byte(s) of direct memory (used: 900, max: 1000)");
    assert_eq!((error.site().line(), error.site().file()), (asked, "tests/refusals.rs"));
    let first = &error.holders().unwrap().holders()[0];
    assert_eq!((first.site().line(), first.live_bytes()), (created, 700));
    assert!(format!("{error:#}").contains("REFUSED: #1 77.8 % 700 B in 1 live, "), "{error:#}");
    assert_eq!((buffer.capacity(), &buffer[..], rig.memory.used()), (200, &b"head"[..], 900));
    assert_eq!(rig.refusals().len(), 1);
    assert!(held.release());
    buffer.try_reserve(396).unwrap();
    assert!(buffer.release());
    rig.assert_all_came_back();
}

/// A bare budget does not know who holds what; the error says as much by saying nothing.
#[test]
fn without_a_leak_aware_allocator_nobody_is_named() {
    let error = refused(UnpooledAllocator::new(DirectMemory::with_limit(1)).allocate(2));
    assert!(error.holders().is_none());
    assert_eq!(format!("{error:#}"), error.to_string());
}

/// What is lost under Netty's policy is in use and alive no more: it is told apart, by the line that lost it.
#[test]
fn what_was_abandoned_has_no_holder_and_is_named_apart() {
    let rig = Rig::new(Level::Simple, DropPolicy::Abandon, 1000);
    let lost = line!() + 1;
    drop(rig.filled(&[7; 900]));
    let error = refused(rig.allocator.allocate(200));
    assert!(error.holders().unwrap().holders().is_empty());
    let lines = format!("{error:#}");
    assert!(lines.contains(", 0 sites hold references to 0 B\nREFUSED: 100.0 % 900 B abandoned: "), "{lines}");
    assert!(
        lines.contains(&format!("\nREFUSED: lost 900 B in 1 lost, ByteBuf created tests/refusals.rs:{lost}:")),
        "{lines}"
    );
}

#[test]
fn at_disabled_the_refusal_is_told_without_holders() {
    // Another detector of the process has its reporter running, which knows nothing of this one.
    let other = LeakDetector::new(Config::new());
    let watched = other.watch(());
    let rig = Rig::new(Level::Disabled, DropPolicy::Reclaim, 1000);
    let body = rig.filled(&[7; 900]);
    let error = refused(rig.allocator.allocate(200));
    assert_eq!(error.to_string(), "failed to allocate 200 byte(s) of direct memory (used: 900, max: 1000)");
    assert!(error.holders().unwrap().holders().is_empty());
    let lines = format!("{error:#}");
    assert!(lines.ends_with(", holders are not known at level DISABLED"), "{lines}");
    assert_eq!(lines.lines().count(), 2, "{lines}");

    // By the thread that was refused: no other will.
    let told = rig.refusals_told_by_now();
    assert_eq!((told.len(), told[0].error(), told[0].level()), (1, error.to_string().as_str(), Level::Disabled));
    assert!(body.release());
    drop(watched);
}

/// Where the level was raised since, what is alive of the handles created after that is named.
#[test]
fn holders_are_those_that_were_counted() {
    let rig = Rig::new(Level::Disabled, DropPolicy::Reclaim, 1000);
    let unknown = rig.filled(&[7; 500]);
    rig.detector.set_level(Level::Simple);
    let (known, retained) = (unknown.retain(), line!());
    let error = refused(rig.allocator.allocate(600));
    let holders = error.holders().unwrap().holders();
    assert_eq!((holders.len(), holders[0].site().line(), holders[0].live_bytes()), (1, retained, 500));
    drop(error);
    assert!(!unknown.release() && known.release());
}

/// An error that is kept, or thrown away, keeps nobody's memory and no handle.
#[test]
fn an_error_holds_nothing() {
    let rig = Rig::new(Level::Paranoid, DropPolicy::Reclaim, 1000);
    let body = rig.filled(&[7; 900]);
    let errors: Vec<_> = (0..10).map(|_| rig.allocator.allocate(200).unwrap_err()).collect();
    assert!(body.release());
    rig.assert_all_came_back();
    assert_eq!(rig.counts(), (1, 1, 0, 0), "what was refused was never created");
    drop(errors);
}

/// A leak-aware allocator in another: each detector is told once, and the outer one's holders are in the error.
#[test]
fn each_detector_around_a_budget_is_told() {
    let rig = Rig::new(Level::Simple, DropPolicy::Reclaim, 1000);
    let outer = LeakAware::new(rig.allocator.clone(), LeakDetector::new(Config::new()));
    let (body, created) = (outer.allocate(900).unwrap(), line!());
    let error = refused(outer.allocate(200));
    let holders = error.holders().unwrap().holders();
    assert_eq!((holders.len(), holders[0].site().line(), holders[0].live_bytes()), (1, created, 900));
    assert_eq!(rig.refusals().len(), 1);
    assert!(body.release());
}

/// A sink that is refused itself: it gets an error like anybody, and nobody waits for anybody.
#[test]
fn a_sink_may_be_refused_itself() {
    struct Greedy(LeakAware<UnpooledAllocator>, Arc<AtomicU64>);
    impl Sink for Greedy {
        fn report(&self, _: &LeakReport) {}
        fn refusal(&self, _: &Refusal) {
            let error = refused(self.0.allocate(1_000_000));
            assert!(error.holders().is_some());
            self.1.fetch_add(1, Ordering::Relaxed);
        }
    }
    for level in [Level::Disabled, Level::Simple] {
        let rig = Rig::new(level, DropPolicy::Reclaim, 1000);
        let called = Arc::new(AtomicU64::new(0));
        let _subscription = rig.detector.add_sink(Greedy(rig.allocator.clone(), called.clone()));
        let body = rig.filled(&[7; 900]);
        refused(rig.allocator.allocate(200));
        assert_eq!(rig.refusals().len(), 1, "{level}");
        assert_eq!(called.load(Ordering::Relaxed), 1, "{level}");
        assert!(body.release());
    }
}

/// The first of an episode is listed, the others are counted, and none is lost from the count, whoever asks at once.
#[test]
fn a_flood_from_many_threads_is_one_listing_and_a_count() {
    const THREADS: u64 = 8;
    let rounds = if cfg!(debug_assertions) { 125 } else { 2_500 };
    install_logger();
    for level in [Level::Disabled, Level::Simple, Level::Paranoid] {
        let rig = Rig::new(level, DropPolicy::Reclaim, 7_654_321);
        let (hoard, retained) = (rig.filled(&[7; 7_000_000]), line!());
        let start = Arc::new(Barrier::new(THREADS as usize));
        let began = Instant::now();
        thread::scope(|scope| {
            for nth in 0..THREADS {
                let (rig, start) = (&rig, start.clone());
                scope.spawn(move || {
                    start.wait();
                    for round in 0..rounds {
                        // More than there is, and beside it what always fits.
                        let error = refused(rig.allocator.allocate(700_000 + nth as usize));
                        assert_eq!(error.used() / 1_000_000, 7);
                        let holders = error.holders().unwrap().holders();
                        let first = holders.first().map(|first| (first.site().line(), first.live_bytes()));
                        assert_eq!(first, (level > Level::Disabled).then_some((retained, 7_000_000)), "round {round}");
                        assert!(rig.allocator.allocate(1000).unwrap().release());
                    }
                });
            }
        });
        let listed = rig.refusals();
        let took = began.elapsed();
        assert!(listed.len() as u64 <= 1 + took.as_secs() / 10, "{} in {took:?}", listed.len());
        assert_eq!(listed[0].suppressed(), 0);
        // Each is listed, or counted by a later listing, or counted by the flush.
        let total = listed.len() as u64 + listed.iter().map(Refusal::suppressed).sum::<u64>() + logged_count();
        assert_eq!(total, THREADS * rounds, "{level}: {listed:#?}");
        assert!(hoard.release());
        rig.assert_all_came_back();
    }
}

thread_local! {
    /// What was logged on this thread: a flush logs on the thread that asks for it.
    static LOGGED: RefCell<Vec<String>> = const { RefCell::new(Vec::new()) };
}

struct Logger;

impl log::Log for Logger {
    fn enabled(&self, _: &log::Metadata<'_>) -> bool {
        true
    }
    fn log(&self, record: &log::Record<'_>) {
        LOGGED.with_borrow_mut(|logged| logged.push(record.args().to_string()));
    }
    fn flush(&self) {}
}

fn install_logger() {
    log::set_logger(&Logger).expect("no other logger is installed");
    log::set_max_level(log::LevelFilter::Warn);
}

/// How many refusals the log says were counted and not listed, in the lines of this thread since it was last asked.
fn logged_count() -> u64 {
    let lines = LOGGED.take();
    let counts = lines.iter().filter_map(|line| {
        let (count, plural) = line.strip_prefix("REFUSED: ")?.split_once(" more refusal")?;
        let count = count.parse::<u64>().expect("a count is a number");
        assert_eq!(plural, if count == 1 { " since the last one listed" } else { "s since the last one listed" });
        Some(count)
    });
    counts.sum()
}
