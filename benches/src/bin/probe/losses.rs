//! What the thread pays that loses a handle, and what is said of many losses.

use std::collections::HashSet;
use std::hint::black_box;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Instant;

use leaktrail::{LeakDetector, Level, Tracked};
use leaktrail_benches::bodies::detector;
use leaktrail_benches::clock::cpu_ns;
use leaktrail_benches::deep;
use leaktrail_benches::rows::{at_share, median, say};

/// What the drop of a lost handle took.
struct Loss {
    /// By the clock on the wall, which costs some 20 ns of it: what a request waits for, with whatever else the machine does.
    wall: f64,
    /// Of the thread's own CPU time: what the loss is to blame for. Less what reading that clock costs.
    cpu: f64,
}

fn lose(detector: &LeakDetector) -> Loss {
    let handle = detector.track(1_u64);
    let cpu = cpu_ns();
    let start = Instant::now();
    drop(handle);
    let wall = start.elapsed().as_nanos() as f64;
    Loss { wall, cpu: (cpu_ns() - cpu) as f64 }
}

/// CPU time between two readings with nothing but the other clock between them.
fn reading() -> f64 {
    let mut taken: Vec<f64> = (0..1_001)
        .map(|_| {
            let cpu = cpu_ns();
            black_box(Instant::now().elapsed());
            (cpu_ns() - cpu) as f64
        })
        .collect();
    median(&mut taken)
}

fn say_distribution(name: &str, losses: &[Loss]) {
    let reading = reading();
    let mut wall: Vec<f64> = losses.iter().map(|loss| loss.wall).collect();
    let mut cpu: Vec<f64> = losses.iter().map(|loss| (loss.cpu - reading).max(0.0)).collect();
    for (share, word) in [(0.5, "median"), (0.99, "p99"), (0.999, "p99.9")] {
        say(&format!("{name} {word}, wall"), at_share(&mut wall, share));
        say(&format!("{name} {word}"), at_share(&mut cpu, share));
    }
}

/// The first loss of the process.
pub(crate) fn first(level: Level) {
    let detector = detector(level);
    let mut taken = f64::NAN;
    let frames = deep::missing(30);
    let mut body = |_: u64| {
        taken = lose(&detector).cpu;
        0
    };
    deep::below(frames, &mut body, 1);
    say(&format!("{level} first loss"), taken - reading());
}

/// 1,000 losses, each after all that the one before has set off.
pub(crate) fn one_at_a_time(level: Level) {
    let detector = detector(level);
    let frames = deep::missing(30);
    let mut taken = Vec::new();
    let mut body = |_: u64| {
        taken.push(lose(&detector));
        0
    };
    for _ in 0..1_001 {
        deep::below(frames, &mut body, 1);
        detector.flush();
    }
    say_distribution(&format!("{level} loss"), &taken[1..]);
}

/// 5,000 losses at one line without a pause, from the first one on.
pub(crate) fn flood(level: Level) {
    let detector = detector(level);
    let (reports, last) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicU64::new(0)));
    let seen = (reports.clone(), last.clone());
    let _subscription = detector.subscribe(move |report| {
        // Relaxed: read after `flush`, which has called this.
        seen.0.fetch_add(1, Ordering::Relaxed);
        seen.1.fetch_max(report.count(), Ordering::Relaxed);
    });
    let frames = deep::missing(30);
    let mut taken = Vec::with_capacity(5_000);
    let mut body = |_: u64| {
        taken.push(lose(&detector));
        0
    };
    for _ in 0..5_000 {
        deep::below(frames, &mut body, 1);
    }
    // Counted at the drop, whatever the reporter has done by now.
    assert_eq!(detector.snapshot().leaked(), 5_000);
    detector.flush();
    say_distribution(&format!("{level} flood"), &taken);
    say(&format!("{level} flood reports"), reports.load(Ordering::Relaxed) as f64);
    say(&format!("{level} flood count"), last.load(Ordering::Relaxed) as f64);
}

/// 1,000 losses at one line, after 20 touches each at lines that differ.
pub(crate) fn paths() {
    let detector = detector(Level::Paranoid);
    let seen = Arc::new(Mutex::new((0_u64, HashSet::new())));
    let kept = seen.clone();
    let _subscription = detector.subscribe(move |report| {
        let mut kept = kept.lock().expect("no panic under the lock");
        kept.0 += 1;
        kept.1.insert(report.fingerprint());
    });
    for number in 0..1_000_u64 {
        let handle = detector.track(number);
        for touch in 0..20 {
            match (number + touch) % 3 {
                0 => Tracked::touch(&handle),
                1 => Tracked::touch_with(&handle, "read"),
                _ => Tracked::touch_with(&handle, format!("part {touch}")),
            }
        }
        drop(handle);
    }
    detector.flush();
    let seen = seen.lock().expect("no panic under the lock");
    say("paths reports", seen.0 as f64);
    say("paths fingerprints", seen.1.len() as f64);
}
