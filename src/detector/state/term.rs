//! A level for a time: which one, and when it ends.

use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};

use crate::clock::Stamp;
use crate::level::Level;

/// The level that was chosen for good, and over it perhaps one for a time.
///
/// ```text
///            begin ──────────► a term ◄── begin (another one takes its place)
///              │                 │
/// chosen ──────┘  end, is_over ──┘        choose ends a term: who chooses has the last word
///    ▲                │
///    └────────────────┘
/// ```
///
/// No lock: a forked child inherits the level that is in force, and has to be able to end it.
#[derive(Debug)]
pub(super) struct Term {
    chosen: AtomicU8,
    /// The level in the two lowest bits, above it the nanoseconds of the end: good for 146 years. 0 for none.
    word: AtomicU64,
}

const LEVEL_BITS: u32 = 2;
/// The end of a term that has none.
const NEVER: u64 = u64::MAX >> LEVEL_BITS;

impl Term {
    pub(super) fn new() -> Term {
        Term { chosen: AtomicU8::new(Level::Disabled as u8), word: AtomicU64::new(0) }
    }

    /// Chooses a level for good; it ends a term.
    pub(super) fn choose(&self, level: Level) {
        self.chosen.store(level as u8, Ordering::Release);
        self.word.store(0, Ordering::Release);
    }

    /// Begins a term, in the place of one that there is.
    pub(super) fn begin(&self, level: Level, end: Option<Stamp>) {
        // 0 would be none: a moment of the first nanosecond is none that a clock gives.
        let nanos = end.map_or(NEVER, |end| end.as_nanos().clamp(1, NEVER));
        self.word.store(nanos << LEVEL_BITS | u64::from(level as u8), Ordering::Release);
    }

    /// Ends the term; false if there is none.
    pub(super) fn end(&self) -> bool {
        self.word.swap(0, Ordering::AcqRel) != 0
    }

    /// Ends the term if its time is over.
    pub(super) fn end_if_over(&self, now: Stamp) -> bool {
        let word = self.word.load(Ordering::Acquire);
        // Of another term that has begun meanwhile nothing is ended.
        word != 0
            && now.as_nanos() >= word >> LEVEL_BITS
            && self.word.compare_exchange(word, 0, Ordering::AcqRel, Ordering::Relaxed).is_ok()
    }

    /// When the term ends, if there is one that does.
    pub(super) fn ends_at(&self) -> Option<Stamp> {
        let end = self.word.load(Ordering::Acquire) >> LEVEL_BITS;
        (end != 0 && end != NEVER).then(|| Stamp::from_nanos(end))
    }

    /// The level that was chosen for good.
    pub(super) fn chosen(&self) -> Level {
        Level::from_u8(self.chosen.load(Ordering::Acquire))
    }

    /// Puts the level in force, by `apply`, until what it has applied is what is wanted: of two that change it at once
    /// neither leaves an older wish behind.
    pub(super) fn settle(&self, apply: impl Fn(Level)) {
        loop {
            let wanted = self.wanted();
            apply(wanted);
            if self.wanted() == wanted {
                return;
            }
        }
    }

    fn wanted(&self) -> Level {
        match self.word.load(Ordering::Acquire) {
            0 => self.chosen(),
            word => Level::from_u8((word & ((1 << LEVEL_BITS) - 1)) as u8),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::time::Duration;

    use super::*;

    fn settled(term: &Term) -> Level {
        let level = Cell::new(Level::Disabled);
        term.settle(|wanted| level.set(wanted));
        level.get()
    }

    #[test]
    fn a_term_ends_by_its_time_and_the_chosen_level_is_back() {
        let (term, start) = (Term::new(), Stamp::now());
        term.choose(Level::Simple);
        term.begin(Level::Paranoid, Some(start.plus(Duration::from_secs(10))));
        assert_eq!((settled(&term), term.chosen()), (Level::Paranoid, Level::Simple));
        assert!(!term.end_if_over(start.plus(Duration::from_secs(9))));
        assert_eq!(term.ends_at(), Some(start.plus(Duration::from_secs(10))));
        assert!(term.end_if_over(start.plus(Duration::from_secs(10))));
        assert!(!term.end_if_over(start.plus(Duration::from_secs(11))), "it ends once");
        assert_eq!((settled(&term), term.ends_at()), (Level::Simple, None));
    }

    #[test]
    fn another_term_takes_the_place_of_the_first_and_not_of_what_was_chosen() {
        let (term, start) = (Term::new(), Stamp::now());
        term.choose(Level::Advanced);
        term.begin(Level::Paranoid, Some(start));
        term.begin(Level::Disabled, None);
        assert!(!term.end_if_over(start.plus(Duration::from_secs(1 << 31))), "it has no end");
        assert_eq!((settled(&term), term.ends_at()), (Level::Disabled, None));
        assert!(term.end());
        assert!(!term.end());
        assert_eq!(settled(&term), Level::Advanced);
    }

    #[test]
    fn who_chooses_has_the_last_word() {
        let (term, start) = (Term::new(), Stamp::now());
        term.begin(Level::Paranoid, Some(start));
        term.choose(Level::Simple);
        assert!(!term.end_if_over(start.plus(Duration::from_secs(1))));
        assert_eq!(settled(&term), Level::Simple);
    }
}
