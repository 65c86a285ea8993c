//! A buffer of a pool that no chunk has.

use std::sync::Arc;

use super::arenas::Arenas;
use crate::memory::{Fill, OutOfDirectMemory, Reservation};

/// What pays for a buffer that is larger than a chunk, or for which no chunk could be had: a reservation of just its
/// bytes, which the pool counts.
#[derive(Debug)]
pub(crate) struct Direct {
    arenas: Arc<Arenas>,
    reservation: Reservation,
}

impl Direct {
    pub(crate) fn new(arenas: Arc<Arenas>, reservation: Reservation) -> Direct {
        arenas.add_direct(reservation.bytes());
        Direct { arenas, reservation }
    }

    /// See [`Reservation::try_reserve_more`].
    #[track_caller]
    pub(crate) fn try_reserve_more(&self, bytes: u64) -> Result<Reservation, OutOfDirectMemory> {
        self.reservation.try_reserve_more(bytes)
    }

    /// See [`Reservation::absorb`].
    pub(crate) fn absorb(&mut self, more: Reservation) {
        self.arenas.grow_direct(more.bytes());
        self.reservation.absorb(more);
    }

    /// See [`Reservation::fill`].
    pub(crate) fn fill(&self) -> Fill {
        self.reservation.fill()
    }

    /// See [`Reservation::abandon_shared`].
    pub(crate) fn abandon_shared(&self) {
        self.reservation.abandon_shared();
    }
}

impl Drop for Direct {
    fn drop(&mut self) {
        self.arenas.sub_direct(self.reservation.bytes());
    }
}
