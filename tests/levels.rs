//! What each level counts and records: the table of levels, with exact counts.

mod observed;

use std::cell::Cell;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use leaktrail::{Access, LeakDetector, Level, Tracked, TrailDepth, Watched};
use observed::{Figures, NEVER_AGAIN, Observed, Probe, accesses, assert_figures, config, detector, innermost, record};

const COUNTING: [Level; 3] = [Level::Simple, Level::Advanced, Level::Paranoid];
const ALL: [Level; 4] = [Level::Disabled, Level::Simple, Level::Advanced, Level::Paranoid];

#[test]
fn created_and_lost_are_exact_at_every_level_from_many_threads() {
    const THREADS: u64 = 8;
    const EACH: u64 = 300;
    for level in COUNTING {
        let detector = detector(level);
        thread::scope(|scope| {
            for _ in 0..THREADS {
                scope.spawn(|| {
                    for n in 0..EACH {
                        let handle = detector.resource("Counted").bytes(10).track(n);
                        match n % 3 {
                            0 => drop(handle),
                            1 => {
                                Tracked::release(handle);
                            }
                            _ => drop(Tracked::into_watched(handle)),
                        }
                    }
                });
            }
        });
        let (all, lost) = (THREADS * EACH, THREADS * EACH / 3);
        assert_figures!(detector, { created: all, leaked: lost, released: all - lost }, "at {level}");
        let snapshot = detector.snapshot();
        assert_eq!((snapshot.leaked_bytes(), snapshot.live_bytes()), (lost * 10, 0), "at {level}");
        assert_eq!(snapshot.sites().len(), 1, "one line is one row, whatever the thread");
    }
}

#[test]
fn nothing_is_counted_at_disabled() {
    let detector = detector(Level::Disabled);
    let handles: Vec<_> = (0..100).map(|n| detector.track(n)).collect();
    let watched = detector.watch("watched");
    detector.set_level(Level::Paranoid);
    // Lost, released and given up after the change: they were created before it.
    for (n, handle) in handles.into_iter().enumerate() {
        match n % 3 {
            0 => drop(handle),
            1 => {
                Tracked::release(handle);
            }
            _ => {
                Tracked::into_untracked(handle, "a test of what was never counted");
            }
        }
    }
    drop(watched);
    assert_figures!(detector, {});
    assert!(detector.snapshot().sites().is_empty());
}

#[test]
fn what_was_decided_at_creation_stays_whatever_the_level_becomes() {
    for at_creation in ALL {
        for at_end in ALL {
            let detector = detector(at_creation);
            let resource = detector.resource("Held").bytes(8);
            let tracked: Vec<_> = (0..9).map(|n| resource.track(n)).collect();
            let watched = resource.watch(9);
            detector.set_level(at_end);
            assert_eq!(detector.level(), at_end);
            for (n, mut handle) in tracked.into_iter().enumerate() {
                Tracked::touch_with(&handle, "after the change");
                Tracked::set_bytes(&mut handle, 16);
                match n % 3 {
                    0 => drop(handle),
                    1 => {
                        Tracked::release(handle);
                    }
                    _ => {
                        Tracked::into_untracked(handle, "a test of levels");
                    }
                }
            }
            drop(watched);
            let note = format!("created at {at_creation}, ended at {at_end}");
            if at_creation == Level::Disabled {
                assert_figures!(detector, {}, "{note}");
            } else {
                assert_figures!(detector, { created: 10, leaked: 3, released: 4, untracked: 3 }, "{note}");
                let snapshot = detector.snapshot();
                assert_eq!((snapshot.leaked_bytes(), snapshot.live_bytes()), (48, 0), "{note}");
            }
        }
    }
}

#[test]
fn a_level_that_changes_all_the_time_unbalances_nothing() {
    const EACH: u64 = 2_000;
    // The second detector never sees DISABLED, so all of its handles are counted.
    let (detector, always) = (detector(Level::Simple), detector(Level::Simple));
    let workers_left = AtomicU64::new(4);
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for n in 0..EACH {
                    let handles = (detector.track(n), always.track(n));
                    if n % 2 == 0 {
                        drop(handles);
                    } else {
                        let _ = (Tracked::release(handles.0), Tracked::release(handles.1));
                    }
                }
                workers_left.fetch_sub(1, Ordering::Relaxed);
            });
        }
        scope.spawn(|| {
            for level in ALL.into_iter().cycle() {
                detector.set_level(level);
                always.set_level(level.max(Level::Simple));
                if workers_left.load(Ordering::Relaxed) == 0 {
                    break;
                }
            }
        });
    });
    assert_figures!(always, { created: 4 * EACH, released: 2 * EACH, leaked: 2 * EACH });
    let Figures { created, released, leaked, untracked, live } = Figures::of(&detector.snapshot());
    assert!(created <= 4 * EACH, "{created}");
    assert_eq!((released + leaked, untracked, live), (created, 0, 0));
}

