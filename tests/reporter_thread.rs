//! The thread that makes reports: none while nothing is counted, one for all detectors. A process of its own.
#![cfg(target_os = "linux")]

use std::fs;
use std::time::{Duration, Instant};

use leaktrail::{Config, LeakDetector, Level, ReportTo, Tracked};

/// How many threads of this process bear the reporter's name.
fn reporters() -> usize {
    let threads = fs::read_dir("/proc/self/task").expect("a process can see its threads");
    let names = threads.filter_map(|thread| fs::read_to_string(thread.ok()?.path().join("comm")).ok());
    names.filter(|name| name.trim_end() == "leaktrail").count()
}

/// A new thread gets its name a moment after it was started.
fn wait_for_one() {
    let deadline = Instant::now() + Duration::from_secs(10);
    while reporters() != 1 {
        assert!(Instant::now() < deadline, "{} reporters", reporters());
        std::thread::yield_now();
    }
}

fn detector(level: Level) -> LeakDetector {
    LeakDetector::new(Config::new().level(level).report(ReportTo::Off))
}

#[test]
fn it_starts_with_the_first_handle_that_is_counted_and_there_is_one() {
    let disabled = detector(Level::Disabled);
    drop(disabled.track(1));
    drop(disabled.watch(2));
    Tracked::release(disabled.resource("Three").bytes(3).track(3));
    disabled.flush();
    assert_eq!((disabled.snapshot().created(), reporters()), (0, 0));

    // A detector that nobody uses needs no thread either, nor does one that is asked.
    let first = detector(Level::Simple.min(Level::CEILING));
    assert_eq!((first.snapshot().created(), first.holders("i32").len(), reporters()), (0, 0, 0));
    if Level::CEILING == Level::Disabled {
        return;
    }
    Tracked::release(first.track(1));
    wait_for_one();
    for _ in 0..3 {
        let another = detector(Level::Paranoid);
        drop(another.track(1));
        another.flush();
    }
    assert_eq!(reporters(), 1);
}
