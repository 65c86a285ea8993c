//! What the references of one buffer hold of it: all of it, or small parts alone.

use std::num::NonZeroU64;

use crate::clock::Stamp;

/// A part is small if the whole is at least so many times its size.
const SMALL: u64 = 64;

/// A small part of a buffer, and the buffer's family.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Part {
    pub(crate) bytes: u64,
    pub(crate) family: NonZeroU64,
}

/// True if so many bytes of so many are a small part.
pub(crate) fn is_small(part_bytes: u64, whole_bytes: u64) -> bool {
    part_bytes.saturating_mul(SMALL) <= whole_bytes
}

/// The live references of one buffer, counted.
///
/// ```text
/// creation          more references           the last whole one ends
/// wholes 1   ─────► wholes 2, parts 3  ─────► wholes 0, parts 3, since then: the parts keep it alive
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Holding {
    /// Each reference from the creation on is counted here. Else one that is not may keep the buffer.
    is_known: bool,
    wholes: u64,
    parts: u64,
    part_bytes: u64,
    /// When the last whole one ended.
    since: Stamp,
}

impl Holding {
    /// Of a buffer whose creation has a trail: from then on each reference gets one.
    pub(super) fn from_creation() -> Holding {
        Holding { is_known: true, ..Holding::default() }
    }

    /// A reference is there that nobody counts here, or that is gone and keeps the buffer.
    pub(super) fn lose_sight(&mut self) {
        self.is_known = false;
    }

    /// One more reference, to a small part of so many bytes or to more.
    pub(super) fn open(&mut self, part_bytes: Option<u64>) {
        match part_bytes {
            Some(bytes) => {
                self.parts += 1;
                self.part_bytes = self.part_bytes.saturating_add(bytes);
            }
            None => self.wholes += 1,
        }
    }

    /// One that was opened has ended.
    pub(super) fn end(&mut self, part_bytes: Option<u64>, now: Stamp) {
        match part_bytes {
            Some(bytes) => {
                self.parts = self.parts.saturating_sub(1);
                self.part_bytes = self.part_bytes.saturating_sub(bytes);
            }
            None => {
                self.wholes = self.wholes.saturating_sub(1);
                if self.wholes == 0 {
                    self.since = now;
                }
            }
        }
    }

    /// Since when small parts alone keep a buffer of so many bytes; nothing while something else does, or may.
    pub(crate) fn pinned_since(&self, whole_bytes: u64) -> Option<Stamp> {
        let pinned = self.is_known && self.wholes == 0 && self.parts > 0 && is_small(self.part_bytes, whole_bytes);
        pinned.then_some(self.since)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_parts_pin_a_buffer_when_nothing_else_keeps_it() {
        let (early, late) = (Stamp::from_nanos(5), Stamp::from_nanos(7));
        let mut holding = Holding::from_creation();
        holding.open(None);
        holding.open(None);
        holding.open(Some(16));
        holding.end(None, early);
        assert_eq!(holding.pinned_since(4096), None, "a whole one is there");
        holding.end(None, late);
        assert_eq!(holding.pinned_since(4096), Some(late));
        assert_eq!(holding.pinned_since(1023), None, "16 B are more than a sixty-fourth of it");
        holding.open(Some(49));
        assert_eq!(holding.pinned_since(4096), None, "together they are more than 64 B");
        holding.end(Some(49), late);
        assert_eq!(holding.pinned_since(4096), Some(late), "the end of a part is no end of a whole");
        holding.end(Some(16), late);
        assert_eq!(holding.pinned_since(4096), None, "nothing is left");
    }

    #[test]
    fn a_buffer_with_a_reference_that_nobody_knows_is_not_pinned() {
        let unknown = Holding::default();
        let mut lost_sight = Holding::from_creation();
        lost_sight.lose_sight();
        for mut holding in [unknown, lost_sight] {
            holding.open(Some(1));
            assert_eq!(holding.pinned_since(4096), None);
        }
    }
}
