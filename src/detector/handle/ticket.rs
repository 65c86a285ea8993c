//! The one word that a handle carries.

use std::mem;

use super::expected::expect_no_more;
use crate::ledger::{self, RowId, row};
use crate::level::Level;
use crate::trail::{Part, TrailId, registry};

/// What a handle knows of itself, in one word.
///
/// ```text
/// 0                                                      not counted: created at DISABLED, or given up
/// ┌───────────── 40 bits: bytes ─┬─ 23 bits: row ─┬─ 1 ─┐  counted
/// └──────────────── 63 bits: trail, never 0 ──────┴─ 0 ─┘  counted, with a trail
/// ```
///
/// What was decided at creation stays in the word, so a change of level never unbalances the ledger. Under a ceiling of
/// DISABLED it has no size (see [`Word`]). A ticket has no `Drop`: whoever holds it decides what its end means.
#[derive(Debug)]
#[must_use]
pub(crate) struct Ticket(Word);

/// Bytes that a counted ticket can hold: 1 TiB. A larger size counts as that.
const MAX_BYTES: u64 = (1 << 40) - 1;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Decoded {
    Nothing,
    Counted { row: RowId, bytes: u64 },
    Trailed(TrailId),
}

impl Ticket {
    /// A handle that is not counted.
    pub(crate) const NONE: Ticket = Ticket(Word::ZERO);

    /// A handle that is counted and has no trail.
    #[inline]
    pub(super) fn counted(row: RowId, bytes: u64) -> Ticket {
        debug_assert!(bytes <= MAX_BYTES);
        Ticket(Word::new(bytes << 24 | u64::from(row.bits()) << 1 | 1))
    }

    /// A handle with a trail.
    pub(super) fn trailed(trail: TrailId) -> Ticket {
        Ticket(Word::new(trail.get() << 1))
    }

    /// The size that a handle of `bytes` is counted with.
    #[inline]
    pub(super) fn countable(bytes: u64) -> u64 {
        bytes.min(MAX_BYTES)
    }

    /// True if a handle of `bytes` is counted with that size.
    #[inline]
    pub(super) fn can_count(bytes: u64) -> bool {
        bytes <= MAX_BYTES
    }

    /// The word itself.
    #[inline]
    pub(crate) fn word(&self) -> u64 {
        self.0.get()
    }

    /// The ticket that had this word.
    #[inline]
    pub(crate) fn from_word(word: u64) -> Ticket {
        Ticket(Word::new(word))
    }

    /// Leaves nothing behind, and gives what was there.
    #[inline]
    pub(crate) fn take(&mut self) -> Ticket {
        mem::replace(self, Ticket::NONE)
    }

    #[inline]
    pub(super) fn decode(&self) -> Decoded {
        match self.0.get() {
            0 => Decoded::Nothing,
            word if word & 1 == 1 => {
                let (row, bytes) = counted_parts(word);
                Decoded::Counted { row, bytes }
            }
            word => Decoded::Trailed(TrailId::from_number(word >> 1)),
        }
    }

    /// True if the handle is counted.
    #[inline]
    pub(crate) fn is_counted(&self) -> bool {
        self.0.get() != 0
    }

    /// True if the handle has a trail.
    #[inline]
    pub(crate) fn has_trail(&self) -> bool {
        matches!(self.decode(), Decoded::Trailed(_))
    }

    /// The small part of something larger that the handle is, if it is one and has a trail.
    pub(crate) fn part(&self) -> Option<Part> {
        match self.decode() {
            Decoded::Trailed(trail) => registry::with(trail, |trail| trail.part()).flatten(),
            _ => None,
        }
    }

    /// Makes the handle one of a small part; without a trail that is not known of it.
    pub(crate) fn set_part(&self, part: Part) {
        if let Decoded::Trailed(trail) = self.decode() {
            registry::with(trail, |trail| trail.set_part(part));
        }
    }

