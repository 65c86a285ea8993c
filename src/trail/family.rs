//! The references of one shared buffer, so that a report can name the siblings of the one that was lost.
//!
//! A buffer whose references have no trail has no family: it costs nothing. The buffer's header has one word for it,
//! which is 0, or the row of the creation and what became of it, or the number of a family:
//!
//! ```text
//! 0 ──creation without a trail──► creation, live ──it ends──► creation, released or lost
//! │                                     │                        │
//! │                                     └───┐                ┌───┘ a reference gets a trail
//! │                                         ▼                ▼
//! └─a first counted reference has a trail──► number of a family
//! ```

use std::num::NonZeroU64;
use std::sync::atomic::AtomicU64 as Figure;

use super::holding::Holding;
use super::memory;
use crate::clock::Stamp;
use crate::fork::PerProcess;
use crate::hash::BuildIdHasher;
use crate::ledger::{RowId, row};
use crate::report::{Origin, ReferenceState};
use crate::shared_map::SharedMap;
use crate::sync::{AtomicU64, Ordering};

/// Members that a family remembers; more are counted.
pub(crate) const MAX_MEMBERS: usize = 16;

/// One reference.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Member {
    /// The handle's word, unique among the members that have a trail.
    pub(crate) ticket: u64,
    /// Where it is counted.
    pub(crate) row: RowId,
    /// The ledger that the row belongs to: another detector may have the row by now, if this one is gone. A buffer of the
    /// global detector outlives a scope in which one of its references was made.
    ledger: u64,
    /// What became of it.
    pub(crate) state: ReferenceState,
}

impl Member {
    /// A reference that is alive.
    pub(crate) fn live(ticket: u64, row: RowId) -> Member {
        Member { ticket, row, ledger: ledger_of(row).unwrap_or_default(), state: ReferenceState::Live }
    }

    /// True if the row is still what it was when the reference was made.
    pub(crate) fn has_its_row(&self) -> bool {
        ledger_of(self.row) == Some(self.ledger)
    }
}

fn ledger_of(id: RowId) -> Option<u64> {
    Some(row(id).meta()?.ledger)
}

/// The references of one buffer, in the order of their creation.
#[derive(Clone, Debug, Default)]
pub(crate) struct Family {
    pub(crate) members: Vec<Member>,
    /// References that were not remembered.
    pub(crate) omitted: u64,
    /// What all of them together hold.
    pub(crate) holding: Holding,
}

type Families = SharedMap<u64, Family, BuildIdHasher>;

static FAMILIES: PerProcess<Families> = PerProcess::new();
/// Families that live; see [`MAX_FAMILIES`].
static LIVE: Figure = Figure::new(0);
/// Families that are kept at a time. A buffer whose references had trails once may outlive those by far.
const MAX_FAMILIES: u64 = 65_536;

fn families() -> &'static Families {
    FAMILIES.get_or_init(Families::default)
}

/// What a buffer's word says.
///
/// ```text
/// 0                                                 nothing: no reference was counted
/// ┌── 0 ──┬─ 2 bits: state ─┬─ 23 bits: row ─┬─ 1 ─┐  the creation, counted without a trail
/// └────────── 63 bits: family ───────────────┴─ 0 ─┘
/// ```
enum Group {
    Nothing,
    Creation { row: RowId, state: ReferenceState },
    Family(u64),
}

/// Where the creation's state begins in the word.
const STATE_SHIFT: u32 = RowId::BITS + 1;

fn decode(word: u64) -> Group {
    match word {
        0 => Group::Nothing,
        word if word & 1 == 1 => {
            let state = match word >> STATE_SHIFT {
                0 => ReferenceState::Live,
                1 => ReferenceState::Released,
                _ => ReferenceState::Lost,
            };
            Group::Creation { row: RowId::from_bits((word >> 1) as u32 & (RowId::COUNT - 1)), state }
        }
        word => Group::Family(word >> 1),
    }
}

fn creation(row: RowId, state: ReferenceState) -> u64 {
    let state = match state {
        ReferenceState::Live => 0,
        ReferenceState::Released => 1_u64,
        ReferenceState::Lost => 2,
    };
    state << STATE_SHIFT | u64::from(row.bits()) << 1 | 1
}

/// Notes a creation that has no trail, so that a family that is founded later can name it.
pub(crate) fn note_creation(group: &AtomicU64, row: RowId) {
    // Relaxed: the buffer is not shared yet; the hand-over to another thread publishes the word.
    group.store(creation(row, ReferenceState::Live), Ordering::Relaxed);
}

/// True if the buffer has a family: then each new reference gets a trail too.
pub(crate) fn exists(group: &AtomicU64) -> bool {
    matches!(decode(group.load(Ordering::Acquire)), Group::Family(_))
}

