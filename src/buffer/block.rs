//! A piece of raw memory.
#![allow(unsafe_code, reason = "the one place where buffers touch raw memory; listed in docs/SAFETY.md")]

use std::alloc::{self, Layout};
use std::mem::MaybeUninit;
use std::ptr::{self, NonNull};
use std::slice;

use super::place::{QUANTUM_BYTES, Slot};

/// Memory from the global allocator, or a pool's slot: its first part filled, the rest spare.
///
/// What `Vec<u8>` is, with an alignment, and with failure as an answer everywhere. Capacity 0 has no memory behind it.
///
/// Invariants:
/// - B1: without a slot, when `capacity` is not 0, `start` came from the global allocator with [`Block::layout`] and was
///   not freed; when it is 0, `start` is aligned and dangling. With a slot, `start` is the slot's and `capacity` at most
///   its bytes, which are this block's alone for as long as it has the slot.
/// - B2: `filled <= capacity`, and the bytes before `filled` are initialised.
/// - B3: nothing else points into the memory, but what was borrowed from this block.
#[derive(Debug)]
pub(super) struct Block {
    start: NonNull<u8>,
    capacity: usize,
    filled: usize,
    kind: BlockKind,
    slot: Option<Slot>,
}

/// What kind of memory is asked for.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct BlockKind {
    pub(super) alignment: Alignment,
    pub(super) contents: Contents,
}

/// Where a block may begin.
#[derive(Clone, Copy, Debug, Default)]
pub(super) enum Alignment {
    /// Anywhere.
    #[default]
    Byte,
    /// On a cache line of its own.
    CacheLine,
    /// At the beginning of a page.
    Page,
}

impl Alignment {
    /// The largest page that the target is commonly run with. Asking the system would give smaller pages on some
    /// machines, and would be the only reason for a system call here.
    const PAGE_BYTES: usize = if cfg!(all(target_arch = "aarch64", target_vendor = "apple")) {
        16 << 10
    } else if cfg!(any(target_arch = "aarch64", target_arch = "powerpc64", target_family = "wasm")) {
        64 << 10
    } else {
        4 << 10
    };

    const fn bytes(self) -> usize {
        match self {
            Alignment::Byte => 1,
            Alignment::CacheLine => QUANTUM_BYTES,
            Alignment::Page => Alignment::PAGE_BYTES,
        }
    }
}

// `Layout` and the dangling pointer of B1 need it.
const _: () = assert!(Alignment::PAGE_BYTES.is_power_of_two());

/// What is in a block's spare part when it is new.
#[derive(Clone, Copy, Debug, Default)]
pub(super) enum Contents {
    /// Nothing that may be read.
    #[default]
    Uninitialised,
    /// Zeros.
    Zeroed,
}

/// The system has no such memory.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct NoMemory;

// SAFETY: B3, a block owns its memory as a `Vec<u8>` does.
unsafe impl Send for Block {}
// SAFETY: B3, and through `&Block` the memory is only read.
unsafe impl Sync for Block {}

impl Block {
    /// Asks the system for memory; capacity 0 asks for nothing.
    pub(super) fn try_new(capacity: usize, kind: BlockKind) -> Result<Block, NoMemory> {
        let mut block = Block { start: Block::dangling(kind.alignment), capacity: 0, filled: 0, kind, slot: None };
        if capacity > 0 {
            block.try_grow(capacity)?;
        }
        Ok(block)
    }

    /// The memory of a slot, of which nothing is used yet.
    pub(super) fn in_slot(slot: Slot) -> Block {
        Block { start: slot.start(), capacity: 0, filled: 0, kind: BlockKind::default(), slot: Some(slot) }
    }

    /// The slot that this is the memory of.
    #[inline]
    pub(super) fn slot(&self) -> Option<&Slot> {
        self.slot.as_ref()
    }

    /// Begins anew in the same slot: empty, with a capacity that the caller has checked to fit it.
    #[inline]
    pub(super) fn begin(&mut self, capacity: usize, contents: Contents) {
        let room = self.slot.as_ref().map_or(0, Slot::bytes);
        assert!(capacity <= room, "B1: {capacity} of a slot of {room}");
        if let Some(slot) = &self.slot {
            slot.open(capacity);
        }
        self.filled = 0;
        self.capacity = capacity;
        self.kind.contents = contents;
        if let Contents::Zeroed = contents {
            self.zero_from(0);
        }
    }

