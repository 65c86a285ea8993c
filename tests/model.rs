//! Whatever is done with handles in whatever order, the snapshot is what a naive model counts, site by site.

mod observed;

use std::collections::HashMap;
use std::num::NonZeroU32;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use leaktrail::{LeakDetector, Level, RawTicket, Tracked, Watched};
use observed::{Observed, config};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};

const SITES: [&str; 4] = ["Buffer", "Connection", "Permit", "Texture"];
const LEVELS: [Level; 4] = [Level::Disabled, Level::Simple, Level::Advanced, Level::Paranoid];

/// What can be done. An index chooses among the handles that are there; without any, nothing is done.
#[derive(Clone, Debug)]
enum Action {
    Open {
        site: usize,
        bytes: u64,
        watched: bool,
    },
    Touch(Index),
    SetBytes(Index, u64),
    Drop(Index),
    Release(Index),
    ReleaseWithPanic(Index),
    Untrack(Index),
    IntoWatched(Index),
    RawRoundTrip(Index),
    /// A ticket that was taken back before.
    OfferStale(Index),
    SetLevel(Level),
    Flush,
}

fn action() -> impl Strategy<Value = Action> {
    let bytes = || prop_oneof![Just(0), 1..5_000_u64, Just(1 << 33)];
    let on = any::<Index>;
    prop_oneof![
        6 => (0..SITES.len(), bytes(), any::<bool>())
            .prop_map(|(site, bytes, watched)| Action::Open { site, bytes, watched }),
        3 => on().prop_map(Action::Touch),
        2 => (on(), bytes()).prop_map(|(index, bytes)| Action::SetBytes(index, bytes)),
        2 => on().prop_map(Action::Drop),
        2 => on().prop_map(Action::Release),
        1 => on().prop_map(Action::ReleaseWithPanic),
        1 => on().prop_map(Action::Untrack),
        1 => on().prop_map(Action::IntoWatched),
        2 => on().prop_map(Action::RawRoundTrip),
        1 => on().prop_map(Action::OfferStale),
        2 => select(&LEVELS[..]).prop_map(Action::SetLevel),
        1 => Just(Action::Flush),
    ]
}

/// One site as the model has it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Counts {
    created: u64,
    released: u64,
    leaked: u64,
    untracked: u64,
    live: u64,
    live_bytes: u64,
    leaked_bytes: u64,
}

enum Handle {
    Tracked(Tracked<u32>),
    Watched(Watched<u32>),
}

struct Held {
    handle: Handle,
    site: usize,
    bytes: u64,
    /// It was created at a level that counts.
    counted: bool,
}

#[derive(Clone, Copy)]
enum End {
    Released,
    Leaked,
    Untracked,
}

#[derive(Default)]
struct Model {
    held: Vec<Held>,
    counts: [Counts; SITES.len()],
    stale: Vec<RawTicket>,
}

impl Model {
    fn index(&self, index: Index) -> Option<usize> {
        (!self.held.is_empty()).then(|| index.index(self.held.len()))
    }

    fn take(&mut self, index: Index) -> Option<Held> {
        self.index(index).map(|place| self.held.swap_remove(place))
    }

    fn end(&mut self, site: usize, bytes: u64, counted: bool, end: End) {
        if !counted {
            return;
        }
        let counts = &mut self.counts[site];
        counts.live -= 1;
        counts.live_bytes -= bytes;
        match end {
            End::Released => counts.released += 1,
            End::Leaked => (counts.leaked, counts.leaked_bytes) = (counts.leaked + 1, counts.leaked_bytes + bytes),
            End::Untracked => counts.untracked += 1,
        }
    }

    fn run(&mut self, detector: &LeakDetector, action: &Action) {
        match action {
            Action::Open { site, bytes, watched } => self.open(detector, *site, *bytes, *watched),
            Action::Touch(index) => {
                if let Some(place) = self.index(*index) {
                    match &self.held[place].handle {
                        Handle::Tracked(handle) => Tracked::touch_with(handle, format!("at {place}")),
                        Handle::Watched(handle) => Watched::touch(handle),
                    }
                }
            }
            Action::SetBytes(index, bytes) => {
                if let Some(place) = self.index(*index) {
                    let held = &mut self.held[place];
                    match &mut held.handle {
                        Handle::Tracked(handle) => Tracked::set_bytes(handle, *bytes),
                        Handle::Watched(handle) => Watched::set_bytes(handle, *bytes),
                    }
                    if held.counted {
                        let counts = &mut self.counts[held.site];
                        counts.live_bytes = counts.live_bytes - held.bytes + bytes;
                        held.bytes = *bytes;
                    }
                }
            }
            Action::SetLevel(level) => detector.set_level(*level),
            Action::Flush => detector.flush(),
            Action::OfferStale(index) => {
                if !self.stale.is_empty() {
                    let ticket = self.stale[index.index(self.stale.len())];
                    let refused = Tracked::from_raw(77, ticket).expect_err("it was taken back before");
                    assert_eq!(refused.into_value(), 77);
                }
            }
            Action::Drop(index)
            | Action::Release(index)
            | Action::ReleaseWithPanic(index)
            | Action::Untrack(index)
            | Action::IntoWatched(index)
            | Action::RawRoundTrip(index) => {
                if let Some(held) = self.take(*index) {
                    self.consume(held, action);
                }
            }
        }
    }

