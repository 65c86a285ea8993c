//! What all references of a buffer share, and the counted pointer to it.
#![allow(unsafe_code, reason = "a counted pointer with fallible allocation; listed in docs/SAFETY.md")]

use std::alloc::{self, Layout};
use std::mem::ManuallyDrop;
use std::ptr::NonNull;

use super::block::{Block, NoMemory};
use super::hook_place::HookPlace;
use super::payment::Payment;
use super::place::{SizeClass, Slot};
use super::ref_count::RefCount;
use super::retain_error::RetainError;
use crate::memory::Fill;
use crate::sync::AtomicU64;

/// A buffer: its memory, what pays for it, who watches it, and how many references it has.
#[derive(Debug)]
pub(super) struct Storage {
    pub(super) block: Block,
    /// After the block: the memory goes back before what pays for it, so that the budget never promises bytes that are
    /// still in use.
    pub(super) payment: Payment,
    pub(super) hook: HookPlace,
    /// The hook's word for this buffer.
    pub(super) group: AtomicU64,
    count: RefCount,
}

/// A counted pointer to a [`Storage`]; the last one to go frees it.
///
/// An `Arc` that can fail to allocate, tells the last release from the others, counts no further than
/// [`RefCount::MAX`], and can be abandoned. Dropping it is a release that the hook is not asked about; that is the
/// business of [`Reference`](super::reference::Reference).
///
/// What is left when the last one is released is the caller's, so that a pool can use it again.
///
/// Invariants:
/// - S1: the pointer came from `Box::into_raw` and is not freed while its count is above 0.
/// - S2: each `StorageRef` accounts for one in the count; an abandoned one goes on doing so without existing.
/// - S3: a `&mut Storage` is only handed out while the count is 1, and borrows the one `StorageRef` exclusively.
#[derive(Debug)]
pub(super) struct StorageRef(NonNull<Storage>);

const fn assert_send_sync<T: Send + Sync>() {}
const _: () = assert_send_sync::<Storage>();

// SAFETY: as for `Arc<T>`: it shares a `Storage`, which is `Sync`, and may free it here, which is `Send` (asserted
// above).
unsafe impl Send for StorageRef {}
// SAFETY: as above; through `&StorageRef` another `StorageRef` can be made on another thread.
unsafe impl Sync for StorageRef {}

impl Storage {
    /// A buffer that nobody has yet. On failure block and payment are given back, in this order.
    pub(super) fn try_new(block: Block, payment: Payment) -> Result<Box<Storage>, NoMemory> {
        let storage =
            Storage { block, payment, hook: HookPlace::default(), group: AtomicU64::new(0), count: RefCount::one() };
        try_box(storage).ok_or(NoMemory)
    }

    /// How full the budget is that pays for it.
    pub(super) fn fill(&self) -> Fill {
        match (&self.payment, self.block.slot()) {
            (Payment::Own(reservation), _) => reservation.fill(),
            (Payment::Direct(direct), _) => direct.fill(),
            (Payment::Chunk, slot) => slot.map_or(Fill::NONE, Slot::fill),
        }
    }

    /// The class of its slot; `None` for a buffer that has none.
    #[inline]
    pub(super) fn class(&self) -> Option<SizeClass> {
        self.block.slot().map(Slot::class)
    }

    /// Counts the bytes as gone for good: those of the buffer, once.
    fn abandon_shared(&self) {
        match &self.payment {
            Payment::Own(reservation) => reservation.abandon_shared(),
            Payment::Direct(direct) => direct.abandon_shared(),
            Payment::Chunk => {
                if let Some(slot) = self.block.slot() {
                    slot.abandon_shared(self.block.capacity());
                }
            }
        }
    }
}

impl StorageRef {
    /// The first reference to a buffer.
    #[inline]
    pub(super) fn new(mut storage: Box<Storage>) -> StorageRef {
        // S2: nobody else has a reference to what was just owned.
        storage.count = RefCount::one();
        StorageRef(NonNull::from(Box::leak(storage)))
    }

    #[inline]
    pub(super) fn storage(&self) -> &Storage {
        // SAFETY: S1 and S2, the storage lives at least as long as `self`; S3, nobody has it exclusively.
        unsafe { self.0.as_ref() }
    }

    /// Exclusive access, while this is the only reference.
    #[inline]
    pub(super) fn storage_mut(&mut self) -> Option<&mut Storage> {
        if !self.storage().count.is_one() {
            return None;
        }
        // SAFETY: S1; by S2 there is no other reference, and none can be made while `self` is borrowed (S3).
        Some(unsafe { self.0.as_mut() })
    }

    /// One more reference.
    pub(super) fn try_retain(&self) -> Result<StorageRef, RetainError> {
        self.storage().count.try_retain()?;
        Ok(StorageRef(self.0))
    }

    pub(super) fn ref_cnt(&self) -> u32 {
        self.storage().count.get()
    }

    /// One reference less; what it referred to, when it was the last one.
    #[inline]
    pub(super) fn release(self) -> Option<Box<Storage>> {
        // The count below is this reference's; its drop must not count a second time.
        ManuallyDrop::new(self).count_down()
    }

    /// Ends this reference without counting down: the memory never goes back, and its bytes count as abandoned.
    pub(super) fn abandon(self) {
        let this = ManuallyDrop::new(self);
        this.storage().abandon_shared();
    }

    /// Pretends that there are so many references.
    #[cfg(all(test, not(leaktrail_loom)))]
    pub(super) fn set_ref_cnt(&self, count: u32) {
        self.storage().count.set(count);
    }

    /// Takes this reference off the count. Called at most once for each, as the last thing.
    #[inline]
    fn count_down(&self) -> Option<Box<Storage>> {
        self.storage().count.release().then(|| {
            // SAFETY: S1; the count is 0, so by S2 no reference is left and this is the only one to see it become so.
            unsafe { Box::from_raw(self.0.as_ptr()) }
        })
    }
}

impl Drop for StorageRef {
    fn drop(&mut self) {
        self.count_down();
    }
}

/// `Box::new` that gives the value up where `Box::new` would end the process.
fn try_box<T>(value: T) -> Option<Box<T>> {
    const { assert!(size_of::<T>() > 0) };
    // SAFETY: the layout's size is not 0, as asserted.
    let place = NonNull::new(unsafe { alloc::alloc(Layout::new::<T>()) })?.cast::<T>();
    // SAFETY: `place` is new memory of T's layout.
    unsafe { place.write(value) };
    // SAFETY: `place` came from the global allocator with T's layout, holds a T, and is owned by nobody else.
    Some(unsafe { Box::from_raw(place.as_ptr()) })
}
