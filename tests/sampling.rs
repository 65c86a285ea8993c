//! Which handles get a trail below PARANOID: each thread's first at each site, then one in the interval.
//!
//! Seen from outside: a hint is made only for a handle whose trail records accesses.

mod observed;

use std::cell::Cell;
use std::num::NonZeroU32;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use leaktrail::{LeakDetector, Level, Tracked, TrailDepth};
use observed::{NEVER_AGAIN, Observed, Probe, assert_figures, config};

/// Opens and releases handles at one site. Answers, for each, whether it was sampled.
fn sampled(detector: &LeakDetector, creations: u32) -> impl Iterator<Item = bool> {
    (0..creations).map(|n| {
        let made = Cell::new(0);
        let handle = detector.track(n);
        Tracked::touch_with(&handle, Probe(&made));
        Tracked::release(handle);
        made.get() == 1
    })
}

/// Netty, on the same number of creations and at the same interval, sampled 10,125.
#[test]
fn one_in_the_interval_is_sampled_and_all_are_counted() {
    const CREATIONS: u32 = 1_280_000;
    let detector = LeakDetector::new(config(Level::Advanced));
    let (mut samples, mut at_even, mut neighbours, mut before) = (0_u32, 0_u32, 0_u32, false);
    for (n, is_sampled) in sampled(&detector, CREATIONS).enumerate() {
        samples += u32::from(is_sampled);
        at_even += u32::from(is_sampled && n % 2 == 0);
        neighbours += u32::from(is_sampled && before);
        before = is_sampled;
    }
    // Four standard deviations of a binomial count, and the first, which is certain.
    assert!(samples.abs_diff(10_001) <= 400, "{samples} sampled");
    assert_figures!(detector, { created: u64::from(CREATIONS), released: u64::from(CREATIONS) });
    // No pattern of creations falls into step with a counter: every second one has its half of the samples, and two
    // in a row are sampled as often as chance has it (78 of 10,001).
    assert!(at_even.abs_diff(samples / 2) <= 400, "{at_even} of {samples} at even places");
    assert!((20..200).contains(&neighbours), "{neighbours} of {samples} are neighbours");
}

#[test]
fn an_interval_of_one_samples_all() {
    let detector = LeakDetector::new(config(Level::Advanced).sampling_interval(NonZeroU32::MIN));
    assert!(sampled(&detector, 5_000).all(|is_sampled| is_sampled));
}

#[test]
fn the_first_of_each_thread_at_each_site_is_sampled() {
    const THREADS: u64 = 40;
    let detector = LeakDetector::new(config(Level::Advanced).sampling_interval(NEVER_AGAIN));
    let total = AtomicU64::new(0);
    thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                for name in ["One", "Two", "Three"] {
                    let samples: Vec<bool> = (0..10)
                        .map(|n| {
                            let made = Cell::new(0);
                            let handle = detector.resource(name).track(n);
                            Tracked::touch_with(&handle, Probe(&made));
                            Tracked::release(handle);
                            made.get() == 1
                        })
                        .collect();
                    assert!(samples[0], "the first is");
                    total.fetch_add(samples.iter().filter(|&&is_sampled| is_sampled).count() as u64, Ordering::Relaxed);
                }
            });
        }
    });
    assert_eq!(total.into_inner(), THREADS * 3);
    assert_figures!(detector, { created: THREADS * 30, released: THREADS * 30 });
}

#[test]
fn two_detectors_do_not_share_their_samples() {
    let detectors = [(); 3].map(|()| LeakDetector::new(config(Level::Advanced).sampling_interval(NEVER_AGAIN)));
    for detector in &detectors {
        assert_eq!(sampled(detector, 10).collect::<Vec<_>>(), [[true].as_slice(), &[false; 9]].concat());
    }
}

/// A sample at SIMPLE records no accesses, so it is seen by what the report of a loss has.
#[test]
fn simple_samples_by_the_same_rule() {
    for (interval, expected) in [(NonZeroU32::MIN, TrailDepth::CreationOnly), (NEVER_AGAIN, TrailDepth::None)] {
        let detector = LeakDetector::new(config(Level::Simple).sampling_interval(interval));
        let observed = Observed::of(&detector);
        let make = |n: u32| detector.track(n);
        for n in 0..20 {
            Tracked::release(make(n));
        }
        drop(make(20));
        assert_eq!(observed.only().trail(), expected, "at interval {interval}");
    }
}