/// Adds a reference with a trail, founding the family if it is the first that has one; the family's number comes back.
/// `part_bytes` is its size if it is a small part.
pub(crate) fn join(group: &AtomicU64, member: Member, origin: Origin, part_bytes: Option<u64>) -> Option<NonZeroU64> {
    let id = match decode(group.load(Ordering::Acquire)) {
        Group::Family(id) => id,
        // Relaxed: a cap that may be passed by as many as race for the last place.
        _ if LIVE.load(Ordering::Relaxed) >= MAX_FAMILIES || !memory::has_room(Family::BASE_BYTES) => return None,
        _ => found(group, origin),
    };
    if let Some(mut family) = families().get_mut(&id) {
        family.holding.open(part_bytes);
        if family.members.len() == MAX_MEMBERS {
            // Room is made by the oldest that was released; the creation, and what is alive or lost, stays.
            family.omitted += 1;
            let settled = family.members.iter().skip(1).position(|member| member.state == ReferenceState::Released);
            let Some(settled) = settled else { return NonZeroU64::new(id) };
            family.members.remove(settled + 1);
        }
        if !family.add(member) {
            family.omitted += 1;
        }
    }
    NonZeroU64::new(id)
}

/// The buffer has a reference that its family does not know, or will never be rid of.
pub(crate) fn lose_sight(group: &AtomicU64) {
    if let Group::Family(id) = decode(group.load(Ordering::Acquire))
        && let Some(mut family) = families().get_mut(&id)
    {
        family.holding.lose_sight();
    }
}

/// What the references of a family hold, and the row that its buffer was created in, where that is known.
pub(crate) fn holding(id: NonZeroU64) -> Option<(Holding, Option<RowId>)> {
    let family = families().get(&id.get())?;
    let is_creation = |member: &&Member| {
        member.has_its_row() && row(member.row).meta().is_some_and(|meta| meta.origin == Origin::Created)
    };
    Some((family.holding, family.members.iter().find(is_creation).map(|member| member.row)))
}

impl Family {
    /// Bytes that a family takes, with its place in the table, which is at most half full.
    const BASE_BYTES: u64 = 2 * (size_of::<Family>() + size_of::<u64>()) as u64;

    /// Adds a member, if there is memory for it.
    fn add(&mut self, member: Member) -> bool {
        let grown = self.members.len() == self.members.capacity();
        let bytes = if grown { (GROWTH * size_of::<Member>()) as u64 } else { 0 };
        if grown && !memory::has_room(bytes) {
            return false;
        }
        if grown {
            self.members.reserve_exact(GROWTH);
            memory::charge(bytes);
        }
        self.members.push(member);
        true
    }

    fn settle(&mut self, state: ReferenceState, wanted: impl Fn(&Member) -> bool) {
        if let Some(member) = self.members.iter_mut().find(|member| wanted(member)) {
            member.state = state;
        }
    }

    fn held_bytes(&self) -> u64 {
        Family::BASE_BYTES + (self.members.capacity() * size_of::<Member>()) as u64
    }
}

/// Members by which a family's list grows: most buffers have few references.
const GROWTH: usize = 4;

/// Founds the family of a buffer that has none; whoever is first does, and the number of that one comes back.
fn found(group: &AtomicU64, origin: Origin) -> u64 {
    static NEXT: Figure = Figure::new(1);
    // Relaxed: each number is given once, whatever the order.
    let id = NEXT.fetch_add(1, Ordering::Relaxed);
    let mut word = group.load(Ordering::Acquire);
    loop {
        let mut family = Family::default();
        match decode(word) {
            Group::Nothing if origin == Origin::Created => family.holding = Holding::from_creation(),
            Group::Nothing => {}
            Group::Creation { row, state } => _ = family.add(Member { state, ..Member::live(0, row) }),
            Group::Family(founded) => {
                // Another reference was first.
                remove(id);
                return founded;
            }
        }
        memory::charge(Family::BASE_BYTES);
        match families().insert(id, family) {
            None => _ = LIVE.fetch_add(1, Ordering::Relaxed),
            // This thread's own, of the turn before.
            Some(before) => memory::refund(before.held_bytes()),
        }
        // AcqRel/Acquire: whoever sees the number finds the family that was inserted before it. It fails if another
        // reference was first, or if the creation has just ended and the family would show it alive for ever.
        match group.compare_exchange(word, id << 1, Ordering::AcqRel, Ordering::Acquire) {
            Ok(_) => return id,
            Err(newer) => word = newer,
        }
    }
}

/// Notes what became of a reference with a trail. `part_bytes` is what it joined with.
pub(crate) fn settle(group: &AtomicU64, ticket: u64, state: ReferenceState, part_bytes: Option<u64>) {
    let Group::Family(id) = decode(group.load(Ordering::Acquire)) else { return };
    if let Some(mut family) = families().get_mut(&id) {
        family.holding.end(part_bytes, Stamp::now());
        family.settle(state, |member| member.ticket == ticket);
    }
}

/// Notes what became of a reference without a trail, which matters if it is the creation's: the one of its row, since a
/// buffer is created once.
pub(crate) fn settle_untraced(group: &AtomicU64, row: RowId, state: ReferenceState) {
    let mut word = group.load(Ordering::Acquire);
    while let Group::Creation { row: created_in, .. } = decode(word)
        && created_in == row
    {
        // AcqRel/Acquire: fails if a family is founded meanwhile, which the next turn sees.
        match group.compare_exchange(word, creation(row, state), Ordering::AcqRel, Ordering::Acquire) {
            Ok(_) => return,
            Err(newer) => word = newer,
        }
    }
    if let Group::Family(id) = decode(word)
        && let Some(mut family) = families().get_mut(&id)
    {
        family.settle(state, |member| member.ticket == 0 && member.row == row);
    }
}

