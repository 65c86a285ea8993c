//! What makes two creations the same site.

use std::hash::{Hash, Hasher};
use std::panic::Location;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use super::short_name::shorten;
use crate::report::Origin;

/// A site as the code names it: resource, place and origin.
///
/// Equal by text. `Location`'s own equality compares file, line and column, not addresses, which is what is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct SiteKey {
    /// The resource's name, or that of its type in full, which is shortened when the site is made: it takes longer than
    /// all the rest of a creation.
    pub(crate) resource: &'static str,
    /// True if `resource` is a type's name.
    pub(crate) is_type: bool,
    /// The call that created the handle.
    pub(crate) location: &'static Location<'static>,
    /// How the handle came to be.
    pub(crate) origin: Origin,
}

impl SiteKey {
    /// What the resource is called.
    pub(super) fn name(&self) -> &'static str {
        if self.is_type { shorten(self.resource) } else { self.resource }
    }
}

impl Hash for SiteKey {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.resource.hash(state);
        self.is_type.hash(state);
        self.location.hash(state);
        self.origin.hash(state);
    }
}

/// The same key by address: two equal ones are the same site, two different ones may be.
///
/// The ledger's number is never reused, so a key of a detector that is gone matches nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct AddressKey {
    location: usize,
    resource: usize,
    /// The ledger's number, the origin and the length of the resource's name, in one word.
    rest: u64,
}

/// The origin has two bits in the key.
const _: () = assert!((Origin::Sliced as u64) < 4);

impl AddressKey {
    /// What no site has.
    pub(super) const NONE: AddressKey = AddressKey { location: 0, resource: 0, rest: 0 };

    /// Whether both are a site of one ledger.
    pub(super) fn is_of_same_ledger(self, other: AddressKey) -> bool {
        self != AddressKey::NONE && self.rest >> 32 == other.rest >> 32
    }

    #[inline]
    pub(super) fn new(mark: u64, key: SiteKey) -> AddressKey {
        AddressKey {
            location: std::ptr::from_ref(key.location) as usize,
            resource: key.resource.as_ptr() as usize,
            // 2^32 ledgers; names of up to 512 MiB.
            rest: mark | (key.resource.len() as u64) << 3 | (key.origin as u64) << 1 | u64::from(key.is_type),
        }
    }

    /// Equality without a branch for each part.
    #[inline]
    pub(super) fn is(&self, other: AddressKey) -> bool {
        ((self.location ^ other.location) | (self.resource ^ other.resource)) as u64 | (self.rest ^ other.rest) == 0
    }

    /// The key's place in a cache of `places` entries.
    #[inline]
    pub(super) fn place(&self, places: usize) -> usize {
        // The location alone tells most keys apart; the multiplication spreads its aligned addresses.
        let mixed = (self.location as u64 ^ self.rest).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        (mixed >> 32) as usize % places
    }
}

/// A key within a cell, which readers of other threads share: they pass it over, so it only has to be three words that may be
/// written while somebody looks. Relaxed throughout: one thread uses it.
#[derive(Debug, Default)]
pub(super) struct AddressInCell {
    location: AtomicUsize,
    resource: AtomicUsize,
    rest: AtomicU64,
}

impl AddressInCell {
    pub(super) fn load(&self) -> AddressKey {
        AddressKey {
            location: self.location.load(Ordering::Relaxed),
            resource: self.resource.load(Ordering::Relaxed),
            rest: self.rest.load(Ordering::Relaxed),
        }
    }

    pub(super) fn store(&self, key: AddressKey) {
        self.location.store(key.location, Ordering::Relaxed);
        self.resource.store(key.resource, Ordering::Relaxed);
        self.rest.store(key.rest, Ordering::Relaxed);
    }
}
