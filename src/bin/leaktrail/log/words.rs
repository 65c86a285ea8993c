//! The places in a log where a report may be: a few searches for fixed text, each at the speed of memory.

use memchr::memmem::Finder;

use super::kind::Kind;

/// What every line of ours, and of Netty's, has one of. `ED: ` stands for `PINNED: ` and `REFUSED: `; the last two are
/// JSON's: a report's or refusal's site, and a summary.
const NEEDLES: [&str; 7] = ["LEAK: ", "LIVE: ", "GROW: ", "HELD: ", "ED: ", "{\"file\":", "\"reports_dropped\""];

/// There is none.
pub(crate) const NOWHERE: usize = usize::MAX;

pub(crate) struct Words {
    finders: [Finder<'static>; NEEDLES.len()],
}

impl Words {
    pub(crate) fn new() -> Words {
        Words { finders: NEEDLES.map(Finder::new) }
    }

    pub(crate) fn within<'a>(&'a self, text: &'a [u8]) -> Hits<'a> {
        Hits { words: self, text, next: [0; NEEDLES.len()] }
    }
}

/// The places in one text, asked for from the front to the back.
pub(crate) struct Hits<'a> {
    words: &'a Words,
    text: &'a [u8],
    /// For each needle a place before which there is none, and at which there is one unless it lies before the place asked for.
    next: [usize; NEEDLES.len()],
}

impl Hits<'_> {
    /// The first place from `at` on, or [`NOWHERE`]. `at` never falls, but may be 0 again in the first question.
    pub(crate) fn from(&mut self, at: usize) -> usize {
        let mut first = NOWHERE;
        for (finder, next) in self.words.finders.iter().zip(&mut self.next) {
            // At 0 nothing was looked for yet; a hit there is found again, once.
            if *next == 0 || *next < at {
                *next = finder.find(&self.text[at..]).map_or(NOWHERE, |found| at + found);
            }
            first = first.min(*next);
        }
        first
    }
}

/// The first word in a line that begins a report, and its place. A word within a word (`MEMLEAK: `) is none.
pub(crate) fn first_word(line: &str) -> Option<(Kind, usize)> {
    line.match_indices(": ").find_map(|(colon, _)| {
        let kind = Kind::ALL.into_iter().find(|kind| line[..colon].ends_with(kind.word()))?;
        let place = colon - kind.word().len();
        let stands_alone = !line[..place].chars().next_back().is_some_and(|c| c.is_alphanumeric() || c == '_');
        stands_alone.then_some((kind, place))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_place_is_found_in_order() {
        let text = b"LEAK: a LIVE: b GROW: c HELD: d PINNED: e REFUSED: f LEAK: g";
        let words = Words::new();
        let mut hits = words.within(text);
        let mut found = Vec::new();
        let mut at = 0;
        while hits.from(at) != NOWHERE {
            at = hits.from(at);
            found.push(at);
            at += 1;
        }
        assert_eq!(found, [0, 8, 16, 24, 36, 47, 53]);
    }

    #[test]
    fn a_word_stands_alone() {
        assert_eq!(first_word("12:30: x LEAK: y LIVE: z"), Some((Kind::Leak, 9)));
        assert_eq!(first_word("PINNED: x"), Some((Kind::Pinned, 0)));
        assert_eq!(first_word("msg=\"REFUSED: x"), Some((Kind::Refused, 5)));
        for none in ["", "MEMLEAK: x", "LEAK:x", "USER_HELD: x", "éLEAK: x", "ED: x"] {
            assert_eq!(first_word(none), None, "{none}");
        }
        assert_eq!(first_word("MEMLEAK: x LEAK: y"), Some((Kind::Leak, 11)));
    }
}
