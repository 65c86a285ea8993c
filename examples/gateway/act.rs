//! The four acts: what each one does to a body, and what to look at.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use leaktrail::{DropPolicy, Level};

/// One act of the story.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Act {
    /// The filter keeps every body in a map that nobody empties: Rust's own form of the leak.
    Hoard,
    /// The filter returns early and drops what it retained; the memory goes back.
    Lost,
    /// The same loss, and nobody takes the memory back: Netty's behaviour.
    Abandon,
    /// The filter releases on every way out.
    Mended,
}

/// How the filter was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Revision {
    /// Forgets to release.
    Faulty,
    /// Releases on every way out.
    Mended,
}

/// Which requests of the load carry the header that makes their body worth keeping.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Keys {
    /// None: the filter returns early.
    None,
    /// Each one: the filter keeps the body.
    All,
    /// Every other one.
    Half,
}

impl Act {
    /// All acts, in the order of the story.
    pub(crate) const ALL: [Act; 4] = [Act::Hoard, Act::Lost, Act::Abandon, Act::Mended];

    /// The word for `--act` and for the table.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Act::Hoard => "hoard",
            Act::Lost => "lost",
            Act::Abandon => "abandon",
            Act::Mended => "mended",
        }
    }

    /// What the allocator does with a reference that is dropped without `release()`.
    pub(crate) fn drop_policy(self) -> DropPolicy {
        match self {
            // Nothing is dropped here, so not even the kindest policy helps.
            Act::Hoard => DropPolicy::Release,
            Act::Lost | Act::Mended => DropPolicy::Reclaim,
            Act::Abandon => DropPolicy::Abandon,
        }
    }

    /// Which filter is built into the chain.
    pub(crate) fn revision(self) -> Revision {
        if self == Act::Mended { Revision::Mended } else { Revision::Faulty }
    }

    /// Which requests are worth keeping in this act's load.
    pub(crate) fn keys(self) -> Keys {
        match self {
            Act::Hoard => Keys::All,
            Act::Lost | Act::Abandon => Keys::None,
            Act::Mended => Keys::Half,
        }
    }

    /// How long a request waits for memory. Where nothing ever comes back, waiting makes the story longer and not better.
    pub(crate) fn wait(self) -> Duration {
        match self {
            Act::Hoard | Act::Abandon => Duration::from_millis(5),
            Act::Lost | Act::Mended => Duration::from_secs(2),
        }
    }

    /// How many requests come slowly at first, so that it can be seen how the memory goes.
    pub(crate) fn slow_requests(self) -> u64 {
        if self == Act::Hoard { 50 } else { 0 }
    }

    /// Two or three lines: what happens, and what to look at.
    pub(crate) fn headline(self) -> &'static str {
        match self {
            Act::Hoard => {
                "A filter keeps a retained body of every request in a map, and nothing ever takes one out.\n\
                 Look at: GROW: names the filter's retain, by its line, while there is memory left; `used` climbs to\n\
                 the limit; then REFUSED: lists who holds the memory, and #1 is that line."
            }
            Act::Lost => {
                "The same filter returns early and drops the body that it retained (policy Reclaim).\n\
                 Look at: LEAK: names the line of the retain and, once a trail was recorded, the line of the drop.\n\
                 The memory is given back, so every request is answered."
            }
            Act::Abandon => {
                "The same loss as in Netty, where nobody takes the memory back (policy Abandon).\n\
                 Look at: LEAK: as before, but `used` climbs with each loss, and the end is REFUSED:."
            }
            Act::Mended => {
                "The same filter with its two lines mended: every way out releases, and the map is bounded.\n\
                 Look at: used 0, live 0, leaked 0, and `clean at exit`."
            }
        }
    }
}

impl fmt::Display for Act {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for Act {
    type Err = ();

    fn from_str(word: &str) -> Result<Act, ()> {
        Act::ALL.into_iter().find(|act| act.name().eq_ignore_ascii_case(word.trim())).ok_or(())
    }
}

/// What `level` can know, in one sentence.
pub(crate) fn what_it_knows(level: Level) -> &'static str {
    match level {
        Level::Disabled => {
            "nothing is counted; the budget still refuses, but nobody can say who holds it, and a loss goes unseen."
        }
        Level::Simple => {
            "every reference is counted at its line and every loss is found; stacks of the creation for a sample,\n\
             and full trails for the next 64 references of a line that lost one."
        }
        Level::Advanced => {
            "as SIMPLE, and the sample (the first reference of each thread at each line, then 1 in 128) has its\n\
             touches, their hints and the stack of the drop."
        }
        Level::Paranoid => {
            "every reference has its full trail: creation, touches with hints, and the stack of the drop."
        }
    }
}
