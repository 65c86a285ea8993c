//! The seam between std and loom: what a loom model checks takes its atomics, locks and `Arc` from here.
//!
//! Under `--cfg leaktrail_loom` these are loom's, which explore every interleaving and every value that the memory
//! model lets a load return; otherwise they are std's, unchanged. What no model checks stays on std directly: loom's
//! types cannot stand in a `static`, and they panic outside `loom::model`. The cfg is not called `loom`, because tokio
//! and others change shape under that name.
//!
//! Models are tests named `loom_…`, so that they can be run alone:
//! `RUSTFLAGS="--cfg leaktrail_loom" cargo test --release --lib loom_`.

#![allow(unused_imports, reason = "the seam has one shape in every build; not every build uses all of it")]

#[cfg(leaktrail_loom)]
pub(crate) use loom::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, AtomicUsize, Ordering, fence};
#[cfg(leaktrail_loom)]
pub(crate) use loom::sync::{Arc, Condvar, Mutex, MutexGuard};
#[cfg(not(leaktrail_loom))]
pub(crate) use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, AtomicUsize, Ordering, fence};
#[cfg(not(leaktrail_loom))]
pub(crate) use std::sync::{Arc, Condvar, Mutex, MutexGuard};

/// A cell that is reached through a closure, as loom's is: there each access is checked against all others.
#[cfg(not(leaktrail_loom))]
#[derive(Debug, Default)]
pub(crate) struct UnsafeCell<T>(std::cell::UnsafeCell<T>);

#[cfg(not(leaktrail_loom))]
impl<T> UnsafeCell<T> {
    pub(crate) const fn new(value: T) -> UnsafeCell<T> {
        UnsafeCell(std::cell::UnsafeCell::new(value))
    }

    /// Calls `visit` with a pointer to the value. Dereferencing it is what has to be justified.
    pub(crate) fn with_mut<R>(&self, visit: impl FnOnce(*mut T) -> R) -> R {
        visit(self.0.get())
    }
}

#[cfg(leaktrail_loom)]
pub(crate) use loom::cell::UnsafeCell;

/// What a thread does while it waits for a few instructions of another.
pub(crate) mod hint {
    #[cfg(leaktrail_loom)]
    pub(crate) use loom::hint::spin_loop;
    #[cfg(leaktrail_loom)]
    pub(crate) use loom::thread::yield_now;
    #[cfg(not(leaktrail_loom))]
    pub(crate) use std::hint::spin_loop;
    #[cfg(not(leaktrail_loom))]
    pub(crate) use std::thread::yield_now;
}