/// The family as it stands, without the reference itself.
pub(crate) fn siblings(group: &AtomicU64, ticket: u64) -> Family {
    let Group::Family(id) = decode(group.load(Ordering::Acquire)) else { return Family::default() };
    let mut family = families().get(&id).map(|family| family.clone()).unwrap_or_default();
    let known = family.members.len();
    family.members.retain(|member| member.ticket != ticket);
    if family.members.len() == known {
        // It is one of those that are not remembered, and no sibling of its own.
        family.omitted = family.omitted.saturating_sub(1);
    }
    family
}

/// Ends a family: the buffer's memory went back.
pub(crate) fn end(group: &AtomicU64) {
    if let Group::Family(id) = decode(group.load(Ordering::Acquire)) {
        remove(id);
    }
}

fn remove(id: u64) {
    if let Some((_, family)) = families().remove(&id) {
        LIVE.fetch_sub(1, Ordering::Relaxed);
        memory::refund(family.held_bytes());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn member(ticket: u64) -> Member {
        Member::live(ticket, RowId::from_bits(5))
    }

    fn join(group: &AtomicU64, member: Member) {
        super::join(group, member, Origin::Retained, None);
    }

    fn settle(group: &AtomicU64, ticket: u64, state: ReferenceState) {
        super::settle(group, ticket, state, None);
    }

    fn states(family: &Family) -> Vec<(u32, ReferenceState)> {
        family.members.iter().map(|member| (member.row.bits(), member.state)).collect()
    }

    #[test]
    fn siblings_are_the_others_with_what_became_of_them() {
        let group = AtomicU64::new(0);
        assert!(!exists(&group));
        note_creation(&group, RowId::from_bits(9));
        assert!(!exists(&group));
        join(&group, member(10));
        join(&group, member(12));
        settle(&group, 10, ReferenceState::Released);
        assert_eq!(states(&siblings(&group, 12)), [(9, ReferenceState::Live), (5, ReferenceState::Released)]);
        // The creation's reference has no trail: it is known by its row.
        settle_untraced(&group, RowId::from_bits(9), ReferenceState::Released);
        assert_eq!(states(&siblings(&group, 12)), [(9, ReferenceState::Released), (5, ReferenceState::Released)]);
        end(&group);
        assert!(siblings(&group, 12).members.is_empty());
    }

    #[test]
    fn a_creation_that_ended_before_the_family_was_founded_is_known_to_have() {
        let last = RowId::from_bits(RowId::COUNT - 1);
        for state in [ReferenceState::Live, ReferenceState::Released, ReferenceState::Lost] {
            let group = AtomicU64::new(0);
            note_creation(&group, last);
            settle_untraced(&group, RowId::from_bits(3), ReferenceState::Lost);
            if state != ReferenceState::Live {
                settle_untraced(&group, last, state);
            }
            join(&group, member(10));
            settle_untraced(&group, RowId::from_bits(3), ReferenceState::Lost);
            assert_eq!(states(&siblings(&group, 10)), [(last.bits(), state)]);
            end(&group);
        }
    }

    /// The creation ends while two others get the first trails: one family, and the creation's end in it.
    #[test]
    fn a_family_is_founded_once_and_sees_the_creation_end() {
        let rounds = if cfg!(miri) { 20 } else { 2_000 };
        for _ in 0..rounds {
            let group = AtomicU64::new(0);
            note_creation(&group, RowId::from_bits(9));
            std::thread::scope(|scope| {
                scope.spawn(|| join(&group, member(10)));
                scope.spawn(|| join(&group, member(12)));
                scope.spawn(|| settle_untraced(&group, RowId::from_bits(9), ReferenceState::Released));
            });
            let expected = [(9, ReferenceState::Released), (5, ReferenceState::Live)];
            assert_eq!(states(&siblings(&group, 10)), expected);
            assert_eq!(states(&siblings(&group, 12)), expected);
            end(&group);
        }
    }

    #[test]
    fn a_family_is_bounded_and_counts_the_rest() {
        let group = AtomicU64::new(0);
        for ticket in 1..=40 {
            join(&group, member(ticket * 2));
        }
        let family = siblings(&group, 2);
        assert_eq!((family.members.len(), family.omitted), (MAX_MEMBERS - 1, 24));
        assert_eq!(siblings(&group, 80).omitted, 23, "the fortieth is no sibling of its own");
        settle(&group, 10, ReferenceState::Released);
        join(&group, member(100));
        let tickets: Vec<_> = siblings(&group, 2).members.iter().map(|member| member.ticket).collect();
        assert!(tickets.contains(&100) && !tickets.contains(&10), "a released one made room: {tickets:?}");
        end(&group);
    }
}
