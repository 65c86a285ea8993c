//! Handles whose return is waited for, since a line said that they are held too long.

use crate::detector::state::{registry, watchlist};
use crate::trail::{self, TrailId};

/// The handle is about to be lost, or given up, which is another story: it does not come back.
///
/// # Cost
/// A relaxed load while no handle is waited for.
#[inline]
pub(super) fn expect_no_more(trail: TrailId) {
    if watchlist::is_any_named() {
        tell_its_detector(trail);
    }
}

#[cold]
fn tell_its_detector(trail: TrailId) {
    let row = trail::registry::with(trail, |trail| trail.row());
    if let Some(core) = row.and_then(registry::core_of) {
        core.state().watchlist.forget(trail);
    }
}