    /// The end of a buffer: the slot lies ready, and nobody may touch it.
    #[inline]
    pub(super) fn end(&mut self) {
        if let Some(slot) = &self.slot {
            slot.shut();
        }
    }

    /// What the next owner of the same kind of memory has to be told.
    pub(super) fn contents(&self) -> Contents {
        self.kind.contents
    }

    /// Zeroes the memory from there to the end of the capacity.
    fn zero_from(&mut self, from: usize) {
        debug_assert!(from <= self.capacity);
        // SAFETY: `from` is at most the capacity of the memory (B1).
        let tail = unsafe { self.start.add(from) };
        // SAFETY: from `tail` on there are `capacity - from` bytes of this block.
        unsafe { tail.write_bytes(0, self.capacity - from) };
    }

    /// Moves to a larger piece of memory and takes the filled part along; on failure nothing has changed. In a slot there
    /// is nowhere to move to: it grows up to the slot's end, and what is more fails.
    pub(super) fn try_grow(&mut self, capacity: usize) -> Result<(), NoMemory> {
        debug_assert!(capacity > self.capacity, "growing from {} to {capacity}", self.capacity);
        if let Some(slot) = &self.slot {
            if capacity > slot.bytes() {
                return Err(NoMemory);
            }
            slot.open(capacity);
            let old = std::mem::replace(&mut self.capacity, capacity);
            if let Contents::Zeroed = self.kind.contents {
                self.zero_from(old);
            }
            return Ok(());
        }
        let layout = Block::layout(capacity, self.kind.alignment).ok_or(NoMemory)?;
        let start = match (self.capacity, self.kind.contents) {
            // SAFETY: the new capacity is above the old one, so the layout's size is not 0.
            (0, Contents::Uninitialised) => unsafe { alloc::alloc(layout) },
            // SAFETY: as above.
            (0, Contents::Zeroed) => unsafe { alloc::alloc_zeroed(layout) },
            (old, _) => {
                let old = Block::layout(old, self.kind.alignment).ok_or(NoMemory)?;
                // SAFETY: B1, `start` is an allocation of just this layout; the new size is not 0, and `layout` above
                // has checked that it does not overflow when it is rounded up.
                unsafe { alloc::realloc(self.start.as_ptr(), old, layout.size()) }
            }
        };
        let start = NonNull::new(start).ok_or(NoMemory)?;
        // From here on `start` is ours and the old memory is gone: nothing between may return.
        let old = std::mem::replace(&mut self.capacity, capacity);
        self.start = start;
        if let (1.., Contents::Zeroed) = (old, self.kind.contents) {
            self.zero_from(old);
        }
        Ok(())
    }

    pub(super) fn capacity(&self) -> usize {
        self.capacity
    }

    /// The part that has been written.
    pub(super) fn filled(&self) -> &[u8] {
        // SAFETY: B2; the borrow of `self` keeps the memory and keeps others from writing (B3).
        unsafe { slice::from_raw_parts(self.start.as_ptr(), self.filled) }
    }

    /// The part that has been written, to write it again.
    pub(super) fn filled_mut(&mut self) -> &mut [u8] {
        // SAFETY: B2; the exclusive borrow of `self` is the only way to the memory (B3).
        unsafe { slice::from_raw_parts_mut(self.start.as_ptr(), self.filled) }
    }

    /// The part that has not been written.
    pub(super) fn spare_mut(&mut self) -> &mut [MaybeUninit<u8>] {
        // SAFETY: B2, `filled` is within the memory, or 0 on a dangling pointer.
        let spare = unsafe { self.start.add(self.filled) };
        // SAFETY: `capacity - filled` bytes of the block follow, which need not be initialised for this type.
        unsafe { slice::from_raw_parts_mut(spare.cast::<MaybeUninit<u8>>().as_ptr(), self.capacity - self.filled) }
    }

    /// For blocks that were asked to be zero when they are new. Miri tells if it is not even initialised.
    #[cfg(all(test, not(leaktrail_loom)))]
    pub(super) fn spare_is_zero(&mut self) -> bool {
        let zero = |byte: &MaybeUninit<u8>| {
            // SAFETY: zeroed when it was new.
            unsafe { byte.assume_init() == 0 }
        };
        self.spare_mut().iter().all(zero)
    }

    /// Appends bytes. The caller has checked that they fit.
    pub(super) fn put_slice(&mut self, bytes: &[u8]) {
        let (spare, count) = (&mut self.spare_mut()[..bytes.len()], bytes.len());
        // SAFETY: both are `count` bytes long, and a shared slice cannot overlap an exclusive one.
        unsafe { ptr::copy_nonoverlapping(bytes.as_ptr(), spare.as_mut_ptr().cast::<u8>(), count) };
        // SAFETY: the first `count` spare bytes have just been written.
        unsafe { self.advance(count) };
    }

