//! The tick: what is looked at from time to time, since no event says that it has changed.
//!
//! ```text
//! the reporter, each time that it is awake   ─┐             ┌─► windows of the ledger
//!                                             ├─► tick ─────┼─► the control file, the end of a level for a time
//! flush, where no reporter runs (Miri, wasm) ─┘  (at most   └─► … one line here for each thing that is watched
//!                                                once in an
//!                                                interval)
//! ```
//!
//! A tick finds and notes; it tells nothing. The pass that follows it does, so what is found reaches the log and the sinks
//! with no lock held, as everything else.

use std::time::Duration;

use crate::clock::Stamp;
use crate::detector::state::{Core, fault};

/// How often a detector is looked at, if nothing that it watches asks for more.
pub(super) const TICK: Duration = Duration::from_secs(1);

/// However soon something is due, others get a turn before it.
const SHORTEST_TICK: Duration = Duration::from_millis(1);

impl Core {
    /// How often this detector is looked at.
    pub(super) fn tick_interval(&self) -> Duration {
        // A level for a time ends when it is said to, and not up to a second later.
        let term = self.term_ends_at().map(|end| end.since(Stamp::now()).max(SHORTEST_TICK));
        term.map_or(TICK, |left| left.min(TICK))
    }

    /// Looks at what changes without an event, if it is time. `now` is the caller's, so that tests have a time of their own.
    ///
    /// # Cost
    /// A short lock when it is not time yet.
    pub(in crate::detector) fn tick(&self, now: Stamp) {
        if self.state().pulse.beats(now, self.tick_interval()) {
            fault::contain(self, || self.look_around(now));
            #[cfg(feature = "metrics")]
            self.publish();
        }
    }

    fn look_around(&self, now: Stamp) {
        self.ledger().look(now);
        self.look_at_switch(now);
    }
}
