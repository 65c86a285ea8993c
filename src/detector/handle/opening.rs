//! How a handle is opened: counted, and for some given a trail.

use std::panic::Location;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::sampler::is_sampled;
use super::ticket::Ticket;
use crate::config::Walker;
use crate::detector::state::bulletin::Notice;
use crate::detector::state::{Core, fault, redirect, waker};
use crate::ledger::{RowId, SiteCell, SiteKey, cell_at_hand, is_any_promoted, meet, row};
use crate::level::Level;
use crate::report::{Hint, Origin};
use crate::stack::{Captured, walker};
use crate::trail::{self, Place, Record, Start, Trail};

/// What is to be opened.
#[derive(Debug)]
pub(crate) struct Opening<'a> {
    /// The resource's name, or that of its type.
    pub(crate) resource: &'static str,
    /// True if `resource` is a type's name, to be shortened.
    pub(crate) is_type: bool,
    /// The call that creates the handle.
    pub(crate) location: &'static Location<'static>,
    /// How it comes to be.
    pub(crate) origin: Origin,
    /// Its size.
    pub(crate) bytes: u64,
    /// The creation record's hint; copied only for a handle that gets a trail.
    pub(crate) hint: Option<&'a Hint>,
}

/// Whether a handle asks for a trail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Wish {
    /// The draw decides.
    Draw,
    /// It gets one.
    Trail,
}

/// How much is recorded of one handle.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Depth {
    None,
    Creation,
    Full,
}

/// What the first record of a trail is made from, and whose it is.
#[derive(Clone, Copy, Debug)]
pub(super) struct First<'a> {
    pub(super) row: RowId,
    pub(super) bytes: u64,
    pub(super) depth: Depth,
    pub(super) level: Level,
    pub(super) location: &'static Location<'static>,
    pub(super) hint: Option<&'a Hint>,
}

