//! A reclaim hook that panicked: who tells it, once.
//!
//! A budget writes nothing itself, and knows nobody who does. Whoever joins it with a detector leaves a function here;
//! what happened before that is told then.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use once_cell::race::OnceBox;

/// How many hooks have panicked in this process.
static BROKEN: AtomicU64 = AtomicU64::new(0);
/// True once it was told.
static TOLD: AtomicBool = AtomicBool::new(false);
static TELLER: OnceBox<fn()> = OnceBox::new();

/// Has `teller` called once, for the first hook that panics, or at once if one has.
pub(crate) fn set_teller(teller: fn()) {
    let _ = TELLER.set(Box::new(teller));
    if BROKEN.load(Ordering::Relaxed) > 0 {
        tell_once();
    }
}

/// A hook has panicked.
pub(super) fn tell() {
    BROKEN.fetch_add(1, Ordering::Relaxed);
    tell_once();
}

fn tell_once() {
    if let Some(teller) = TELLER.get()
        && !TOLD.swap(true, Ordering::Relaxed)
    {
        teller();
    }
}
