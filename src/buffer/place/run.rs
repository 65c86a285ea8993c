//! Slots of one size, side by side.

use super::size_class::SizeClass;

/// Which slots of a run are free: a bit for each.
#[derive(Debug)]
pub(super) struct Run {
    pub(super) class: SizeClass,
    free: u128,
    /// What `free` is when nobody has a slot.
    all: u128,
}

impl Run {
    /// A run of which every slot is free.
    pub(super) fn new(class: SizeClass) -> Run {
        // At most 128 of them, see `SizeClass::run_slots`; a shift by 0 for just that many.
        let all = u128::MAX >> (u128::BITS - class.run_slots());
        Run { class, free: all, all }
    }

    /// Takes the first free slot: low addresses first, so that the high ones come free.
    pub(super) fn take(&mut self) -> Option<u32> {
        let index = (self.free != 0).then(|| self.free.trailing_zeros())?;
        self.free &= !(1 << index);
        Some(index)
    }

    /// A slot is free again.
    pub(super) fn give_back(&mut self, index: u32) {
        debug_assert!(self.all >> index & 1 == 1 && self.free >> index & 1 == 0, "slot {index} is out, once: {self:?}");
        self.free |= 1 << index;
    }

    pub(super) fn is_full(&self) -> bool {
        self.free == 0
    }

    pub(super) fn is_empty(&self) -> bool {
        self.free == self.all
    }
}

#[cfg(all(test, not(leaktrail_loom)))]
mod tests {
    use super::*;

    #[test]
    fn every_slot_is_taken_once_and_the_lowest_free_one_first() {
        for bytes in [64, 192, 4096, 5000, 20 << 10, 1 << 20] {
            let class = SizeClass::of(bytes);
            let mut run = Run::new(class);
            assert!(run.is_empty());
            for index in 0..class.run_slots() {
                assert_eq!(run.take(), Some(index));
            }
            assert!(run.is_full());
            assert_eq!(run.take(), None);
            let middle = class.run_slots() / 2;
            run.give_back(middle);
            assert_eq!((run.take(), run.take()), (Some(middle), None));
            (0..class.run_slots()).for_each(|index| run.give_back(index));
            assert!(run.is_empty());
        }
    }
}