    /// The row that the handle is counted in.
    pub(crate) fn row(&self) -> Option<RowId> {
        match self.decode() {
            Decoded::Nothing => None,
            Decoded::Counted { row, .. } => Some(row),
            Decoded::Trailed(trail) => registry::with(trail, |trail| trail.row()),
        }
    }

    /// Gives the handle back.
    #[inline]
    pub(crate) fn release(self) {
        let word = self.word();
        if word != 0 {
            release(word);
        }
    }

    /// Gives the handle up on purpose: it is counted apart, never as lost.
    pub(crate) fn untrack(self) {
        match self.decode() {
            Decoded::Nothing => {}
            Decoded::Counted { row: id, bytes } => row(id).untrack(bytes),
            Decoded::Trailed(trail) => {
                expect_no_more(trail);
                if let Some(trail) = registry::remove(trail) {
                    row(trail.row()).untrack(trail.bytes());
                }
            }
        }
    }

    /// Changes the handle's size.
    pub(crate) fn set_bytes(&mut self, bytes: u64) {
        let bytes = Ticket::countable(bytes);
        match self.decode() {
            Decoded::Nothing => {}
            Decoded::Counted { row: id, bytes: before } => {
                ledger::resize(id, before, bytes);
                *self = Ticket::counted(id, bytes);
            }
            Decoded::Trailed(trail) => {
                if let Some((id, before)) = registry::with(trail, |trail| (trail.row(), trail.set_bytes(bytes))) {
                    ledger::resize(id, before, bytes);
                }
            }
        }
    }
}

/// The way of nearly every handle: counted, without a trail.
#[inline(never)]
fn release(word: u64) {
    if word & 1 == 0 {
        return release_trailed(TrailId::from_number(word >> 1));
    }
    ledger::release_with(|| counted_parts(word));
}

#[inline(never)]
fn release_trailed(id: TrailId) {
    if let Some((row, bytes)) = registry::release(id) {
        ledger::release(row, bytes);
    }
}

/// The row and the bytes in the word of a counted handle.
#[inline]
fn counted_parts(word: u64) -> (RowId, u64) {
    (RowId::from_bits((word >> 1) as u32 & (RowId::COUNT - 1)), word >> 24)
}

/// The word: eight bytes, or none under a ceiling of DISABLED.
///
/// Bytes and no `u64`, so that the word brings no alignment of its own: a handle of a `u8` would else be as large as one
/// of a `u64`, and under a ceiling of DISABLED larger than its value.
#[derive(Clone, Copy, Debug)]
struct Word([u8; WORD_BYTES]);

const WORD_BYTES: usize = if matches!(Level::CEILING, Level::Disabled) { 0 } else { size_of::<u64>() };

impl Word {
    const ZERO: Word = Word([0; WORD_BYTES]);

    #[inline]
    fn new(word: u64) -> Word {
        let mut new = Word::ZERO;
        new.0.copy_from_slice(&word.to_ne_bytes()[..WORD_BYTES]);
        new
    }

    #[inline]
    fn get(self) -> u64 {
        let mut bytes = [0; size_of::<u64>()];
        bytes[..WORD_BYTES].copy_from_slice(&self.0);
        u64::from_ne_bytes(bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_read_as_they_were_written() {
        if WORD_BYTES == 0 {
            assert_eq!(size_of::<Ticket>(), 0);
            return;
        }
        assert_eq!(size_of::<Ticket>(), 8);
        let row = RowId::from_bits(RowId::COUNT - 1);
        assert_eq!(Ticket::counted(row, MAX_BYTES).decode(), Decoded::Counted { row, bytes: MAX_BYTES });
        assert_eq!(
            Ticket::counted(RowId::from_bits(0), 0).decode(),
            Decoded::Counted { row: RowId::from_bits(0), bytes: 0 }
        );
        assert_eq!(Ticket::trailed(TrailId::from_number(7)).decode(), Decoded::Trailed(TrailId::from_number(7)));
        assert_eq!(Ticket::NONE.decode(), Decoded::Nothing);
        assert!(!Ticket::NONE.is_counted());
    }
}
