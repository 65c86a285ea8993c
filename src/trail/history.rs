//! Which accesses are kept: Netty's back-off.
//!
//! Everything up to the target is kept. Past it a draw decides whether a new access is pushed or takes the place of the
//! newest one, with the probability of a push halved by each record kept beyond the target. So the newest access is always
//! there, the creation is always there, and what is kept grows as the logarithm of what happened.
//!
//! Rule and figures: `DefaultResourceLeak.record` in Netty's `ResourceLeakDetector`. Two faults of it are not repeated: the
//! draw is made once, before the lock, and not again when a concurrent access came in between; and an access that is thrown
//! away is counted whatever the target.

use super::record::Record;

/// The accesses of one handle after its creation, oldest first.
#[derive(Clone, Debug, Default)]
pub(crate) struct History {
    records: Vec<Record>,
    discarded: u64,
}

/// What became of a record, for the caller to drop or to count once no lock is held.
#[derive(Debug)]
#[must_use]
pub(crate) enum Outcome {
    /// It was added.
    Pushed,
    /// It was added in the place of this one, which is counted as discarded.
    Replaced(Record),
    /// It was not kept, and is counted as discarded.
    Refused(Record),
}

impl History {
    /// The exponent for the draw: past the target the next access is pushed with probability 2^-exponent.
    ///
    /// `None` when it is pushed for certain. As in Netty the creation counts among the kept records, and the exponent
    /// stops at 30.
    pub(crate) fn exponent(&self, target_records: u32) -> Option<u32> {
        let kept = self.kept_with_creation();
        (kept >= u64::from(target_records)).then(|| (kept - u64::from(target_records)).min(30) as u32)
    }

    /// Records an access. `push` is the draw: true with probability 2^-exponent.
    ///
    /// The decision was made with the history as it stood when the draw was made; a target of 0 keeps nothing.
    pub(crate) fn record(&mut self, record: Record, target_records: u32, push: bool) -> Outcome {
        if target_records == 0 {
            self.discarded += 1;
            return Outcome::Refused(record);
        }
        match self.records.last_mut() {
            Some(newest) if !push => {
                self.discarded += 1;
                Outcome::Replaced(std::mem::replace(newest, record))
            }
            // The creation is never replaced: without an access to take the place of, the record is pushed.
            _ => {
                self.records.reserve_exact(self.growth());
                self.records.push(record);
                Outcome::Pushed
            }
        }
    }

    /// Counts an access that could not be recorded.
    pub(crate) fn discard(&mut self) {
        self.discarded += 1;
    }

    /// The kept accesses, oldest first.
    pub(crate) fn records(&self) -> &[Record] {
        &self.records
    }

    /// Accesses that were not kept.
    pub(crate) fn discarded(&self) -> u64 {
        self.discarded
    }

    /// Bytes that the list holds, used or not; hints apart.
    pub(crate) fn held_bytes(&self) -> u64 {
        (self.records.capacity() * size_of::<Record>()) as u64
    }

    /// Bytes by which the next push makes the list larger.
    pub(crate) fn growth_bytes(&self) -> u64 {
        (self.growth() * size_of::<Record>()) as u64
    }

    /// Places that the next push adds. A quarter, not the double that a vector would take: what is held is counted, used or
    /// not.
    fn growth(&self) -> usize {
        if self.records.len() < self.records.capacity() { 0 } else { (self.records.len() / 4).max(4) }
    }

    fn kept_with_creation(&self) -> u64 {
        self.records.len() as u64 + 1
    }
}

#[cfg(test)]
mod tests {
    use super::super::record::Place;
    use super::*;
    use crate::report::Hint;

    fn record(n: u64) -> Record {
        Record::now(Place::Unknown, Some(Hint::from(n.to_string())))
    }

    fn hint(record: &Record) -> String {
        record.hint().map(|hint| hint.render()).unwrap_or_default()
    }

    /// A small generator, so that the test has its own draws.
    fn draws() -> impl FnMut(u32) -> bool {
        let mut state = 0x2545_F491_4F6C_DD1D_u64;
        move |exponent| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            state & ((1 << exponent) - 1) == 0
        }
    }

    fn run(accesses: u64, target: u32, mut draw: impl FnMut(u32) -> bool) -> History {
        let mut history = History::default();
        for n in 1..=accesses {
            let push = history.exponent(target).is_none_or(&mut draw);
            let _ = history.record(record(n), target, push);
        }
        history
    }

    #[test]
    fn kept_and_discarded_are_the_accesses_exactly_and_the_newest_is_kept() {
        for target in 0..6 {
            for accesses in [0, 1, 3, 4, 5, 100] {
                let history = run(accesses, target, draws());
                assert_eq!(history.records().len() as u64 + history.discarded(), accesses, "target {target}");
                if target > 0 && accesses > 0 {
                    assert_eq!(hint(history.records().last().unwrap()), accesses.to_string());
                }
                // All up to the target are kept, the creation being one of them, and the next one too.
                let sure = accesses.min(u64::from(target)) as usize;
                assert!(history.records().len() >= if target == 0 { 0 } else { sure }, "target {target}, {accesses}");
            }
        }
    }

    #[test]
    #[cfg_attr(miri, ignore = "minutes of arithmetic there")]
    fn kept_records_grow_as_netty_measured() {
        // Netty 4.1.48 and 4.2, target 4, creation included: 6.6 of 10, 10.1 of 100, 13.7 of 1,000, 16.9 of 10,000.
        let mut draw = draws();
        for (accesses, kept) in [(10, 6.6), (100, 10.1), (1_000, 13.7)] {
            let rounds = 200;
            let total: usize = (0..rounds).map(|_| run(accesses, 4, &mut draw).records().len() + 1).sum();
            let mean = total as f64 / f64::from(rounds);
            assert!((mean - kept).abs() < 0.5, "{accesses} accesses: {mean} kept, Netty {kept}");
        }
    }

    #[test]
    fn what_is_held_is_what_was_foretold_and_little_more_than_what_is_used() {
        let mut history = History::default();
        for n in 1..2_000 {
            let foretold = history.held_bytes() + history.growth_bytes();
            let _ = history.record(record(n), 4, true);
            assert_eq!(history.held_bytes(), foretold);
            assert!(history.held_bytes() <= (n * 5 / 4 + 4) * size_of::<Record>() as u64);
        }
    }

    #[test]
    fn a_draw_that_fails_replaces_the_newest_alone() {
        let mut history = run(5, 4, |_| true);
        assert!(matches!(history.record(record(6), 4, false), Outcome::Replaced(old) if hint(&old) == "5"));
        let hints: Vec<_> = history.records().iter().map(hint).collect();
        assert_eq!(hints, ["1", "2", "3", "4", "6"]);
        assert_eq!(history.discarded(), 1);
    }
}
