//! The rules that were needed so far, by return address.
#![allow(unsafe_code, reason = "reaches a set by its offset in bytes; listed in docs/SAFETY.md")]

use std::sync::atomic::{AtomicU64, Ordering};

use super::rule::Packed;
use crate::stack::ground::captured::mix;

/// Addresses have 47 bits: what x86_64 gives to programs. Above it there is nothing to keep.
const ADDRESS_BITS: u32 = 47;
/// Bits of an entry that say whose it is.
const TAG_BITS: u32 = 32;
/// Pairs of entries. 512 KiB in all, of which only pages that are used take memory: a large server has some thousand return
/// addresses on its stacks.
const SETS: usize = 1 << (ADDRESS_BITS - TAG_BITS);

/// A table of the process without locks: one word an entry, so an entry is whole or another one, never torn.
///
/// An address times an odd number is, modulo 2^47, a permutation of the addresses. Of the product the lower 32 bits are the tag
/// and the next 15 the set, so the two together tell exactly which address it is. Beside its tag an entry has the 32 bits of the
/// rule; without a rule they are 0.
///
/// A set has two entries, so that two addresses of one loop that meet there do not throw each other out for ever.
#[derive(Debug)]
pub(super) struct Table {
    sets: [[AtomicU64; 2]; SETS],
}

impl Table {
    pub(super) const fn new() -> Table {
        Table { sets: [const { [const { AtomicU64::new(0) }; 2] }; SETS] }
    }

    /// The rule of a return address below 2^47, by its [`mix`]; [`Packed::NONE`] if it is not here.
    ///
    /// # Cost
    /// One or two loads from one cache line. No lock, no write.
    #[inline(always)]
    pub(super) fn find(&self, mixed: u64) -> Packed {
        // SAFETY: T1, so this is one of the sets.
        let [first, second] = unsafe { &*self.sets.as_ptr().wrapping_byte_add(offset(mixed)) };
        // Relaxed, here and below: an entry is the whole message, and what it was made from never changes.
        let mut entry = first.load(Ordering::Relaxed);
        if entry as u32 != mixed as u32 {
            entry = second.load(Ordering::Relaxed);
            if entry as u32 != mixed as u32 {
                return Packed::NONE;
            }
        }
        Packed::from_bits((entry >> TAG_BITS) as u32)
    }

    /// Keeps the rule of a return address. The older one of the set's two goes to the second place, and what was there is
    /// forgotten: it is found again in the module.
    pub(super) fn keep(&self, address: usize, rule: Packed) {
        if !has_place(address) {
            return;
        }
        let mixed = mix(address);
        let [first, second] = &self.sets[offset(mixed) / SET_BYTES];
        // Two threads that do this at once may lose an entry or have it twice; each is right wherever it stands.
        second.store(first.load(Ordering::Relaxed), Ordering::Relaxed);
        first.store(u64::from(rule.bits()) << TAG_BITS | mixed & ((1 << TAG_BITS) - 1), Ordering::Relaxed);
    }
}

/// True for an address that [`Table::find`] may be asked for. Others look like one below 2^47 to it.
#[inline(always)]
pub(super) fn has_place(address: usize) -> bool {
    address as u64 >> ADDRESS_BITS == 0
}

/// Bytes of a set.
const SET_BYTES: usize = size_of::<[AtomicU64; 2]>();

/// Where the set of an address begins, in bytes. The bits stand where they are needed already: two instructions instead of three,
/// which a walk has thirty times.
///
/// Invariant T1: a multiple of a set's bytes, and below the bytes of all.
#[inline(always)]
fn offset(mixed: u64) -> usize {
    (mixed >> (TAG_BITS - SET_BYTES.trailing_zeros())) as usize & ((SETS - 1) * SET_BYTES)
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use proptest::prelude::*;

    use super::super::rule::{Base, Rule};
    use super::*;

    fn rule(number: u32) -> Packed {
        Packed::new(Rule::Caller { base: Base::Stack, end: 8 + number % 16_000 * 8, saved: 0 }).unwrap()
    }

    /// Never as a value on the stack: it is half a megabyte.
    fn table() -> &'static Table {
        static TABLES: [Table; 66] = [const { Table::new() }; 66];
        static NEXT: std::sync::atomic::AtomicUsize = std::sync::atomic::AtomicUsize::new(0);
        &TABLES[NEXT.fetch_add(1, Ordering::Relaxed)]
    }

    /// The address with that mix modulo 2^47, by Newton's steps.
    fn unmixed(mixed: u64) -> usize {
        let odd = mix(1);
        let inverse =
            (0..6).fold(odd, |inverse, _| inverse.wrapping_mul(2_u64.wrapping_sub(odd.wrapping_mul(inverse))));
        (mixed.wrapping_mul(inverse) & ((1 << ADDRESS_BITS) - 1)) as usize
    }

    #[test]
    fn no_two_addresses_are_taken_for_each_other() {
        for address in [1, 0x55d0_1234_5678, 0x7fff_ffff_ffff, 0x7f00_0000_1000] {
            let mixed = mix(address);
            let told = ((offset(mixed) / SET_BYTES) as u64) << TAG_BITS | u64::from(mixed as u32);
            assert_eq!(unmixed(told), address, "set and tag say which address it is");
        }
    }

    #[test]
    fn every_offset_is_that_of_a_set() {
        for mixed in [0, u64::MAX, 1 << 32, 0x1234_5678_9abc_def0, u64::MAX << 32, !(u64::MAX << 32)] {
            assert_eq!(offset(mixed) % SET_BYTES, 0);
            assert!(offset(mixed) < SETS * SET_BYTES);
            assert_eq!(offset(mixed) / SET_BYTES, (mixed >> TAG_BITS) as usize % SETS);
        }
    }

    #[test]
    fn what_is_beyond_user_space_is_not_kept() {
        let table = table();
        let near = 0x1234_5678_usize;
        table.keep(near, rule(7));
        for above in [1 << 47, 1 << 48, 1 << 63] {
            assert!(!has_place(near | above));
            table.keep(near | above, rule(9));
        }
        assert_eq!(table.find(mix(near)), rule(7));
        assert_eq!(table.find(mix(0)), Packed::NONE);
        assert!(has_place(near) && !has_place(usize::MAX));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        /// Against a map: what is found is what was kept last for that very address. It may have been forgotten.
        #[test]
        fn what_is_found_is_what_was_kept(steps in prop::collection::vec((0..40_usize, any::<bool>(), any::<u16>()), 1..400)) {
            let table = table();
            // Few sets: addresses that the mix sends to three of them.
            let addresses: Vec<usize> =
                (0..40_u64).map(|n| unmixed((n % 3) << TAG_BITS | (n / 3) << 20 | 1)).collect();
            let mut map = HashMap::new();
            for (which, keeps, number) in steps {
                let address = addresses[which];
                if keeps {
                    table.keep(address, rule(u32::from(number)));
                    map.insert(address, rule(u32::from(number)));
                    prop_assert_eq!(table.find(mix(address)), rule(u32::from(number)));
                }
                let found = table.find(mix(address));
                if found != Packed::NONE {
                    prop_assert_eq!(Some(&found), map.get(&address));
                }
            }
        }
    }
}