#[test]
fn at_simple_a_sample_is_its_creation_and_the_next_loss_names_the_drop() {
    let detector = detector(Level::Simple);
    let observed = Observed::of(&detector);
    let make = || (detector.track(1), line!());

    let (first, created_line) = make();
    Tracked::touch(&first);
    drop(first);
    let report = observed.only();
    assert_eq!((report.trail(), report.level()), (TrailDepth::CreationOnly, Level::Simple));
    assert_eq!(accesses(&report), [Access::Created]);
    assert_eq!(innermost(record(&report, Access::Created)), ("tests/levels.rs", created_line));
    assert_eq!(report.dropped_at(), None);
    assert!(report.first_line().contains(", dropped unknown, 1 of 1 lost"), "{report}");
    let promise = " Only its creation was recorded; the next 64 from this site will have a full trail.";
    assert!(report.first_line().ends_with(promise), "{report}");

    let second = make().0;
    Tracked::touch(&second);
    let dropped_line = line!() + 1;
    drop(second);
    let reports = observed.reports();
    assert_eq!(reports.len(), 2, "{reports:#?}");
    assert_eq!(reports[1].trail(), TrailDepth::Full);
    assert_eq!(accesses(&reports[1]), [Access::Dropped, Access::Touched, Access::Created]);
    let place = reports[1].dropped_at().unwrap_or_default();
    assert!(place.starts_with(&format!("tests/levels.rs:{dropped_line}:")), "{place}");
    assert!(reports[1].first_line().contains(&format!("dropped tests/levels.rs:{dropped_line}:")), "{}", reports[1]);
}

#[test]
fn what_is_not_sampled_has_no_trail_at_simple_and_advanced() {
    for level in [Level::Simple, Level::Advanced] {
        let detector = LeakDetector::new(config(level).sampling_interval(NEVER_AGAIN));
        let observed = Observed::of(&detector);
        let make = |n: u32| detector.track(n);
        Tracked::release(make(1)); // this thread's first at this site: sampled
        let probe = Cell::new(0);
        let lost = make(2);
        Tracked::touch_with(&lost, Probe(&probe));
        drop(lost);
        let report = observed.only();
        assert_eq!((report.trail(), probe.get()), (TrailDepth::None, 0), "at {level}");
        assert!(report.records().is_empty());
        assert!(report.first_line().contains(", dropped unknown, 1 of 2 lost"), "{report}");
        let promise = " No trail for this one; the next 64 from this site will have one.";
        assert!(report.first_line().ends_with(promise), "{report}");
    }
}

#[test]
fn at_advanced_a_sample_has_everything() {
    let detector = LeakDetector::new(config(Level::Advanced).sampling_interval(NEVER_AGAIN));
    let observed = Observed::of(&detector);
    let first = detector.track(1);
    Tracked::touch_with(&first, "in use");
    let dropped_line = line!() + 1;
    drop(first);
    let report = observed.only();
    assert_eq!((report.trail(), report.level()), (TrailDepth::Full, Level::Advanced));
    assert_eq!(accesses(&report), [Access::Dropped, Access::Touched, Access::Created]);
    assert_eq!(innermost(record(&report, Access::Dropped)), ("tests/levels.rs", dropped_line));
    assert_eq!(record(&report, Access::Touched).hint(), Some("in use"));
}

#[test]
fn at_paranoid_every_handle_has_a_full_trail() {
    let detector = LeakDetector::new(config(Level::Paranoid).sampling_interval(NEVER_AGAIN));
    let probe = Cell::new(0);
    for n in 0..100 {
        let handle = detector.track(n);
        Tracked::touch_with(&handle, Probe(&probe));
        Tracked::release(handle);
        let watched = detector.watch(n);
        Watched::touch_with(&watched, Probe(&probe));
    }
    assert_eq!(probe.get(), 200);
    assert_figures!(detector, { created: 200, released: 200 });
}

#[test]
fn a_site_that_loses_gets_full_trails_for_its_next_64_handles() {
    for level in [Level::Simple, Level::Advanced] {
        let detector = LeakDetector::new(config(level).sampling_interval(NEVER_AGAIN));
        let make = |n: u32| detector.track(n);
        Tracked::release(make(0)); // sampled, as the thread's first
        let traced = |handles: u32| {
            let probe = Cell::new(0);
            for n in 0..handles {
                let handle = make(n);
                Tracked::touch_with(&handle, Probe(&probe));
                Tracked::release(handle);
            }
            probe.get()
        };
        assert_eq!(traced(100), 0, "nothing was lost yet");
        drop(make(1));
        assert_eq!(traced(200), 64, "at {level}");
    }
}

#[test]
fn four_sites_are_promoted_at_a_time() {
    let detector = LeakDetector::new(config(Level::Simple).sampling_interval(NEVER_AGAIN));
    let observed = Observed::of(&detector);
    let names = ["First", "Second", "Third", "Fourth", "Fifth"];
    let open = |name| detector.resource(name).track(0);
    for name in names {
        drop(open(name));
    }
    let promised: Vec<bool> =
        observed.reports().iter().map(|report| report.first_line().contains("the next 64 from this site")).collect();
    assert_eq!(promised, [true, true, true, true, false]);
    let traced = names.map(|name| {
        let probe = Cell::new(0);
        for _ in 0..100 {
            let handle = open(name);
            Tracked::touch_with(&handle, Probe(&probe));
            Tracked::release(handle);
        }
        probe.get()
    });
    assert_eq!(traced, [64, 64, 64, 64, 0]);
}
