//! What all clones of a detector share.

use std::fmt;
use std::panic::{RefUnwindSafe, UnwindSafe};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU64, AtomicUsize, Ordering};

use super::alarms::Alarms;
use super::bulletin::{Bulletin, Notice};
use super::casebook::Casebook;
use super::farewell::Farewell;
use super::journal::Journal;
use super::losses::Losses;
use super::outbox::Outbox;
use super::promotions::Promotions;
use super::pulse::Pulse;
use super::refusals::Refusals;
use super::seen::Seen;
use super::sinks::Sinks;
use super::term::Term;
use super::turn::Turn;
use super::waker;
use super::watchlist::Watchlist;
use crate::clock::Stamp;
use crate::config::Config;
use crate::fork::{self, PerProcess};
use crate::ledger::Ledger;
use crate::level::Level;
use crate::report::{Discarded, SiteStats};
use crate::sink::Outlet;
use crate::stack::{depot, walker};
use crate::trail;

/// The shared part of a detector.
pub(crate) struct Core {
    level: AtomicU8,
    term: Term,
    /// [`LeakDetector`](crate::LeakDetector)s that stand for this core. The registry's own hold is not one of them.
    owners: AtomicUsize,
    config: Config,
    outlet: Outlet,
    ledger: Ledger,
    sinks: Arc<Sinks>,
    started: Stamp,
    /// The global detector's, whose balance is told at exit.
    is_global: AtomicBool,
    state: PerProcess<State>,
}

/// In the level's byte: this detector stands for others.
const REDIRECTED: u8 = 0x80;

const CEILING_IS_DISABLED: bool = matches!(Level::CEILING, Level::Disabled);

/// What a forked child starts afresh.
#[derive(Debug, Default)]
pub(in crate::detector) struct State {
    /// Trails and records that found no room.
    pub(in crate::detector) no_room: NoRoom,
    pub(in crate::detector) losses: Losses,
    pub(in crate::detector) promotions: Promotions,
    pub(in crate::detector) refusals: Refusals,
    pub(in crate::detector) alarms: Alarms,
    pub(in crate::detector) bulletin: Bulletin,
    pub(in crate::detector) journal: Journal,
    pub(in crate::detector) seen: Seen,
    pub(in crate::detector) casebook: Casebook,
    pub(in crate::detector) turn: Turn,
    pub(in crate::detector) outbox: Outbox,
    pub(in crate::detector) farewell: Farewell,
    /// What ticks have found.
    pub(in crate::detector) watchlist: Watchlist,
    /// When the last tick was.
    pub(in crate::detector) pulse: Pulse,
    /// When the control group's memory was looked at last.
    pub(in crate::detector) group_pulse: Pulse,
    /// When small parts were looked for last.
    pub(in crate::detector) pin_pulse: Pulse,
    /// The first handle was counted: the registry knows the detector and the reporter runs.
    pub(in crate::detector) announced: AtomicBool,
    /// How often this crate failed in the detector's name.
    pub(in crate::detector) faults: AtomicU64,
    /// The recorder of crate `metrics` panicked once.
    #[cfg(feature = "metrics")]
    pub(in crate::detector) recorder_is_broken: AtomicBool,
    /// PARANOID has run out of room and samples until half of it is free again.
    pub(in crate::detector) falls_back: AtomicBool,
}

/// What the caps on trails kept out. Figures: Relaxed throughout.
#[derive(Debug, Default)]
pub(in crate::detector) struct NoRoom {
    pub(in crate::detector) trails: AtomicU64,
    pub(in crate::detector) records: AtomicU64,
}

impl Core {
    pub(in crate::detector) fn new(config: Config) -> Core {
        // Before the first lock: a fork that came between would leave it held in the child, which would not know that it is one.
        fork::watch();
        let wanted = config.configured_level();
        let core = Core {
            level: AtomicU8::new(Level::Disabled as u8),
            term: Term::new(),
            owners: AtomicUsize::new(1),
            outlet: Outlet::new(&config),
            config,
            ledger: Ledger::new(),
            sinks: Arc::default(),
            started: Stamp::now(),
            is_global: AtomicBool::new(false),
            state: PerProcess::new(),
        };
        core.set_level(wanted);
        core
    }

