//! Handles that another thread releases.

use std::hint::black_box;
use std::sync::mpsc;

use leaktrail::{Level, Tracked};
use leaktrail_benches::bodies::detector;
use leaktrail_benches::clock::cpu_ns;
use leaktrail_benches::rows::{median, say};

const HANDLES: u64 = 2_000;
const ROUNDS: usize = 201;

/// CPU time of the release alone, of one of so many handles.
fn release(handles: Vec<Tracked<u64>>) -> f64 {
    let start = cpu_ns();
    for handle in handles {
        black_box(Tracked::release(handle));
    }
    (cpu_ns() - start) as f64 / HANDLES as f64
}

pub(crate) fn measure(level: Level) {
    let detector = detector(level);
    let (to_other, from_here) = mpsc::channel();
    let (to_here, from_other) = mpsc::channel();
    let other = std::thread::spawn(move || {
        for handles in from_here {
            to_here.send(release(handles)).expect("the other end waits");
        }
    });
    let (mut same, mut elsewhere) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let mut handles = [(); 2].map(|()| (0..HANDLES).map(|number| detector.track(number)).collect()).into_iter();
        same.push(release(handles.next().expect("two lots")));
        to_other.send(handles.next().expect("two lots")).expect("the other end waits");
        elsewhere.push(from_other.recv().expect("the other end answers"));
    }
    drop(to_other);
    other.join().expect("the other thread does not panic");
    say(&format!("{level} release, same thread"), median(&mut same));
    say(&format!("{level} release, another thread"), median(&mut elsewhere));
}
