//! Where the memory of a pool's buffer comes from and goes to.

use std::sync::Arc;

use super::alloc_error::AllocError;
use super::at_hand;
use super::block::{Alignment, Block, BlockKind, Contents};
use super::payment::Payment;
use super::place::{self, Arenas, Direct, SizeClass, Slot, Taken};
use super::storage::Storage;
use super::thread_cache::Surplus;
use crate::memory::Reservation;

/// The storage of a buffer of that capacity from this thread's cache; `None` where that has none.
///
/// Not inlined, so that who allocates has a small function around it, whose answer stays in registers.
#[inline(never)]
pub(super) fn at_hand(arenas: &Arenas, capacity: usize, contents: Contents) -> Option<Box<Storage>> {
    if capacity > SizeClass::LARGEST_BYTES {
        return None;
    }
    let mut storage = at_hand::take(arenas.id(), SizeClass::of(capacity), capacity)?;
    storage.block.begin(capacity, contents);
    Some(storage)
}

/// The same from the arenas, where the cache has none.
#[cold]
#[track_caller]
pub(super) fn fetch(arenas: &Arc<Arenas>, capacity: usize, contents: Contents) -> Result<Box<Storage>, AllocError> {
    let (arena, at_most) = wanted(arenas, capacity);
    match place::take(arenas, arena, capacity, at_most) {
        Ok(Taken::Slots(slots)) => in_slot(slots, capacity, contents),
        Ok(Taken::Direct(direct)) => alone(direct, capacity, contents),
        Err(error) => Err(AllocError::refused(error, capacity)),
    }
}

/// The same from what the pool has or can have at once; `None` instead of a refusal.
#[cold]
pub(super) fn ready(arenas: &Arc<Arenas>, capacity: usize, contents: Contents) -> Option<Box<Storage>> {
    let (arena, at_most) = wanted(arenas, capacity);
    let slots = place::ready(arenas, arena, capacity, at_most);
    if slots.is_empty() { None } else { in_slot(slots, capacity, contents).ok() }
}

/// A buffer for which its bytes have been waited for.
pub(super) fn paid(
    arenas: &Arc<Arenas>,
    reservation: Reservation,
    capacity: usize,
    contents: Contents,
) -> Result<Box<Storage>, AllocError> {
    alone(Direct::new(arenas.clone(), reservation), capacity, contents)
}

/// The arena of this thread, and how many slots are worth fetching.
fn wanted(arenas: &Arenas, capacity: usize) -> (usize, usize) {
    let small = capacity <= arenas.chunk_size().bytes();
    let wanted = if small { at_hand::wanted(arenas.id(), SizeClass::of(capacity)) } else { None };
    wanted.map_or((0, 1), |wanted| (wanted.arena, wanted.at_most))
}

/// The first of these slots for the buffer, the others to have at hand.
fn in_slot(slots: Vec<Slot>, capacity: usize, contents: Contents) -> Result<Box<Storage>, AllocError> {
    let no_memory = || AllocError::System { requested: capacity };
    let mut slots = slots.into_iter();
    let first = slots.next().ok_or_else(no_memory)?;
    let pool = first.pool();
    let mut storage = Storage::try_new(Block::in_slot(first), Payment::Chunk).map_err(|_| no_memory())?;
    // Without a header a slot goes back to its arena at once.
    let others: Surplus =
        slots.filter_map(|slot| Storage::try_new(Block::in_slot(slot), Payment::Chunk).ok()).collect();
    if !others.is_empty() {
        at_hand::stock_up(pool, others);
    }
    if let Some(slot) = storage.block.slot() {
        at_hand::lend(slot, capacity);
    }
    storage.block.begin(capacity, contents);
    Ok(storage)
}

/// A buffer that no chunk has.
fn alone(direct: Direct, capacity: usize, contents: Contents) -> Result<Box<Storage>, AllocError> {
    let kind = BlockKind { alignment: Alignment::CacheLine, contents };
    let block = Block::try_new(capacity, kind);
    let storage = block.and_then(|block| Storage::try_new(block, Payment::Direct(direct)));
    storage.map_err(|_| AllocError::System { requested: capacity })
}

/// Makes room for so many bytes in all, in the same slot or another one; on failure nothing has changed.
#[track_caller]
pub(super) fn grow(storage: &mut Storage, capacity: usize) -> Result<(), AllocError> {
    let Some(slot) = storage.block.slot() else { return Err(AllocError::System { requested: capacity }) };
    if capacity <= slot.bytes() {
        at_hand::grow(slot, capacity - storage.block.capacity());
        return storage.block.try_grow(capacity).map_err(|_| AllocError::System { requested: capacity });
    }
    let contents = storage.block.contents();
    let mut other = match at_hand(slot.arenas(), capacity, contents) {
        Some(other) => other,
        None => fetch(slot.arenas(), capacity, contents)?,
    };
    other.block.put_slice(storage.block.filled());
    std::mem::swap(&mut storage.block, &mut other.block);
    std::mem::swap(&mut storage.payment, &mut other.payment);
    put_back(other);
    Ok(())
}

/// The end of a buffer's memory: it goes back where it came from, or lies ready.
#[inline]
pub(super) fn put_back(storage: Box<Storage>) {
    match storage.payment {
        Payment::Chunk => at_hand::put_back(storage),
        Payment::Own(_) | Payment::Direct(_) => drop(storage),
    }
}
