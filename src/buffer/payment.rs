//! What pays for a buffer's memory.

use super::place::Direct;
use crate::memory::{OutOfDirectMemory, Reservation};

/// Where the bytes of a buffer stand in its budget.
#[derive(Debug)]
pub(super) enum Payment {
    /// A reservation of its own, of just its capacity.
    Own(Reservation),
    /// The same, of a pool that had no place for it in a chunk.
    Direct(Direct),
    /// The reservation of the chunk that its slot is in.
    Chunk,
}

impl Payment {
    /// Reserves more for a buffer that has a reservation of its own, to be [absorbed](Payment::absorb) when the memory is
    /// there; `None` for one in a chunk, where the memory and what pays for it come together.
    #[track_caller]
    pub(super) fn try_reserve_more(&self, bytes: u64) -> Option<Result<Reservation, OutOfDirectMemory>> {
        match self {
            Payment::Own(reservation) => Some(reservation.try_reserve_more(bytes)),
            Payment::Direct(direct) => Some(direct.try_reserve_more(bytes)),
            Payment::Chunk => None,
        }
    }

    /// Takes in what was reserved for it.
    pub(super) fn absorb(&mut self, more: Reservation) {
        match self {
            Payment::Own(reservation) => reservation.absorb(more),
            Payment::Direct(direct) => direct.absorb(more),
            Payment::Chunk => {}
        }
    }
}
