//! How an access is recorded.

use std::panic::Location;
use std::sync::atomic::Ordering;

use super::random;
use super::ticket::{Decoded, Ticket};
use crate::detector::state::{fault, registry};
use crate::report::Hint;
use crate::stack::Captured;
use crate::trail::{self, Left, Place, Record, TrailId};

impl Ticket {
    /// True if an access would be recorded.
    pub(crate) fn records_touches(&self) -> bool {
        match self.decode() {
            Decoded::Trailed(id) => trail::registry::with(id, |trail| trail.is_full()).unwrap_or(false),
            _ => false,
        }
    }

    /// Records an access, if the handle has a trail that records them. The hint is made only then.
    #[inline]
    pub(crate) fn touch(&self, hint: impl FnOnce() -> Option<Hint>, location: &'static Location<'static>) {
        if let Decoded::Trailed(id) = self.decode() {
            touch(id, hint, location);
        }
    }
}

#[cold]
fn touch(id: TrailId, hint: impl FnOnce() -> Option<Hint>, location: &'static Location<'static>) {
    let Some(Some(row)) = trail::registry::with(id, |trail| trail.is_full().then(|| trail.row())) else { return };
    let Some(core) = registry::core_of(row) else { return };
    // Made with no lock held: a conversion is the user's code.
    let hint = hint();
    let config = core.config();
    let mut stack = Captured::empty();
    stack.take(config.configured_max_frames().get());
    fault::contain(&core, || {
        let record = Record::now(Place::of(&stack, Some(location)), hint);
        // One lock for the look and the change, so that the draw is made once and for the history as it is.
        let left = trail::registry::with(id, |trail| {
            trail.touch(record, config.configured_target_records(), random::one_in_power_of_two)
        });
        // Dropped here, with no lock held: it may hold a closure of the user's.
        match left {
            Some(Left::NoRoom(record)) => {
                // Relaxed: a figure.
                core.state().no_room.records.fetch_add(1, Ordering::Relaxed);
                drop(record);
            }
            Some(Left::Record(record)) => drop(record),
            Some(Left::Nothing) | None => {}
        }
    });
}