    /// Appends so many bytes of one value. The caller has checked that they fit.
    pub(super) fn put_repeated(&mut self, value: u8, count: usize) {
        self.spare_mut()[..count].fill(MaybeUninit::new(value));
        // SAFETY: the first `count` spare bytes have just been written.
        unsafe { self.advance(count) };
    }

    /// Keeps only so many of the filled bytes.
    pub(super) fn truncate(&mut self, filled: usize) {
        self.filled = self.filled.min(filled);
    }

    /// Counts spare bytes as filled.
    ///
    /// # Safety
    /// The first `count` bytes of [`spare_mut`](Block::spare_mut) exist and are initialised.
    pub(super) unsafe fn advance(&mut self, count: usize) {
        debug_assert!(
            count <= self.capacity - self.filled,
            "B2: {count} more than {} of {}",
            self.filled,
            self.capacity
        );
        self.filled += count;
    }

    /// B1. `None` when no address space could hold so much.
    fn layout(capacity: usize, alignment: Alignment) -> Option<Layout> {
        Layout::from_size_align(capacity, alignment.bytes()).ok()
    }

    fn dangling(alignment: Alignment) -> NonNull<u8> {
        // An alignment is never 0, so the second way is never taken.
        NonNull::new(ptr::without_provenance_mut(alignment.bytes())).unwrap_or(NonNull::dangling())
    }
}

impl Drop for Block {
    fn drop(&mut self) {
        if self.slot.is_none()
            && self.capacity > 0
            && let Some(layout) = Block::layout(self.capacity, self.kind.alignment)
        {
            // SAFETY: B1, and by B3 nothing points here any more.
            unsafe { alloc::dealloc(self.start.as_ptr(), layout) };
        }
    }
}

#[cfg(all(test, not(leaktrail_loom)))]
mod tests {
    use super::*;

    fn kinds() -> [BlockKind; 4] {
        let kind = |alignment, contents| BlockKind { alignment, contents };
        [
            kind(Alignment::Byte, Contents::Uninitialised),
            kind(Alignment::Byte, Contents::Zeroed),
            kind(Alignment::Page, Contents::Uninitialised),
            kind(Alignment::Page, Contents::Zeroed),
        ]
    }

    #[test]
    fn growing_takes_the_filled_part_along_and_keeps_the_kind() {
        for kind in kinds() {
            let mut block = Block::try_new(0, kind).unwrap();
            let mut expected = Vec::new();
            for capacity in [1, 7, 8, 5000, if cfg!(miri) { 6000 } else { 70_000 }] {
                block.try_grow(capacity).unwrap();
                block.put_slice(&[capacity as u8]);
                expected.push(capacity as u8);
                assert_eq!((block.capacity(), block.filled()), (capacity, &expected[..]), "{kind:?}");
                assert_eq!(block.filled().as_ptr().addr() % kind.alignment.bytes(), 0, "{kind:?}");
                assert_eq!(block.spare_mut().len(), capacity - expected.len(), "{kind:?}");
                if let Contents::Zeroed = kind.contents {
                    assert!(block.spare_is_zero(), "{kind:?} {capacity}");
                }
            }
        }
    }

    #[test]
    fn a_block_of_nothing_is_good_for_nothing_and_safe() {
        for kind in kinds() {
            let mut block = Block::try_new(0, kind).unwrap();
            assert_eq!((block.capacity(), block.spare_mut().len(), block.filled().len()), (0, 0, 0));
            assert_eq!(block.filled().as_ptr().addr() % kind.alignment.bytes(), 0);
            block.filled_mut().fill(1);
            block.put_slice(&[]);
            block.put_repeated(1, 0);
            block.truncate(0);
        }
    }

    #[test]
    fn what_no_address_space_holds_is_an_error_and_changes_nothing() {
        for kind in kinds() {
            for capacity in [isize::MAX as usize + 1, usize::MAX] {
                assert_eq!(Block::try_new(capacity, kind).unwrap_err(), NoMemory);
                let mut block = Block::try_new(4, kind).unwrap();
                block.put_slice(b"head");
                assert_eq!(block.try_grow(capacity), Err(NoMemory));
                assert_eq!((block.capacity(), block.filled()), (4, &b"head"[..]));
            }
        }
    }
}
