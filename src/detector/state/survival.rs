//! Code of the user's that may panic, and is not to take this crate's threads with it.

use std::panic::{AssertUnwindSafe, catch_unwind};

/// Runs code of the user's; false if it panicked.
pub(in crate::detector) fn survives(work: impl FnOnce()) -> bool {
    match catch_unwind(AssertUnwindSafe(work)) {
        Ok(()) => true,
        Err(payload) => {
            // A payload's own Drop may panic; it is not ours to run.
            std::mem::forget(payload);
            false
        }
    }
}