    fn open(&mut self, detector: &LeakDetector, site: usize, bytes: u64, watched: bool) {
        let resource = detector.resource(SITES[site]).bytes(bytes);
        // Below each other and not in one line, yet one row: `at` gives both the same place.
        let here = std::panic::Location::caller();
        let handle = match watched {
            false => Handle::Tracked(resource.at(here).track(7)),
            true => Handle::Watched(resource.at(here).watch(7)),
        };
        let counted = detector.level() > Level::Disabled;
        if counted {
            let counts = &mut self.counts[site];
            counts.created += 1;
            counts.live += 1;
            counts.live_bytes += bytes;
        }
        self.held.push(Held { handle, site, bytes, counted });
    }

    fn consume(&mut self, held: Held, action: &Action) {
        let Held { handle, site, bytes, counted } = held;
        let end = match (handle, action) {
            (Handle::Tracked(handle), Action::Drop(_)) => {
                drop(handle);
                End::Leaked
            }
            (Handle::Tracked(handle), Action::Release(_)) => {
                assert_eq!(Tracked::release(handle), 7);
                End::Released
            }
            (Handle::Tracked(handle), Action::ReleaseWithPanic(_)) => {
                let panics = || Tracked::release_with(handle, |_| resume_unwind(Box::new("on purpose")));
                assert!(catch_unwind(AssertUnwindSafe(panics)).is_err());
                End::Leaked
            }
            (Handle::Tracked(handle), Action::Untrack(_)) => {
                assert_eq!(Tracked::into_untracked(handle, "a test"), 7);
                End::Untracked
            }
            (Handle::Watched(handle), Action::Untrack(_)) => {
                assert_eq!(Watched::into_untracked(handle, "a test"), 7);
                End::Untracked
            }
            (Handle::Tracked(handle), Action::IntoWatched(_)) => {
                let handle = Handle::Watched(Tracked::into_watched(handle));
                return self.held.push(Held { handle, site, bytes, counted });
            }
            (Handle::Tracked(handle), _) => {
                let (value, ticket) = Tracked::into_raw(handle);
                let handle = Handle::Tracked(Tracked::from_raw(value, ticket).expect("it was on its way"));
                if counted {
                    // Its number is the same each time, and it is in a handle again.
                    self.stale.push(ticket);
                }
                return self.held.push(Held { handle, site, bytes, counted });
            }
            (Handle::Watched(handle), Action::Release(_)) => {
                assert_eq!(Watched::release(handle), 7);
                End::Released
            }
            (Handle::Watched(handle), _) => {
                drop(handle);
                End::Released
            }
        };
        self.end(site, bytes, counted, end);
    }
}

/// The rows of a detector by their resource.
fn rows(detector: &LeakDetector) -> HashMap<String, Counts> {
    let snapshot = detector.snapshot();
    let rows: HashMap<_, _> = snapshot
        .sites()
        .iter()
        .map(|stats| {
            let counts = Counts {
                created: stats.created(),
                released: stats.released(),
                leaked: stats.leaked(),
                untracked: stats.untracked(),
                live: stats.live(),
                live_bytes: stats.live_bytes(),
                leaked_bytes: stats.leaked_bytes(),
            };
            (stats.resource().to_owned(), counts)
        })
        .collect();
    assert_eq!(rows.len(), snapshot.sites().len(), "one row for each resource: {snapshot}");
    rows
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn the_snapshot_is_what_the_model_counts(
        first_level in select(&LEVELS[..]),
        interval in prop_oneof![Just(1_u32), 2..10_u32, Just(u32::MAX)],
        target_records in 0..6_u32,
        actions in vec(action(), 1..120),
        last in any::<Index>().prop_map(Action::Drop),
    ) {
        let config = config(first_level)
            .sampling_interval(NonZeroU32::new(interval).unwrap())
            .target_records(target_records);
        let detector = LeakDetector::new(config);
        let observed = Observed::of(&detector);
        let mut model = Model::default();
        let agree = |model: &Model| {
            let rows = rows(&detector);
            for (site, counts) in SITES.iter().zip(&model.counts) {
                assert_eq!(rows.get(*site).copied().unwrap_or_default(), *counts, "{site}");
            }
        };
        for action in &actions {
            model.run(&detector, action);
            agree(&model);
        }
        // All that is left is dropped.
        while let Some(held) = model.held.pop() {
            model.consume(held, &last);
        }
        agree(&model);
        prop_assert_eq!(detector.snapshot().live_bytes(), 0);
        prop_assert!(detector.snapshot().discarded().is_empty());

        // What was told last of each cause is its whole count.
        let mut told: HashMap<String, u64> = HashMap::new();
        for report in observed.reports() {
            let before = told.insert(report.resource().to_owned(), report.count()).unwrap_or_default();
            prop_assert!(before <= report.count(), "{} then {}", before, report.count());
        }
        for (site, counts) in SITES.iter().zip(&model.counts) {
            prop_assert_eq!(told.get(*site).copied().unwrap_or_default(), counts.leaked, "{}", site);
        }
    }
}