impl Core {
    /// Opens a handle, on the global detector's behalf where this thread has entered another one.
    ///
    /// # Cost
    /// At DISABLED a relaxed load and a branch. Else a lookup in a cache of the thread and a few plain stores; with a trail
    /// a walk of the stack, a lookup in the depot and a slot.
    #[inline]
    pub(crate) fn open<'a>(self: &Arc<Core>, opening: impl FnOnce() -> Opening<'a>) -> Ticket {
        // What is to be opened is put together only here: at DISABLED it is not even that.
        if self.is_disabled() { Ticket::NONE } else { self.open_counted(&opening()) }
    }

    /// Opens a handle that gets a trail whatever the draw says: a reference of a buffer that has one.
    pub(crate) fn open_with_trail(self: &Arc<Core>, opening: &Opening<'_>) -> Ticket {
        if self.is_disabled() {
            return Ticket::NONE;
        }
        self.open_thoroughly(opening, cell_at_hand(self.ledger(), || opening.key()), Wish::Trail)
    }

    /// The way of nearly every handle: no call but the last, so that little has to be saved.
    fn open_counted(self: &Arc<Core>, opening: &Opening<'_>) -> Ticket {
        match cell_at_hand(self.ledger(), || opening.key()) {
            Some(cell) if self.is_passed_by(cell) && Ticket::can_count(opening.bytes) => {
                cell.create(opening.bytes);
                cell.pass_by();
                Ticket::counted(cell.row(), opening.bytes)
            }
            Some(cell) => self.open_thoroughly(opening, Some(cell), Wish::Draw),
            None => self.open_unmet(opening),
        }
    }

    /// The thread has not the site at hand. A call of its own: told apart from the others on the way of nearly every handle,
    /// that would cost each an instruction.
    #[cold]
    #[inline(never)]
    fn open_unmet(self: &Arc<Core>, opening: &Opening<'_>) -> Ticket {
        self.open_thoroughly(opening, None, Wish::Draw)
    }

    /// True if nothing is to be recorded of the next handle: no sample is due, no site is promoted, the level samples, and this
    /// detector stands for no other.
    #[inline]
    fn is_passed_by(&self, cell: &SiteCell) -> bool {
        !cell.is_sample_due() && !is_any_promoted() && self.is_plainly_sampling()
    }

    /// Every case: the thread has not the site at hand, a sample is due, some site is promoted, each handle has a trail,
    /// or this is the global detector and some thread has entered another one.
    #[cold]
    #[inline(never)]
    fn open_thoroughly(
        self: &Arc<Core>,
        opening: &Opening<'_>,
        at_hand: Option<&'static SiteCell>,
        wish: Wish,
    ) -> Ticket {
        // Before the level: a scope sees what is opened while the global detector is DISABLED.
        if let Some(entered) = redirect::target(self) {
            let at_hand = cell_at_hand(entered.ledger(), || opening.key());
            return entered.open_thoroughly(opening, at_hand, wish);
        }
        let level = self.level();
        if level == Level::Disabled {
            return Ticket::NONE;
        }
        let bytes = Ticket::countable(opening.bytes);
        let sampling = self.is_sampling(level);
        let cell = at_hand.or_else(|| meet(self.ledger(), opening.key(), || self.announce()));
        let (id, sampled) = match cell {
            Some(cell) => {
                cell.create(bytes);
                (cell.row(), sampling && is_sampled(cell, self.config().configured_sampling_interval()))
            }
            None => {
                // The thread is ending, or its tables are in use (a handle is made while one of them grows). Counted all the
                // same, never sampled.
                self.announce();
                let Some(id) = self.ledger().row_of(opening.key()) else { return Ticket::NONE };
                row(id).create_shared(bytes);
                (id, false)
            }
        };
        self.open_at_depth(depth(level, id, sampling, sampled || wish == Wish::Trail), level, opening, id)
    }

    #[inline(always)]
    fn open_at_depth(&self, depth: Depth, level: Level, opening: &Opening<'_>, id: RowId) -> Ticket {
        let bytes = Ticket::countable(opening.bytes);
        let counted = || Ticket::counted(id, bytes);
        if depth == Depth::None {
            if level == Level::Paranoid {
                // It fell back to sampling: this one would have had a trail. Relaxed: a figure.
                self.state().no_room.trails.fetch_add(1, Ordering::Relaxed);
            }
            return counted();
        }
        let first = First { row: id, bytes, depth, level, location: opening.location, hint: opening.hint };
        self.start_trail(&first).unwrap_or_else(counted)
    }

    /// True if handles are sampled now: below PARANOID, and at PARANOID while there is no room for every trail.
    fn is_sampling(&self, level: Level) -> bool {
        if level < Level::Paranoid {
            return true;
        }
        let state = self.state();
        // Relaxed throughout: a cap that a few threads may pass.
        if !state.falls_back.load(Ordering::Relaxed) {
            return false;
        }
        let still = !trail::is_half_free() || !trail::memory::has_room(0);
        state.falls_back.store(still, Ordering::Relaxed);
        still
    }

    /// Starts a trail; `None`, counted, when there is no room.
    // Always inlined, and the walk is made before anything else is called, so that it begins further out.
    #[inline(always)]
    pub(super) fn start_trail(&self, first: &First<'_>) -> Option<Ticket> {
        let mut stack = Captured::empty();
        stack.take(self.config().configured_max_frames().get());
        fault::contain(self, || self.start_trail_with(&stack, first)).flatten()
    }

    fn start_trail_with(&self, stack: &Captured, first: &First<'_>) -> Option<Ticket> {
        let &First { row, bytes, depth, level, location, hint } = first;
        let hint_bytes = hint.map_or(0, Hint::size_bytes) as u64;
        if !trail::memory::has_room(hint_bytes) {
            return self.no_room_for_trail(level);
        }
        let created = Record::now(Place::of(stack, Some(location)), hint.cloned());
        let full = depth == Depth::Full;
        match trail::registry::insert(|| Trail::new(Start { row, bytes, level, full, created })) {
            Some(id) => Some(Ticket::trailed(id)),
            None => self.no_room_for_trail(level),
        }
    }

    #[cold]
    fn no_room_for_trail(&self, level: Level) -> Option<Ticket> {
        let state = self.state();
        // Relaxed: figures, and a mode that a few threads may be late to see.
        state.no_room.trails.fetch_add(1, Ordering::Relaxed);
        if level == Level::Paranoid {
            state.falls_back.store(true, Ordering::Relaxed);
            if state.bulletin.post(Notice::ParanoidFallsBack) {
                waker::wake();
            }
        }
        None
    }

    /// Makes the detector known to those who look for it by its number, and starts the reporter, at its first handle.
    #[cold]
    #[inline(never)]
    fn announce(self: &Arc<Core>) {
        let announced = &self.state().announced;
        // Relaxed: doing it twice is harmless, and each part orders itself.
        if !announced.load(Ordering::Relaxed) {
            self.choose_walker();
            self.attend();
            announced.store(true, Ordering::Relaxed);
        }
    }
}

impl Core {
    /// Sees to it that the process has a walker.
    pub(in crate::detector) fn choose_walker(&self) -> Walker {
        let choice = walker::choose(self.config().configured_walker());
        if choice.is_instead {
            self.state().bulletin.post(Notice::WalkerNotHad);
        }
        choice.walker
    }
}

impl Opening<'_> {
    #[inline]
    fn key(&self) -> SiteKey {
        SiteKey { resource: self.resource, is_type: self.is_type, location: self.location, origin: self.origin }
    }
}

fn depth(level: Level, id: RowId, sampling: bool, wanted: bool) -> Depth {
    // Asked first: a handle that is sampled anyway still uses up one of the trails that were granted.
    if row(id).take_boost() || !sampling {
        Depth::Full
    } else if !wanted {
        Depth::None
    } else if level == Level::Simple {
        Depth::Creation
    } else {
        Depth::Full
    }
}
