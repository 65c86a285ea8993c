//! A reclaim hook that panicked: who tells it, once.
//!
//! A budget writes nothing itself, and knows nobody who does. Whoever joins it with a detector leaves a function here;
//! what happened before that is told then.

use std::sync::atomic::{AtomicBool, Ordering, fence};

use once_cell::race::OnceBox;

/// True once a hook has panicked in this process.
static BROKEN: AtomicBool = AtomicBool::new(false);
/// True once it was told.
static TOLD: AtomicBool = AtomicBool::new(false);
static TELLER: OnceBox<fn()> = OnceBox::new();

/// Has `teller` called once, for the first hook that panics, or at once if one has.
pub(crate) fn set_teller(teller: fn()) {
    TELLER.get_or_init(|| Box::new(teller));
    // Pairs with the one in `tell`: of the two, one sees what the other has done.
    fence(Ordering::SeqCst);
    if BROKEN.load(Ordering::Relaxed) {
        tell_once();
    }
}

/// A hook has panicked.
pub(super) fn tell() {
    BROKEN.store(true, Ordering::Relaxed);
    fence(Ordering::SeqCst);
    tell_once();
}

fn tell_once() {
    if let Some(teller) = TELLER.get()
        && !TOLD.swap(true, Ordering::Relaxed)
    {
        teller();
    }
}
