//! What grows from round to round.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::panic::Location;

use super::check::name;
use super::failure;
use super::scope::LeakScope;
use crate::report::{Escaped, Origin, Site, SiteStats};

/// Runs a piece of work again and again, and fails on the sites that grow in every round.
///
/// For code that keeps things by design: caches, pools, registries. Those are full after some rounds; a leak never is. A site
/// grows if after a round it has more handles alive or lost, or more bytes in them, than before. One that stood still once
/// is left alone.
///
/// # Examples
///
/// ```
/// use std::collections::HashMap;
///
/// use leaktrail::testing::Growth;
///
/// let mut cache = HashMap::new();
/// let mut request = 0;
/// Growth::new().warm_up(4).rounds(8).check(|_scope| {
///     request += 1;
///     cache.insert(request % 4, leaktrail::watch("a body")); // four entries, for ever
/// });
/// ```
#[derive(Clone, Copy, Debug)]
#[must_use = "nothing is run before `check` is called"]
pub struct Growth {
    warm_up: u32,
    rounds: u32,
}

/// What makes a row the same in two snapshots.
type Key = (String, Site, Origin);

/// How much a row holds that did not come back: handles, and bytes.
type Held = (u64, u64);

/// One site from round to round.
#[derive(Clone, Copy, Debug)]
struct Course {
    first: Held,
    last: Held,
    /// How often in a row, since the warm-up, the handles and the bytes went up.
    ups: (u32, u32),
}

impl Growth {
    /// Ten rounds after three of warm-up.
    pub fn new() -> Growth {
        Growth { warm_up: 3, rounds: 10 }
    }

    /// How many rounds are run before any is counted.
    pub fn warm_up(mut self, rounds: u32) -> Growth {
        self.warm_up = rounds;
        self
    }

    /// How many rounds are counted, at least 1. The more, the less a site fails that grows for a while.
    pub fn rounds(mut self, rounds: u32) -> Growth {
        self.rounds = rounds.max(1);
        self
    }

    /// Runs the rounds in a scope of their own, entered.
    ///
    /// # Panics
    ///
    /// If a site grew in every round, with a `String` that names each one with its counts, bytes and trails; and as a
    /// round does.
    #[track_caller]
    pub fn check(self, mut round: impl FnMut(&LeakScope)) {
        let scope = LeakScope::new(name(Location::caller()));
        let entered = scope.enter();
        (0..self.warm_up).for_each(|_| round(&scope));
        let mut watch = Watch::new(&scope);
        for _ in 0..self.rounds {
            round(&scope);
            watch.look();
        }
        drop(entered);
        if let Some(text) = watch.failure(self) {
            panic!("{text}");
        }
    }

    /// As [`check`](Growth::check), with rounds that are async.
    ///
    /// # Panics
    ///
    /// As [`check`](Growth::check).
    #[track_caller]
    pub fn check_async<T: AsyncFnMut(&LeakScope)>(self, mut round: T) -> impl Future<Output = ()> {
        let scope = LeakScope::new(name(Location::caller()));
        async move {
            for _ in 0..self.warm_up {
                scope.instrument(round(&scope)).await;
            }
            let mut watch = Watch::new(&scope);
            for _ in 0..self.rounds {
                scope.instrument(round(&scope)).await;
                watch.look();
            }
            if let Some(text) = watch.failure(self) {
                panic!("{text}");
            }
        }
    }
}

impl Default for Growth {
    fn default() -> Growth {
        Growth::new()
    }
}

/// What is seen of the sites, round after round.
struct Watch<'a> {
    scope: &'a LeakScope,
    courses: HashMap<Key, Course>,
}

impl Watch<'_> {
    fn new(scope: &LeakScope) -> Watch<'_> {
        scope.mark_asked();
        let rows = scope.detector().snapshot();
        let course = |row: &SiteStats| Course { first: held(row), last: held(row), ups: (0, 0) };
        Watch { scope, courses: rows.sites().iter().map(|row| (key(row), course(row))).collect() }
    }

    fn look(&mut self) {
        for row in self.scope.detector().snapshot().sites() {
            // A site that is met for the first time had nothing before.
            let new = Course { first: (0, 0), last: (0, 0), ups: (0, 0) };
            let course = self.courses.entry(key(row)).or_insert(new);
            let now = held(row);
            course.ups.0 += u32::from(now.0 > course.last.0);
            course.ups.1 += u32::from(now.1 > course.last.1);
            course.last = now;
        }
    }

    /// What is to be said, if a site grew in every round.
    fn failure(&self, growth: Growth) -> Option<String> {
        let Growth { warm_up, rounds } = growth;
        let snapshot = self.scope.detector().snapshot();
        let grown: Vec<(&SiteStats, Course)> = snapshot
            .sites()
            .iter()
            .filter_map(|row| Some((row, *self.courses.get(&key(row))?)))
            .filter(|(_, course)| course.ups.0 == rounds || course.ups.1 == rounds)
            .collect();
        if grown.is_empty() {
            return None;
        }
        let living = self.scope.tell();
        let mut text = format!(
            "leak scope '{}' grows: {} site{} in each of {rounds} rounds, after {warm_up} of warm-up",
            Escaped(self.scope.name()),
            grown.len(),
            if grown.len() == 1 { "" } else { "s" },
        );
        for (row, Course { first, last, .. }) in grown {
            let _ = write!(
                text,
                "\nGROW: {} at {}: {} live ({} B), {} lost ({} B), from {} ({} B) to {} ({} B) in {rounds} rounds",
                Escaped(row.resource()),
                row.site(),
                row.live(),
                row.live_bytes(),
                row.leaked(),
                row.leaked_bytes(),
                first.0,
                first.1,
                last.0,
                last.1,
            );
            if row.leaked() > 0 {
                let _ = write!(text, "\n{}", failure::lost(row, self.scope.findings()));
            }
            if row.live() > 0 {
                let _ = write!(text, "\n{}", failure::live(row, &living));
            }
        }
        Some(text)
    }
}

fn key(row: &SiteStats) -> Key {
    (row.resource().to_owned(), row.site().clone(), row.origin())
}

fn held(row: &SiteStats) -> Held {
    (row.live() + row.leaked(), row.live_bytes() + row.leaked_bytes())
}
