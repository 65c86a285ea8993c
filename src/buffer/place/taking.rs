//! Where memory for a buffer is looked for, and in which order.

use std::sync::Arc;

use super::arena::Found;
use super::arenas::Arenas;
use super::chunk::Chunk;
use super::direct::Direct;
use super::size_class::SizeClass;
use super::slot::Slot;
use crate::memory::OutOfDirectMemory;

/// What was found.
#[derive(Debug)]
pub(crate) enum Taken {
    /// Slots of the class that was asked for, one or more.
    Slots(Vec<Slot>),
    /// No place in a chunk, but leave to ask the system for just so many bytes.
    Direct(Direct),
}

/// Finds memory for a buffer of that capacity, for a thread of that arena; slots of up to `at_most` buffers where they
/// are to be had at once.
///
/// ```text
/// larger than a chunk ──────────────────────────────────────────┐
/// a slot in the arena · a new chunk · a slot in another arena · just its bytes
///      ▲                                                        │ none fits
///      └── once more, after the reclaim hooks of the budget ◄───┘ and then the error
/// ```
///
/// Just the buffer's bytes come before the hooks, so that a budget with room for the buffer and none for a chunk does not
/// empty the caches each time. No lock is held while anything is reserved, so a hook may come back here.
///
/// # Errors
/// When its bytes alone do not fit into the budget. The error names the caller.
#[track_caller]
pub(crate) fn take(
    arenas: &Arc<Arenas>,
    home: usize,
    capacity: usize,
    at_most: usize,
) -> Result<Taken, OutOfDirectMemory> {
    if let Some(taken) = look(arenas, home, capacity, at_most) {
        return Ok(taken);
    }
    arenas.memory().reclaim(capacity as u64);
    if let Some(taken) = look(arenas, home, capacity, at_most) {
        return Ok(taken);
    }
    let reservation = arenas.memory().try_reserve(capacity as u64)?;
    Ok(Taken::Direct(Direct::new(arenas.clone(), reservation)))
}

/// Slots from what the pool has, or from a chunk that can be had at once; nobody is asked, and nothing is paid for alone.
pub(crate) fn ready(arenas: &Arc<Arenas>, home: usize, capacity: usize, at_most: usize) -> Vec<Slot> {
    if capacity > arenas.chunk_size().bytes() {
        return Vec::new();
    }
    let class = SizeClass::of(capacity);
    let found = in_a_chunk(arenas, home, class, at_most);
    let slots = |(arena, found): (usize, Vec<Found>)| {
        found.into_iter().map(|found| Slot::new(arenas.clone(), arena, class, found)).collect()
    };
    found.map(slots).unwrap_or_default()
}

fn look(arenas: &Arc<Arenas>, home: usize, capacity: usize, at_most: usize) -> Option<Taken> {
    let slots = ready(arenas, home, capacity, at_most);
    if !slots.is_empty() {
        return Some(Taken::Slots(slots));
    }
    let reservation = arenas.memory().try_take(capacity as u64)?;
    Some(Taken::Direct(Direct::new(arenas.clone(), reservation)))
}

/// Slots, and the number of the arena that they are in.
fn in_a_chunk(arenas: &Arenas, home: usize, class: SizeClass, at_most: usize) -> Option<(usize, Vec<Found>)> {
    let some = |arena: usize, found: Vec<Found>| (!found.is_empty()).then_some((arena, found));
    some(home, arenas.arena(home).take(class, at_most))
        .or_else(|| {
            let reservation = arenas.memory().try_take(arenas.chunk_size().bytes() as u64)?;
            let chunk = Chunk::try_new(reservation)?;
            some(home, arenas.arena(home).take_from_new(chunk, class, at_most))
        })
        .or_else(|| {
            let others = (0..arenas.count()).filter(|other| *other != home);
            others.filter_map(|other| some(other, arenas.arena(other).take(class, at_most))).next()
        })
}