    /// The level in force.
    #[inline]
    pub(crate) fn level(&self) -> Level {
        // Relaxed, here and below: a level is a wish; a creation that misses a change by a moment is one before it.
        if CEILING_IS_DISABLED {
            Level::Disabled
        } else {
            Level::from_u8(self.level.load(Ordering::Relaxed) & !REDIRECTED)
        }
    }

    /// True at DISABLED: one load and one comparison, and known to the compiler under a ceiling of DISABLED.
    ///
    /// False while this detector stands for others: then only [`redirect`](super::redirect) knows.
    #[inline]
    pub(in crate::detector) fn is_disabled(&self) -> bool {
        CEILING_IS_DISABLED || self.level.load(Ordering::Relaxed) == Level::Disabled as u8
    }

    /// True if the level samples and this detector stands for no other.
    #[inline]
    pub(in crate::detector) fn is_plainly_sampling(&self) -> bool {
        self.level.load(Ordering::Relaxed) < Level::Paranoid as u8
    }

    /// Marks that this detector stands for others on some thread. The mark is part of the level's byte, so that nobody pays
    /// for asking: with it the level is none of those that have a short way.
    pub(in crate::detector) fn set_redirected(&self, redirected: bool) {
        if redirected {
            self.level.fetch_or(REDIRECTED, Ordering::Relaxed);
        } else {
            self.level.fetch_and(!REDIRECTED, Ordering::Relaxed);
        }
    }

    /// True if this detector stands for others on some thread.
    #[inline]
    pub(in crate::detector) fn is_redirected(&self) -> bool {
        !CEILING_IS_DISABLED && self.level.load(Ordering::Relaxed) & REDIRECTED != 0
    }

    /// Sets the level for good; one above the ceiling becomes the ceiling, and that is told once.
    pub(in crate::detector) fn set_level(&self, level: Level) {
        self.term.choose(self.at_most_the_ceiling(level));
        self.settle();
    }

    /// Sets a level over the chosen one, until then or without an end.
    pub(in crate::detector) fn start_term(&self, level: Level, end: Option<Stamp>) {
        self.term.begin(self.at_most_the_ceiling(level), end);
        self.settle();
    }

    /// The chosen level again; false if that is in force anyway.
    pub(in crate::detector) fn end_term(&self) -> bool {
        let ended = self.term.end();
        self.settle();
        ended
    }

    /// As above, if the time is over.
    pub(in crate::detector) fn term_is_over(&self, now: Stamp) -> bool {
        let ended = self.term.end_if_over(now);
        if ended {
            self.settle();
        }
        ended
    }

    /// When the level in force ends, if it does.
    pub(in crate::detector) fn term_ends_at(&self) -> Option<Stamp> {
        self.term.ends_at()
    }

    /// The level that was chosen for good, whatever is in force for a time.
    pub(in crate::detector) fn chosen_level(&self) -> Level {
        self.term.chosen()
    }

    fn at_most_the_ceiling(&self, level: Level) -> Level {
        if level > Level::CEILING {
            self.state().bulletin.post(Notice::AboveCeiling);
        }
        level.min(Level::CEILING)
    }

    /// Puts in force what is wanted.
    fn settle(&self) {
        self.term.settle(|level| {
            let level = level as u8;
            let change = |byte| Some(byte & REDIRECTED | level);
            // AcqRel: of two that settle at once the later one sees what the earlier one wanted, when it looks again.
            let _ = self.level.fetch_update(Ordering::AcqRel, Ordering::Acquire, change);
        });
    }

    /// The settings.
    pub(crate) fn config(&self) -> &Config {
        &self.config
    }

    pub(in crate::detector) fn outlet(&self) -> &Outlet {
        &self.outlet
    }

    pub(in crate::detector) fn ledger(&self) -> &Ledger {
        &self.ledger
    }

    pub(in crate::detector) fn sinks(&self) -> &Arc<Sinks> {
        &self.sinks
    }

    pub(in crate::detector) fn started(&self) -> Stamp {
        self.started
    }

