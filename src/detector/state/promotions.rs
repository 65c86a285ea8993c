//! Promotion: a site that lost a handle gets full trails for its next handles, so that the production default explains
//! itself without a restart.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use crate::clock::Stamp;
use crate::ledger::{RowId, row};

/// Full trails that one promotion grants.
pub(in crate::detector) const GRANT: u32 = 64;
/// Sites promoted at a time.
const PLACES: usize = 4;
/// How long a site keeps its place without using up its grant, and how long it waits before it is promoted again.
const TERM: Duration = Duration::from_secs(60);

#[derive(Clone, Copy, Debug)]
struct Promoted {
    row: RowId,
    since: Stamp,
}

/// The sites that are promoted now.
#[derive(Debug, Default)]
pub(in crate::detector) struct Promotions {
    places: Mutex<[Option<Promoted>; PLACES]>,
}

impl Promotions {
    /// Promotes a site, if a place is free. Answers how many of its next handles will have a full trail.
    ///
    /// A site that used up its grant within the last minute is not promoted again at once: one that loses every handle
    /// would have a full trail for each.
    ///
    /// # Cost
    /// A short lock; only at a loss, and only for a site without a grant.
    pub(in crate::detector) fn promote(&self, id: RowId, now: Stamp) -> u32 {
        let left = row(id).boost();
        if left > 0 {
            return left;
        }
        let mut places = self.places.lock().unwrap_or_else(PoisonError::into_inner);
        let fresh = |place: &Option<Promoted>| place.is_some_and(|promoted| now.since(promoted.since) < TERM);
        if places.iter().any(|place| fresh(place) && place.is_some_and(|promoted| promoted.row == id)) {
            return row(id).boost();
        }
        let own = places.iter().position(|place| place.is_some_and(|promoted| promoted.row == id));
        let free = own
            .or_else(|| places.iter().position(|place| !fresh(place) || place.is_none_or(|p| row(p.row).boost() == 0)));
        let Some(free) = free else { return 0 };
        if let Some(before) = places[free].filter(|before| before.row != id) {
            row(before.row).set_boost(0);
        }
        places[free] = Some(Promoted { row: id, since: now });
        row(id).set_boost(GRANT);
        GRANT
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn four_sites_at_a_time_for_a_minute_or_their_grant() {
        // Rows at the upper end of the table, which no detector of this process reaches.
        let id = |n: u32| RowId::from_bits(RowId::COUNT - 1 - n);
        let promotions = Promotions::default();
        let now = Stamp::now();
        for n in 0..4 {
            assert_eq!(promotions.promote(id(n), now), GRANT);
        }
        assert_eq!(promotions.promote(id(4), now), 0, "all places are taken");
        assert!(row(id(0)).take_boost());
        assert_eq!(promotions.promote(id(0), now), GRANT - 1, "it has a grant already");
        while row(id(1)).take_boost() {}
        assert_eq!(promotions.promote(id(1), now), 0, "not again within the minute");
        assert_eq!(promotions.promote(id(4), now), GRANT, "a used-up grant makes room");
        let later = now.plus(TERM);
        assert_eq!(promotions.promote(id(5), later), GRANT, "a term that is over makes room");
        for n in 0..6 {
            row(id(n)).set_boost(0);
        }
    }
}
