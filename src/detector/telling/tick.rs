//! The tick: what is looked at from time to time, since no event says that it has changed.
//!
//! ```text
//! the reporter, each time that it is awake   ─┐             ┌─► the ledger: windows, sites that grow
//!                                             ├─► tick ─────┼─► live trails: what is held too long, what keeps
//! flush, where no reporter runs (Miri, wasm) ─┘  (at most   │    more alive than it is
//!                                                once in an └─► the control file, the end of a level for a time
//!                                                interval)
//! ```
//!
//! A tick finds and notes; it tells nothing. The pass that follows it does, so what is found reaches the log and the sinks
//! with no lock held, as everything else.

use std::time::Duration;

use super::scan::Scan;
use crate::clock::Stamp;
use crate::config::{AgeLimit, GrowthRule};
use crate::detector::state::watchlist::{Figures, Finding};
use crate::detector::state::{Core, fault};
use crate::ledger::{Course, Growing, RowId};
use crate::level::Level;
use crate::report::{Origin, Verdict};

/// How often a detector is looked at, if nothing that it watches asks for more.
pub(super) const TICK: Duration = Duration::from_secs(1);
/// However soon something is due, others get a turn before it.
const SHORTEST_TICK: Duration = Duration::from_millis(1);
/// How often small parts of large buffers are looked for at most: their limit is a minute, and each look is at all trails.
const PIN_PAUSE: Duration = Duration::from_secs(10);

impl Core {
    /// How often this detector is looked at: each second, or in the time of a window, of half a threshold or until a level
    /// for a time is over, if that is shorter.
    pub(super) fn tick_interval(&self) -> Duration {
        let config = self.config();
        let window = config.configured_growth().map(GrowthRule::window);
        let held = config.shortest_held_too_long().map(|limit| limit / 2);
        let pinned = config.configured_pinned().get().map(|limit| limit / 2);
        let shortest = [window, held, pinned].into_iter().flatten().fold(TICK, Duration::min);
        let shortest = shortest.max(GrowthRule::SHORTEST_WINDOW);
        // A level for a time ends when it is said to, and not up to a second later.
        let term = self.term_ends_at().map(|end| end.since(Stamp::now()).max(SHORTEST_TICK));
        term.map_or(shortest, |left| left.min(shortest))
    }

    /// Looks at what changes without an event, if it is time. `now` is the caller's, so that tests have a time of their own.
    ///
    /// # Cost
    /// A short lock when it is not time yet. Else a look at each row and at each thread's cells; at each live trail where
    /// held handles are told, or while a site grows.
    pub(in crate::detector) fn tick(&self, now: Stamp) {
        if self.state().pulse.beats(now, self.tick_interval()) {
            fault::contain(self, || self.look_around(now));
            #[cfg(feature = "metrics")]
            self.publish();
        }
    }

    fn look_around(&self, now: Stamp) {
        // First, and at DISABLED too: what is looked at after it is by the level that is in force then.
        self.look_at_switch(now);
        // Nothing at DISABLED, though handles of before may be alive.
        if self.level() > Level::Disabled {
            self.look_at_handles(now);
            if self.state().group_pulse.beats(now, TICK) {
                self.look_at_group();
            }
        }
    }

    fn look_at_handles(&self, now: Stamp) {
        let config = self.config();
        let tells_held = config.shortest_held_too_long().is_some();
        let pin_limit = config.configured_pinned().get();
        let pin_limit = pin_limit.filter(|limit| self.state().pin_pulse.beats(now, PIN_PAUSE.min(*limit / 2)));
        let (mut scan, mut growing) = (Scan::default(), Vec::new());
        self.ledger().look(now, config.configured_growth(), |id, meta, counts, course| {
            let limit = if tells_held { config.configured_held_too_long_of(&meta.resource) } else { AgeLimit::NEVER };
            if let Course::Growing(course) = course {
                growing.push((id, course));
            }
            let may_be_asked = limit != AgeLimit::NEVER || pin_limit.is_some() && meta.origin != Origin::Created;
            if may_be_asked && counts.live() > 0 || matches!(course, Course::Growing(_)) {
                scan.add(id, counts, limit);
            }
        });
        // Between the ends of windows nothing is new of what grows; a site that has stopped is.
        let watchlist = &self.state().watchlist;
        let (known, _) = watchlist.going_on(Verdict::Growing);
        let growth_is_news = known != growing.len() as u64 || growing.iter().any(|(_, growing)| growing.is_news);
        if growth_is_news || tells_held || pin_limit.is_some() {
            scan.run(now);
        }
        if growth_is_news {
            watchlist.note(Verdict::Growing, &self.growth_findings(&growing, &scan, now), now);
        }
        if tells_held {
            watchlist.look_at_named(now);
            watchlist.note(Verdict::HeldTooLong, &scan.held(), now);
        }
        if let Some(limit) = pin_limit {
            watchlist.note(Verdict::Pinned, &scan.pinned(limit, now), now);
        }
    }

    fn growth_findings(&self, growing: &[(RowId, Growing)], scan: &Scan, now: Stamp) -> Vec<Finding> {
        let finding = |&(row, growing): &(RowId, Growing)| {
            let tally = scan.of(row)?;
            // Until a handle with a full trail is among those that are kept: more would all stay, and use up the room.
            let has_full_trail = tally.oldest.is_some_and(|shown| shown.is_full);
            let promoted = if has_full_trail { 0 } else { self.state().promotions.promote(row, now) };
            let figures = Figures::Growth { growing, promoted };
            Some(Finding { row, count: tally.live, bytes: tally.live_bytes, shown: tally.oldest, figures })
        };
        growing.iter().filter_map(finding).collect()
    }
}
