//! Handles that travel through foreign code as an integer.

use std::fmt;
use std::panic::Location;
use std::sync::atomic::{AtomicU64, Ordering};

use super::opening::{Depth, First};
use super::random;
use super::ticket::{Decoded, Ticket};
use crate::detector::state::registry;
use crate::ledger::RowId;
use crate::trail::registry as trails;

/// A handle's ticket outside its handle: a number that foreign code can carry.
///
/// Made by [`Tracked::into_raw`](crate::Tracked::into_raw); the resource stays counted as alive until
/// [`Tracked::from_raw`](crate::Tracked::from_raw) takes the number back, once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[must_use = "the resource counts as alive until the ticket is given to `Tracked::from_raw`"]
pub struct RawTicket(u64);

impl RawTicket {
    pub(super) fn new(ticket: &Ticket) -> RawTicket {
        RawTicket(ticket.word().wrapping_mul(factor()))
    }

    /// The word that the ticket was made from, if it was made in this process.
    fn word(self) -> u64 {
        self.0.wrapping_mul(inverse(factor()))
    }

    /// The number, for a C API to carry. 0 only for a handle that is not counted.
    #[must_use]
    pub fn into_bits(self) -> u64 {
        self.0
    }

    /// The ticket with that number, which is checked when it is used.
    pub fn from_bits(bits: u64) -> RawTicket {
        RawTicket(bits)
    }
}

/// The ticket does not belong to a resource that is on its way: it was taken back already, or is no ticket of this
/// process.
///
/// The value comes back to whoever offered it.
pub struct StaleTicket<T> {
    value: T,
    ticket: RawTicket,
}

impl<T> StaleTicket<T> {
    pub(super) fn new(value: T, ticket: RawTicket) -> StaleTicket<T> {
        StaleTicket { value, ticket }
    }

    /// The value that was offered with the ticket.
    pub fn into_value(self) -> T {
        self.value
    }

    /// The ticket that was refused.
    pub fn ticket(&self) -> RawTicket {
        self.ticket
    }
}

impl<T> fmt::Debug for StaleTicket<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StaleTicket").field("ticket", &self.ticket).finish_non_exhaustive()
    }
}

impl<T> fmt::Display for StaleTicket<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "ticket {:#x} is stale: it was taken back already, or was not made by into_raw in this process",
            self.ticket.0
        )
    }
}

impl<T> std::error::Error for StaleTicket<T> {}

impl Ticket {
    /// Marks the ticket as on its way through foreign code, giving it a trail if it has none.
    pub(super) fn start_raw(self, location: &'static Location<'static>) -> Ticket {
        let ticket = match self.decode() {
            Decoded::Counted { row, bytes } => give_trail(row, bytes, location).unwrap_or_else(|| {
                // No room for a trail: without one a second return could not be told from the first.
                self.untrack();
                Ticket::NONE
            }),
            _ => self,
        };
        if let Decoded::Trailed(trail) = ticket.decode() {
            trails::with(trail, |trail| trail.set_raw(true));
        }
        ticket
    }

    /// The ticket that left as this number, if it is on its way through foreign code; it is in a handle again.
    pub(super) fn end_raw(raw: RawTicket) -> Option<Ticket> {
        let ticket = Ticket::from_word(raw.word());
        match ticket.decode() {
            Decoded::Nothing => Some(ticket),
            Decoded::Counted { .. } => None,
            Decoded::Trailed(trail) => {
                let was_raw = trails::with(trail, |trail| {
                    let was_raw = trail.is_raw();
                    trail.set_raw(false);
                    was_raw
                });
                was_raw?.then_some(ticket)
            }
        }
    }
}

/// A trail for a handle that is counted without one. Its creation is not known any more; the record says where the ticket
/// left.
fn give_trail(id: RowId, bytes: u64, location: &'static Location<'static>) -> Option<Ticket> {
    let core = registry::core_of(id)?;
    core.start_trail(&First { row: id, bytes, depth: Depth::Creation, level: core.level(), location, hint: None })
}

/// What the numbers of this process are multiplied with: odd, so that it can be undone, and drawn at the first use.
///
/// Trails are numbered from 1 in every process. Without the factor a ticket of another process, or a small integer where a
/// ticket should be, would end a handle that it has nothing to do with.
fn factor() -> u64 {
    static FACTOR: AtomicU64 = AtomicU64::new(0);
    // Relaxed: the number is all there is; of two threads that draw one, both use the first.
    match FACTOR.load(Ordering::Relaxed) {
        0 => {
            let drawn = random::bits() | 1;
            FACTOR
                .compare_exchange(0, drawn, Ordering::Relaxed, Ordering::Relaxed)
                .map_or_else(|first| first, |_| drawn)
        }
        factor => factor,
    }
}

/// The number that undoes a multiplication by `odd`, modulo 2^64, by Newton's iteration.
fn inverse(odd: u64) -> u64 {
    // An odd square is 1 modulo 8: three bits are right from the start, and each step doubles them.
    (0..5).fold(odd, |guess, _| guess.wrapping_mul(2_u64.wrapping_sub(odd.wrapping_mul(guess))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_factor_is_undone_by_its_inverse() {
        for odd in [1, 3, 5, 0x9E37_79B9_7F4A_7C15, u64::MAX, factor()] {
            assert_eq!(odd.wrapping_mul(inverse(odd)), 1, "{odd:#x}");
        }
        assert_eq!(factor(), factor());
    }
}