    pub(in crate::detector) fn state(&self) -> &State {
        self.state.get_or_init(State::default)
    }

    /// Makes this the core of the global detector.
    pub(in crate::detector) fn set_global(&self) {
        // Relaxed: read at exit, long after.
        self.is_global.store(true, Ordering::Relaxed);
    }

    /// True for the core of the global detector.
    pub(in crate::detector) fn is_global(&self) -> bool {
        self.is_global.load(Ordering::Relaxed)
    }

    /// One more [`LeakDetector`](crate::LeakDetector).
    pub(in crate::detector) fn add_owner(&self) {
        // Relaxed: as for an `Arc`, a new owner comes from one that exists.
        self.owners.fetch_add(1, Ordering::Relaxed);
    }

    /// One [`LeakDetector`](crate::LeakDetector) less; true if it was the last.
    pub(in crate::detector) fn remove_owner(&self) -> bool {
        // AcqRel: the last one sees what the others did through theirs.
        self.owners.fetch_sub(1, Ordering::AcqRel) == 1
    }

    /// True if nobody can open a handle any more, none is alive or waits to be told, and none is being told: the exit handler
    /// finds an unfinished pass by the registry.
    pub(in crate::detector) fn is_done(&self) -> bool {
        self.owners.load(Ordering::Acquire) == 0
            && !self.has_something_to_tell()
            && !self.state().turn.is_taken()
            && self.ledger.live() == 0
    }

    /// True if the reporter runs and knows of this detector: what is queued will be told. A detector that has counted
    /// nothing tells what it has to tell itself, also where the reporter runs for another one.
    pub(in crate::detector) fn is_attended(&self) -> bool {
        // Relaxed: who misses the announcement by a moment tells it himself.
        waker::is_running() && self.state().announced.load(Ordering::Relaxed)
    }

    /// True if a pass would find something new.
    pub(in crate::detector) fn has_something_to_tell(&self) -> bool {
        let state = self.state();
        state.losses.is_pending()
            || state.bulletin.is_pending()
            || state.refusals.is_pending()
            || state.watchlist.is_pending()
            || state.alarms.is_pending()
    }

    /// Who holds what is alive, largest first.
    pub(in crate::detector) fn holders_where(&self, wanted: impl Fn(&SiteStats) -> bool) -> Vec<SiteStats> {
        let mut holders: Vec<SiteStats> =
            self.ledger().stats().into_iter().filter(|stats| stats.live() > 0 && wanted(stats)).collect();
        holders.sort_by(SiteStats::by_live);
        holders
    }

    /// How often this crate failed in the detector's name.
    pub(in crate::detector) fn faults(&self) -> u64 {
        self.state().faults.load(Ordering::Relaxed)
    }

    /// What the detector takes that is counted: trails, stacks and hints of the process, and its own rows.
    pub(in crate::detector) fn self_bytes(&self, rows: usize) -> u64 {
        /// A row with its names and its places in the tables.
        const ROW_BYTES: u64 = 512;
        trail::memory::taken() + rows as u64 * ROW_BYTES
    }

    /// What the caps kept out so far.
    pub(in crate::detector) fn discarded(&self) -> Discarded {
        let state = self.state();
        Discarded {
            trails: state.no_room.trails.load(Ordering::Relaxed),
            records: state.no_room.records.load(Ordering::Relaxed),
            stacks: depot::refused(),
            sites: self.ledger.sites_over_cap(),
            fingerprints: state.casebook.over_cap() + state.watchlist.over_cap(),
            reports: state.losses.discarded() + state.refusals.discarded() + state.alarms.discarded(),
            walks: walker::wrong_walks(),
        }
    }
}

/// A panic leaves nothing half done here: counters are atomic, and each lock is taken again after one, for what it guards is
/// whole between any two statements. So a test may catch the panic of an assertion that looks at a detector.
impl UnwindSafe for Core {}
impl RefUnwindSafe for Core {}

impl fmt::Debug for Core {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LeakDetector")
            .field("level", &self.level())
            .field("config", &self.config)
            .finish_non_exhaustive()
    }
}
