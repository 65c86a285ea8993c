//! One thread's counters of one site.

use std::sync::atomic::{AtomicU32, Ordering};

use super::key::{AddressInCell, AddressKey};
use super::row_id::RowId;
use super::tally::Tally;

/// A cache line that one thread writes and snapshots read: what is counted, when the next sample is due, and for the thread
/// itself which site it is.
#[derive(Debug, Default)]
#[repr(align(64))]
pub(crate) struct SiteCell {
    pub(super) tally: Tally,
    row: AtomicU32,
    /// Creations until the next sample; 0 before the thread's first one, 1 when the next is due.
    until_sample: AtomicU32,
    address: AddressInCell,
}

const _: () = assert!(cfg!(leaktrail_loom) || size_of::<SiteCell>() == 64, "a cell is one cache line");

impl SiteCell {
    /// The row whose site this is.
    #[inline]
    pub(crate) fn row(&self) -> RowId {
        // Relaxed: set before the cell is published by its block.
        RowId::from_bits(self.row.load(Ordering::Relaxed))
    }

    pub(super) fn assign(&self, row: RowId) {
        self.address.store(AddressKey::NONE);
        self.until_sample.store(0, Ordering::Relaxed);
        self.row.store(row.bits(), Ordering::Relaxed);
    }

    /// The site's address, by the cell's thread alone. One that no key has where the thread has only met the row.
    pub(super) fn address(&self) -> AddressKey {
        self.address.load()
    }

    pub(super) fn set_address(&self, address: AddressKey) {
        self.address.store(address);
    }

    /// Makes the cell one of a site that nobody has met.
    pub(super) fn reset(&self) {
        self.tally.clear();
        self.until_sample.store(0, Ordering::Relaxed);
    }

    /// One handle more.
    #[inline]
    pub(crate) fn create(&self, bytes: u64) {
        self.tally.create_alone(bytes);
    }

    /// True if the next creation is to be sampled: the thread's first here, or one whose turn has come.
    #[inline]
    pub(crate) fn is_sample_due(&self) -> bool {
        // Relaxed, here and below: only this thread uses it.
        self.until_sample.load(Ordering::Relaxed) <= 1
    }

    /// Lets a creation go by that is not sampled.
    #[inline]
    pub(crate) fn pass_by(&self) {
        self.until_sample.store(self.until_sample.load(Ordering::Relaxed).wrapping_sub(1), Ordering::Relaxed);
    }

    /// Sets how many creations go by before the next sample.
    pub(crate) fn set_skip(&self, creations: u32) {
        self.until_sample.store(creations.saturating_add(1), Ordering::Relaxed);
    }
}
