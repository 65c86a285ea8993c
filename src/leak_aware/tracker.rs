//! What a buffer tells its references' lives to.

use std::panic::Location;
use std::sync::Arc;

use super::drop_policy::DropPolicy;
use crate::buffer::{DropAction, ReferenceHook};
use crate::detector::{LeakDetector, Opening, Ticket};
use crate::memory::{self, OutOfDirectMemory};
use crate::report::{Fate, Hint, Origin, ReferenceState, Refusal};
use crate::sync::AtomicU64;
use crate::trail::family::{self, Member};
use crate::trail::{Family, ThreadLabel};

/// The resource's name for buffers and all their references.
const RESOURCE: &str = "ByteBuf";

/// Opens a handle for each reference, and ties those of one buffer together.
///
/// A reference's token is its ticket's word; the buffer's group word is its family's (see [`family`]).
#[derive(Debug)]
pub(super) struct Tracker {
    pub(super) detector: LeakDetector,
    pub(super) policy: DropPolicy,
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
        origin: Origin,
        capacity_bytes: u64,
        location: &'static Location<'static>,
    ) -> u64 {
        let core = self.detector.core();
        let opening =
            Opening { resource: RESOURCE, is_type: false, location, origin, bytes: capacity_bytes, hint: None };
        // As Netty's trackForcibly: a draw for each reference would make a report of a slice's slice ever rarer.
        let ticket = if family::exists(group) { core.open_with_trail(&opening) } else { core.open(|| opening) };
        if let Some(row) = ticket.row() {
            if ticket.has_trail() {
                family::join(group, Member::live(ticket.word(), row));
            } else if origin == Origin::Created && !self.detector.is_redirected() {
                // Of one in a scope, whose rows may be a stranger's before the buffer is freed, the word says nothing.
                family::note_creation(group, row);
            }
        }
        ticket.word()
    }
}

impl ReferenceHook for Tracker {
    #[inline]
    fn opened(
        &self,
        group: &AtomicU64,
        _parent: Option<u64>,
        origin: Origin,
        capacity_bytes: u64,
        location: &'static Location<'static>,
    ) -> u64 {
        if self.detector.is_disabled() { 0 } else { self.open(group, origin, capacity_bytes, location) }
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

/// Notes what became of a reference in its family, while its ticket can still be read.
fn settle(group: &AtomicU64, token: u64, state: ReferenceState) {
    let ticket = Ticket::from_word(token);
    if ticket.has_trail() {
        family::settle(group, token, state);
    } else if let Some(row) = ticket.row() {
        family::settle_untraced(group, row, state);
    }
}

/// A tracker for one detector and policy.
pub(super) fn shared(detector: LeakDetector, policy: DropPolicy) -> Arc<Tracker> {
    memory::set_teller(|| LeakDetector::global().warn_of_a_broken_hook());
    Arc::new(Tracker { detector, policy })
}
