//! How a handle is lost: counted, and left in the queue with what is known of it.

use super::expected::expect_no_more;
use super::ticket::{Decoded, Ticket};
use crate::clock::Stamp;
use crate::detector::state::losses::{Facts, Loss, LostTrail};
use crate::detector::state::{fault, registry, waker};
use crate::ledger::{RowId, row};
use crate::level::Level;
use crate::report::Fate;
use crate::stack::Captured;
use crate::trail::{self, Family, Place, Record, Trail};

impl Ticket {
    /// The handle is lost: counted, and told with what is known of it.
    ///
    /// # Cost
    /// The drop's stack if the trail records it, two lookups, a short lock. No symbols, no text, no I/O.
    #[cold]
    pub(crate) fn lose(self, fate: Fate, siblings: Family) {
        match self.decode() {
            Decoded::Nothing => {}
            Decoded::Counted { row, bytes } => lose(row, bytes, None, fate, siblings),
            // Without a trail under that number somebody else has ended the handle.
            Decoded::Trailed(id) => {
                expect_no_more(id);
                if let Some(trail) = trail::registry::remove(id) {
                    lose(trail.row(), trail.bytes(), Some(trail), fate, siblings);
                }
            }
        }
    }
}

fn lose(id: RowId, bytes: u64, trail: Option<Trail>, fate: Fate, siblings: Family) {
    // Asked for before the loss is counted: from then on the detector may be let go of.
    let core = registry::core_of(id);
    row(id).leak(bytes);
    // Without a core: inherited from the parent of a fork, which tells it itself if it loses it.
    let Some(core) = core else { return };
    let mut stack = Captured::empty();
    let is_recorded = trail.as_ref().is_some_and(Trail::is_full);
    if is_recorded {
        stack.take(core.config().configured_max_frames().get());
    }
    fault::contain(&core, || {
        let at = Stamp::now();
        let level = core.level();
        let dropped = is_recorded.then(|| Record::now(Place::of(&stack, None), None));
        let promoted = if level == Level::Disabled { 0 } else { core.state().promotions.promote(id, at) };
        let facts = Facts {
            fate,
            level: trail.as_ref().map_or(level, Trail::level),
            unwinding: std::thread::panicking(),
            promoted,
            at,
        };
        let trail = trail.map(|trail| LostTrail { trail, dropped, siblings });
        let wakes = core.state().losses.push(Loss { row: id, facts, trail });
        // The detector was let go of if it had no owner and somebody looked between the count and the queue. Queued first:
        // whoever looks from now on, under the lock that this takes, sees that something waits.
        registry::enter(&core);
        if wakes {
            waker::wake();
        }
    });
}
