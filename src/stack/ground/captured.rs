//! What a walk takes: return addresses of a thread, innermost first.
#![allow(unsafe_code, reason = "an array of which only the first part is filled; listed in docs/SAFETY.md")]

use std::fmt;
use std::mem::MaybeUninit;

/// The most frames a stack can be set to have.
pub(crate) const MAX_FRAMES: usize = 128;
/// Frames taken beyond the wish: those of this crate lie innermost and are trimmed when the report is made. Without
/// optimisation nothing is inlined, and there are more of them.
pub(in crate::stack) const OWN_FRAMES: usize = if cfg!(debug_assertions) { 16 } else { 8 };
const CAPACITY: usize = MAX_FRAMES + OWN_FRAMES;

/// A stack as it was taken: at most 144 return addresses in a fixed array.
///
/// Invariant C1: the first `len` addresses are filled.
pub(crate) struct Captured {
    /// Not zeroed: that would cost as much as a fifth of the walk.
    addresses: [MaybeUninit<usize>; CAPACITY],
    len: usize,
    limit: usize,
    hash: u64,
    cut: bool,
}

/// Multiplier of the hash: 2^64 divided by the golden ratio, made odd.
const GOLDEN: u64 = 0x9E37_79B9_7F4A_7C15;

impl Captured {
    /// An empty one, to be filled where it stands: to hand over a kilobyte would be a copy.
    #[inline(always)]
    pub(crate) const fn empty() -> Captured {
        Captured {
            addresses: [const { MaybeUninit::uninit() }; CAPACITY],
            len: 0,
            limit: CAPACITY,
            hash: 0,
            cut: false,
        }
    }

    /// Makes room for `max_frames` below this crate's own.
    #[inline(always)]
    pub(in crate::stack) fn set_limit(&mut self, max_frames: u8) {
        self.limit = (usize::from(max_frames) + OWN_FRAMES).min(CAPACITY);
    }

    /// An empty one with as much room as this.
    pub(in crate::stack) fn emptied(&self) -> Captured {
        Captured { limit: self.limit, ..Captured::empty() }
    }

    /// A stack of these addresses, for tests of what is done with stacks.
    #[cfg(test)]
    pub(crate) fn of(addresses: &[usize]) -> Captured {
        let mut stack = Captured::empty();
        assert!(addresses.iter().all(|&address| stack.push(address)));
        stack
    }

    /// Adds an address; false, and marked as cut, if there is no place left.
    pub(in crate::stack) fn push(&mut self, address: usize) -> bool {
        if self.len == self.limit {
            self.cut = true;
            return false;
        }
        self.addresses[self.len].write(address);
        self.len += 1;
        self.hash = fold(self.hash, mix(address));
        true
    }

    /// Empties it.
    pub(in crate::stack) fn clear(&mut self) {
        (self.len, self.hash, self.cut) = (0, 0, false);
    }

    /// Where a walk writes, and how many addresses at most.
    #[inline(always)]
    pub(in crate::stack) fn room(&mut self) -> (*mut usize, usize) {
        (self.addresses.as_mut_ptr().cast(), self.limit)
    }

    /// Takes over what a walk has written to [`room`](Captured::room).
    ///
    /// # Safety
    /// The first `len` addresses there are filled, and `len` is at most the limit.
    #[inline(always)]
    pub(in crate::stack) unsafe fn set(&mut self, len: usize, hash: u64, cut: bool) {
        debug_assert!(len <= self.limit);
        (self.len, self.hash, self.cut) = (len, hash, cut);
    }

    /// The return addresses, innermost first.
    pub(crate) fn addresses(&self) -> &[usize] {
        let filled = &self.addresses[..self.len];
        // SAFETY: C1, and a filled `MaybeUninit` is laid out as what it has.
        unsafe { &*(std::ptr::from_ref(filled) as *const [usize]) }
    }

    /// True if the stack was deeper than the limit.
    pub(crate) fn is_cut(&self) -> bool {
        self.cut
    }

    /// A hash of the addresses.
    pub(crate) fn hash(&self) -> u64 {
        self.hash
    }
}

/// An address times an odd number: its bits are spread, and every address keeps a value of its own.
#[inline(always)]
pub(in crate::stack) fn mix(address: usize) -> u64 {
    (address as u64).wrapping_mul(GOLDEN)
}

/// The hash of a stack with one address more, by its [`mix`], which a walk needs anyway. It costs nothing there: the next address
/// does not wait for it.
#[inline(always)]
pub(in crate::stack) fn fold(hash: u64, mixed: u64) -> u64 {
    hash.rotate_left(5).wrapping_add(mixed)
}

impl fmt::Debug for Captured {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Captured").field("addresses", &self.addresses()).field("cut", &self.cut).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hash_is_that_of_the_addresses_in_their_order() {
        let hash = |addresses: &[usize]| Captured::of(addresses).hash();
        assert_eq!(hash(&[1, 2, 3]), hash(&[1, 2, 3]));
        assert_ne!(hash(&[1, 2, 3]), hash(&[3, 2, 1]));
        assert_ne!(hash(&[1, 2]), hash(&[1, 2, 3]));
        assert_eq!(hash(&[7]), fold(0, mix(7)));
    }
}
