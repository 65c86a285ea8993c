//! A forked child has a tick of its own: it finds what it holds itself, and leaves what it inherited to its parent.

use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use leaktrail::{AgeLimit, Config, LeakDetector, Level, Verdict};
use log::LevelFilter;

use crate::fork::Child;
use crate::process::{Named, log_to_stdout};

pub(crate) const TESTS: &[Named] = named![a_child_finds_what_it_holds_itself];

pub(crate) const PROGRAMS: &[Named] = named![holds_and_forks];

fn a_child_finds_what_it_holds_itself() {
    let ended = program!(holds_and_forks).run().with_status(0);
    ended.log_has(1, "child: [WARN  leaktrail] HELD: Own for ");
    ended.log_has(0, "child: [WARN  leaktrail] HELD: Inherited");
    let parents =
        ended.stdout.lines().filter(|line| line.starts_with("[WARN  leaktrail] HELD: Inherited for ")).count();
    assert_eq!(parents, 1, "{ended}");
    ended.log_has(0, "came back");
}

static HELD: AtomicU64 = AtomicU64::new(0);

/// Until the reporter has told, through the log first, that so many are held too long.
fn wait_for(reports: u64) {
    while HELD.load(Ordering::Acquire) < reports {
        thread::sleep(Duration::from_millis(1));
    }
}

fn holds_and_forks() {
    log_to_stdout(LevelFilter::Info);
    let config = Config::new().level(Level::Paranoid).held_too_long(AgeLimit::after(Duration::from_millis(50)));
    leaktrail::install(config).expect("nobody was first");
    let detector = LeakDetector::global();
    let count = |report: &leaktrail::LeakReport| {
        HELD.fetch_add(u64::from(report.verdict() == Verdict::HeldTooLong), Ordering::Release);
    };
    detector.subscribe(count).detach_never();
    let inherited = detector.resource("Inherited").watch(1);
    wait_for(1);
    let child = Child::fork(|| {
        HELD.store(0, Ordering::Relaxed);
        let own = detector.resource("Own").watch(2);
        wait_for(1);
        // Kept to the end, as the inherited one is: nothing comes back.
        std::mem::forget(own);
    });
    for line in child.end().lines() {
        println!("child: {line}");
    }
    std::mem::forget(inherited);
}
