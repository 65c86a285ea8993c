//! What is bounded in each detector, driven over its bound: the counts stay exact, and what was not kept is counted, shown in
//! the snapshot and in the exit summary. What is bounded in the process has a process of its own: `caps_trails.rs`,
//! `caps_stacks.rs`, `caps_memory.rs`.

mod observed;

use std::sync::Mutex;
use std::sync::mpsc::{Receiver, Sender, channel};

use leaktrail::{LeakDetector, LeakReport, Level, Sink, Tracked};
use observed::{NEVER_AGAIN, Observed, assert_figures, config, detector, exit_summary};

const SITES: u64 = 8_192;
const CAUSES: u64 = 1_024;
const QUEUED: u64 = 1_024;

/// So many names that are each another `&'static str`.
fn names(count: u64) -> Vec<&'static str> {
    (0..count).map(|n| &*String::leak(format!("Resource{n}"))).collect()
}

#[test]
fn past_8192_sites_the_rest_share_a_row() {
    let detector = LeakDetector::new(config(Level::Simple).sampling_interval(NEVER_AGAIN));
    let names = names(SITES + 100);
    let open = |name| detector.resource(name).bytes(10).track(());
    for name in &names {
        Tracked::release(open(name));
    }
    let snapshot = detector.snapshot();
    assert_eq!(snapshot.sites().len() as u64, SITES + 1);
    let other = |snapshot: &leaktrail::Snapshot| {
        snapshot.sites().iter().find(|stats| stats.site().to_string() == "(other sites)").unwrap().clone()
    };
    assert_eq!(other(&snapshot).created(), 100);
    assert_eq!(snapshot.discarded().sites(), 100);

    // Those that have a row keep it; those that have none are counted together, whatever becomes of them.
    let kept = open(names[0]);
    drop(open(names[SITES as usize + 7]));
    drop(kept);
    let snapshot = detector.snapshot();
    let first = snapshot.sites().iter().find(|stats| stats.resource() == "Resource0").unwrap();
    assert_eq!((first.created(), first.released(), first.leaked()), (2, 1, 1));
    let other = other(&snapshot);
    assert_eq!((other.created(), other.released(), other.leaked(), other.leaked_bytes()), (101, 100, 1, 10));
    assert_figures!(detector, { created: SITES + 102, released: SITES + 100, leaked: 2 });
    let summary = exit_summary(&detector);
    assert_eq!(summary.leaked(), 2);
    assert!(summary.to_string().contains("not kept, over a cap: "), "{summary}");
    assert!(summary.to_string().contains(" sites"), "{summary}");
}

#[test]
fn past_1024_causes_the_losses_are_told_at_exit_alone() {
    let detector = LeakDetector::new(config(Level::Simple).sampling_interval(NEVER_AGAIN));
    let observed = Observed::of(&detector);
    for _ in 0..2 {
        for name in names(CAUSES + 50) {
            drop(detector.resource(name).track(()));
        }
    }
    // Names of the second round are equal in text, so their causes and rows are those of the first.
    let reports = observed.reports();
    let mut causes: Vec<_> = reports.iter().map(LeakReport::fingerprint).collect();
    causes.sort_unstable();
    causes.dedup();
    assert_eq!(causes.len() as u64, CAUSES);
    assert_eq!(detector.snapshot().discarded().fingerprints(), 50);
    assert_figures!(detector, { created: 2 * (CAUSES + 50), leaked: 2 * (CAUSES + 50) });
    let summary = exit_summary(&detector);
    assert_eq!(summary.causes().len() as u64, CAUSES + 50);
    assert!(summary.causes().iter().all(|(_, stats)| stats.leaked() == 2));
    assert!(summary.to_string().contains("50 fingerprints"), "{summary}");
}

/// Says when it is called, and goes on when it is told to.
struct Blocks {
    entered: Mutex<Sender<u64>>,
    go_on: Mutex<Receiver<()>>,
}

impl Sink for Blocks {
    fn report(&self, report: &LeakReport) {
        self.entered.lock().unwrap().send(report.count()).unwrap();
        // An error says that the test is over.
        let _ = self.go_on.lock().unwrap().recv();
    }
}

#[test]
fn past_1024_queued_reports_losses_are_only_counted() {
    const LOST: u64 = 5_000;
    let detector = detector(Level::Paranoid);
    let (entered, is_entered) = channel();
    let (go_on, goes_on) = channel();
    let _sink = detector.add_sink(Blocks { entered: Mutex::new(entered), go_on: Mutex::new(goes_on) });
    let lose = || drop(detector.resource("Queued").bytes(3).track(()));
    lose();
    assert_eq!(is_entered.recv().unwrap(), 1, "the thread that makes reports is inside the sink now");
    for _ in 0..LOST {
        lose();
    }
    let snapshot = detector.snapshot();
    assert_eq!(snapshot.discarded().reports(), LOST - QUEUED);
    assert_eq!((snapshot.leaked(), snapshot.leaked_bytes()), (LOST + 1, (LOST + 1) * 3));

    drop(go_on);
    detector.flush();
    assert_eq!(is_entered.try_iter().last(), Some(LOST + 1), "the count that was told last is whole");
    let summary = exit_summary(&detector);
    assert_eq!((summary.leaked(), summary.reports_dropped()), (LOST + 1, LOST - QUEUED));
    assert!(summary.to_string().contains("reports dropped 3976"), "{summary}");

    // With the queue empty again, trails are kept again.
    drop(detector.resource("After").track(()));
    detector.flush();
    assert_eq!(detector.snapshot().discarded().reports(), LOST - QUEUED);
}
