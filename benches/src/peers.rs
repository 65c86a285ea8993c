//! The same done by others.

use std::collections::HashMap;
use std::hint::black_box;
use std::panic::Location;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use crate::bodies::{Body, repeated};

/// Addresses of the stack by `backtrace`, into an array: what a walk costs without anything around it.
pub fn trace() -> Body {
    repeated(|_| {
        let mut addresses = [0_usize; 128];
        let mut found = 0;
        // SAFETY: the bodies of one process that walk do so by this function alone.
        unsafe {
            backtrace::trace_unsynchronized(|frame| {
                if found < addresses.len() {
                    addresses[found] = frame.ip() as usize;
                    found += 1;
                }
                true
            });
        }
        black_box(addresses)[0]
    })
}

/// `backtrace::Backtrace`, without names.
pub fn backtrace() -> Body {
    repeated(|_| black_box(backtrace::Backtrace::new_unresolved()).frames().len())
}

/// `std::backtrace::Backtrace`, which looks names up only when it is shown.
pub fn std_backtrace() -> Body {
    repeated(|_| black_box(std::backtrace::Backtrace::force_capture()))
}

/// The tracker that one writes first: a map of what is alive, under a lock.
#[derive(Clone, Debug, Default)]
pub struct Naive {
    live: Arc<Mutex<HashMap<u64, (&'static Location<'static>, u64)>>>,
    next: Arc<AtomicU64>,
}

/// A handle of [`Naive`].
#[derive(Debug)]
pub struct NaiveHandle {
    tracker: Naive,
    number: u64,
}

impl Naive {
    /// Counts a handle at its caller's line.
    #[track_caller]
    pub fn open(&self, bytes: u64) -> NaiveHandle {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        self.live.lock().expect("no panic under the lock").insert(number, (Location::caller(), bytes));
        NaiveHandle { tracker: self.clone(), number }
    }
}

impl Drop for NaiveHandle {
    fn drop(&mut self) {
        if let Ok(mut live) = self.tracker.live.lock() {
            live.remove(&self.number);
        }
    }
}

/// A handle of the naive tracker is created and dropped.
pub fn naive(tracker: Naive) -> Body {
    repeated(move |number| drop(black_box(tracker.open(number))))
}
