//! What a buffer tells its references' lives to.

use std::panic::Location;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

use super::drop_policy::DropPolicy;
use crate::buffer::{DropAction, Extent, ReferenceHook};
use crate::detector::{LeakDetector, Opening, Ticket};
use crate::memory::{self, Fill, OutOfDirectMemory};
use crate::report::{Fate, Hint, Origin, ReferenceState, Refusal};
use crate::sync::AtomicU64;
use crate::trail::family::{self, Member};
use crate::trail::holding::is_small;
use crate::trail::{Family, Part, ThreadLabel};

/// The resource's name for buffers and all their references.
const RESOURCE: &str = "ByteBuf";

/// Opens a handle for each reference, and ties those of one buffer together.
///
/// A reference's token is its ticket's word; the buffer's group word is its family's (see [`family`]).
#[derive(Debug)]
pub(super) struct Tracker {
    pub(super) detector: LeakDetector,
    pub(super) policy: DropPolicy,
    /// How full the budget was at the last allocation, roughly: what changed nothing is not looked at.
    band: AtomicU8,
}

impl Tracker {
    /// Completes a budget's error with who holds the memory, and has the refusal told.
    pub(super) fn complete(&self, error: OutOfDirectMemory) -> OutOfDirectMemory {
        let refusal = Refusal {
            error: error.to_string().into(),
            requested: error.requested(),
            used: error.used(),
            limit: error.limit().unwrap_or(u64::MAX),
            budget: error.is_of_a_child().then(|| error.budget().into()),
            kept: error.kept(),
            site: error.site().clone(),
            thread: ThreadLabel::current().name(),
            waited: error.waited(),
            holders: Vec::new(),
            abandoned: error.abandoned(),
            lost: Vec::new(),
            suppressed: 0,
            level: self.detector.level(),
        };
        error.with_refusal(self.detector.here(|core| core.refused(refusal)))
    }

    /// A handle for one reference; the answer is its token.
    fn open(
        &self,
        group: &AtomicU64,
        parent: Option<u64>,
        origin: Origin,
        extent: Extent,
        location: &'static Location<'static>,
    ) -> u64 {
        let core = self.detector.core();
        let opening =
            Opening { resource: RESOURCE, is_type: false, location, origin, bytes: extent.capacity_bytes, hint: None };
        // As Netty's trackForcibly: a draw for each reference would make a report of a slice's slice ever rarer.
        let ticket = if family::exists(group) { core.open_with_trail(&opening) } else { core.open(|| opening) };
        if !ticket.has_trail() {
            family::lose_sight(group);
        }
        if let Some(row) = ticket.row() {
            if ticket.has_trail() {
                let part = small_part(origin, parent, extent);
                let family = family::join(group, Member::live(ticket.word(), row), origin, part);
                if let (Some(bytes), Some(family)) = (part, family) {
                    ticket.set_part(Part { bytes, family });
                }
            } else if origin == Origin::Created && !self.detector.is_redirected() {
                // Of one in a scope, whose rows may be a stranger's before the buffer is freed, the word says nothing.
                family::note_creation(group, row);
            }
        }
        ticket.word()
    }
}

/// In which of the parts that matter a budget's fill is: calm, above where it was calm, and past each mark.
fn band(used: u64, limit: u64) -> u8 {
    let is_below = |percent: u64| u128::from(used) * 100 < u128::from(limit) * u128::from(percent);
    [70, 80, 95].into_iter().map(|percent| u8::from(!is_below(percent))).sum()
}

impl ReferenceHook for Tracker {
    #[inline]
    fn opened(
        &self,
        group: &AtomicU64,
        parent: Option<u64>,
        origin: Origin,
        extent: Extent,
        location: &'static Location<'static>,
    ) -> u64 {
        if !self.detector.is_disabled() {
            return self.open(group, parent, origin, extent, location);
        }
        // One that nobody follows keeps a buffer whose others are followed.
        if origin != Origin::Created {
            family::lose_sight(group);
        }
        0
    }

    /// Three loads and four comparisons, unless the budget has come nearer to its limit, or gone from it.
    fn allocated(&self, fill: Fill) {
        let Some(limit) = fill.limit_bytes else { return };
        let band = band(fill.used_bytes, limit);
        // Relaxed: who misses a change by a moment sees the next allocation; the alarm itself is behind a lock.
        if self.band.load(Ordering::Relaxed) != band {
            self.band.store(band, Ordering::Relaxed);
            self.detector.here(|core| core.budget_used(fill.budget, fill.used_bytes, limit));
        }
    }

    fn resized(&self, token: u64, capacity_bytes: u64) -> u64 {
        let mut ticket = Ticket::from_word(token);
        ticket.set_bytes(capacity_bytes);
        ticket.word()
    }

    fn wants_touch(&self, token: u64) -> bool {
        Ticket::from_word(token).records_touches()
    }

    fn touched(&self, token: u64, hint: Option<Hint>, location: &'static Location<'static>) {
        Ticket::from_word(token).touch(|| hint, location);
    }

    fn released(&self, group: &AtomicU64, token: u64) {
        settle(group, token, ReferenceState::Released);
        Ticket::from_word(token).release();
    }

    fn dropped(&self, group: &AtomicU64, token: u64) -> DropAction {
        let (fate, action) = match self.policy {
            DropPolicy::Release => {
                self.released(group, token);
                return DropAction::GiveBack;
            }
            DropPolicy::Reclaim => (Fate::GivenBack, DropAction::GiveBack),
            DropPolicy::Abandon => (Fate::StillOut, DropAction::Abandon),
        };
        settle(group, token, ReferenceState::Lost);
        if action == DropAction::Abandon {
            // It is gone and keeps the buffer for ever.
            family::lose_sight(group);
        }
        let siblings = if token == 0 { Family::default() } else { family::siblings(group, token) };
        Ticket::from_word(token).lose(fate, siblings);
        action
    }

    fn freed(&self, group: &AtomicU64) {
        family::end(group);
    }

    fn refused(&self, error: OutOfDirectMemory) -> OutOfDirectMemory {
        self.complete(error)
    }
}

/// The size of a small part of a buffer: of a slice, or of one more reference to such a slice. A buffer of which little is
/// used is none: it has no larger one that could be let go.
fn small_part(origin: Origin, parent: Option<u64>, extent: Extent) -> Option<u64> {
    let is_part = match origin {
        Origin::Created => false,
        Origin::Sliced => true,
        Origin::Retained => parent.is_some_and(|parent| Ticket::from_word(parent).part().is_some()),
    };
    (is_part && is_small(extent.view_bytes, extent.capacity_bytes)).then_some(extent.view_bytes)
}

/// Notes what became of a reference in its family, while its ticket can still be read.
fn settle(group: &AtomicU64, token: u64, state: ReferenceState) {
    let ticket = Ticket::from_word(token);
    if ticket.has_trail() {
        family::settle(group, token, state, ticket.part().map(|part| part.bytes));
    } else if let Some(row) = ticket.row() {
        family::settle_untraced(group, row, state);
    }
}

/// A tracker for one detector and policy.
pub(super) fn shared(detector: LeakDetector, policy: DropPolicy) -> Arc<Tracker> {
    memory::set_teller(|| LeakDetector::global().warn_of_a_broken_hook());
    Arc::new(Tracker { detector, policy, band: AtomicU8::new(0) })
}
