//! The records of one handle.

use super::history::{History, Outcome};
use super::holding::Part;
use super::memory;
use super::record::Record;
use crate::ledger::RowId;
use crate::level::Level;

/// What is known of one handle beyond its row.
///
/// What it takes beyond its slot (accesses, hints) is charged to the process's allowance while it exists, wherever it goes.
#[derive(Debug)]
pub(crate) struct Trail {
    row: RowId,
    bytes: u64,
    level: Level,
    full: bool,
    is_raw: bool,
    /// What a small part of something larger is a part of.
    part: Option<Part>,
    created: Record,
    /// Made by the first access.
    history: Option<Box<History>>,
    charged_bytes: u64,
}

/// What a new trail starts with.
#[derive(Debug)]
pub(crate) struct Start {
    /// Where the handle is counted.
    pub(crate) row: RowId,
    /// The handle's size.
    pub(crate) bytes: u64,
    /// The level in force.
    pub(crate) level: Level,
    /// True if accesses and the drop are recorded too; false for the creation alone (a sample at SIMPLE).
    pub(crate) full: bool,
    /// The creation.
    pub(crate) created: Record,
}

/// A record that did not stay, to be dropped once no lock is held: its hint may hold a user's closure.
#[derive(Debug)]
#[must_use]
pub(crate) enum Left {
    /// None: the access was added.
    Nothing,
    /// Another made room for it, or it was not wanted.
    Record(Record),
    /// It was not kept for want of memory.
    NoRoom(Record),
}

impl Trail {
    /// A trail with its creation record.
    #[inline]
    pub(crate) fn new(start: Start) -> Trail {
        let Start { row, bytes, level, full, created } = start;
        let charged_bytes = created.hint_bytes();
        memory::charge(charged_bytes);
        Trail { row, bytes, level, full, is_raw: false, part: None, created, history: None, charged_bytes }
    }

    /// Records an access. `draw` is asked at most once: true with probability 2^-exponent.
    pub(crate) fn touch(&mut self, record: Record, target_records: u32, draw: impl FnOnce(u32) -> bool) -> Left {
        let hint_bytes = record.hint_bytes();
        let history = self.history.get_or_insert_default();
        if target_records > 0 && !memory::has_room(history.growth_bytes() + hint_bytes) {
            history.discard();
            return Left::NoRoom(record);
        }
        let push = history.exponent(target_records).is_none_or(draw);
        let held_bytes = history.held_bytes();
        let (charge, refund, left) = match history.record(record, target_records, push) {
            Outcome::Pushed => (hint_bytes + history.held_bytes() - held_bytes, 0, Left::Nothing),
            Outcome::Replaced(old) => (hint_bytes, old.hint_bytes(), Left::Record(old)),
            Outcome::Refused(record) => (0, 0, Left::Record(record)),
        };
        // Most accesses neither grow the list nor have a hint that is held: then nothing shared is written.
        memory::charge(charge);
        memory::refund(refund);
        self.charged_bytes = self.charged_bytes + charge - refund;
        left
    }

    /// Where the handle is counted.
    pub(crate) fn row(&self) -> RowId {
        self.row
    }

    /// The handle's size.
    pub(crate) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Changes the handle's size; the old one comes back.
    pub(crate) fn set_bytes(&mut self, bytes: u64) -> u64 {
        std::mem::replace(&mut self.bytes, bytes)
    }

    /// The level that was in force.
    pub(crate) fn level(&self) -> Level {
        self.level
    }

    /// True if accesses and the drop are recorded.
    pub(crate) fn is_full(&self) -> bool {
        self.full
    }

    /// The part that the handle is of something larger, if it is a small one.
    pub(crate) fn part(&self) -> Option<Part> {
        self.part
    }

    /// Makes the handle one of a small part.
    pub(crate) fn set_part(&mut self, part: Part) {
        self.part = Some(part);
    }

    /// True while the ticket is out of the handle, on its way through foreign code.
    pub(crate) fn is_raw(&self) -> bool {
        self.is_raw
    }

    /// Marks the ticket as out of the handle, or back in one.
    pub(crate) fn set_raw(&mut self, raw: bool) {
        self.is_raw = raw;
    }

    /// True if its end frees nothing and calls nobody: no access was recorded and the creation has no hint.
    pub(super) fn has_nothing_to_drop(&self) -> bool {
        self.history.is_none() && self.created.is_plain() && self.charged_bytes == 0
    }

    /// The creation.
    pub(crate) fn created(&self) -> &Record {
        &self.created
    }

    /// The accesses since that are kept, oldest first.
    pub(crate) fn accesses(&self) -> &[Record] {
        self.history.as_ref().map_or(&[], |history| history.records())
    }

    /// Accesses that were not kept.
    pub(crate) fn discarded(&self) -> u64 {
        self.history.as_ref().map_or(0, |history| history.discarded())
    }
}

impl Drop for Trail {
    fn drop(&mut self) {
        memory::refund(self.charged_bytes);
    }
}

#[cfg(test)]
mod tests {
    use super::super::record::Place;
    use super::*;
    use crate::report::Hint;

    fn record(hint: &str) -> Record {
        Record::now(Place::Unknown, Some(Hint::from(hint.to_owned())))
    }

    #[test]
    fn a_trail_is_charged_with_what_it_holds() {
        let created = record("the first");
        let mut trail =
            Trail::new(Start { row: RowId::from_bits(1), bytes: 10, level: Level::Paranoid, full: true, created });
        for n in 0..100 {
            drop(trail.touch(record(&"x".repeat(n)), 4, |_| n % 3 == 0));
        }
        assert_eq!(trail.accesses().len() as u64 + trail.discarded(), 100);
        let hints: u64 = trail.accesses().iter().map(Record::hint_bytes).sum();
        let list = trail.history.as_ref().unwrap().held_bytes();
        assert_eq!(trail.charged_bytes, list + hints + trail.created().hint_bytes());
    }

    #[test]
    fn a_record_is_five_words_and_a_trail_fits_its_slot() {
        assert!(size_of::<Record>() <= 40, "{}", size_of::<Record>());
        assert!(size_of::<Trail>() <= 112, "{}", size_of::<Trail>());
    }
}
