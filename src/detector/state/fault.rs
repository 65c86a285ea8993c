//! What happens when this crate itself fails: it switches off, it does not panic into its host.

use std::panic::{AssertUnwindSafe, catch_unwind};

use std::sync::atomic::Ordering;

use super::bulletin::Notice;
use super::core::Core;
use crate::level::Level;

/// Runs `work`; if it panics, switches the detector off, counts it, for a warning to be told once, and gives `None`.
// Inlined, so that stacks have a frame of ours less.
#[inline(always)]
pub(in crate::detector) fn contain<R>(core: &Core, work: impl FnOnce() -> R) -> Option<R> {
    match catch_unwind(AssertUnwindSafe(work)) {
        Ok(result) => Some(result),
        Err(payload) => {
            // A payload's own Drop may panic; it is not ours to run.
            std::mem::forget(payload);
            switch_off(core);
            None
        }
    }
}

#[cold]
fn switch_off(core: &Core) {
    core.set_level(Level::Disabled);
    // Relaxed: a figure.
    core.state().faults.fetch_add(1, Ordering::Relaxed);
    core.state().bulletin.post(Notice::InternalFault);
}

#[cfg(test)]
mod tests {
    use std::panic::{Location, panic_any};

    use super::*;
    use crate::config::Config;
    use crate::ledger::{SiteKey, meet, release};
    use crate::report::{Origin, Severity};

    /// What a panic leaves behind, which panics once more if it is dropped.
    struct Payload;

    impl Drop for Payload {
        fn drop(&mut self) {
            panic!("a payload is not ours to drop");
        }
    }

    #[test]
    fn a_fault_switches_the_detector_off_with_one_warning_and_the_counts_stay() {
        let core = Core::new(Config::new());
        let key = SiteKey { resource: "A", is_type: false, location: Location::caller(), origin: Origin::Created };
        let cell = meet(core.ledger(), key, || {}).expect("a row is free");
        cell.create(8);
        cell.create(8);
        assert_eq!(contain(&core, || 7), Some(7));
        assert_eq!(core.level(), Level::Simple.min(Level::CEILING));

        for _ in 0..3 {
            assert_eq!(contain(&core, || panic_any(Payload)), None::<()>);
        }
        assert_eq!((core.level(), core.faults()), (Level::Disabled, 3));
        let told = core.state().bulletin.take();
        assert_eq!(told, [Notice::InternalFault]);
        assert_eq!(told[0].severity(), Severity::Warn);
        assert!(core.state().bulletin.take().is_empty(), "told once");

        release(cell.row(), 8);
        let stats = core.ledger().stats();
        assert_eq!((stats[0].created(), stats[0].released(), stats[0].live_bytes()), (2, 1, 8));
    }
}
