//! The sizes that slots have.

/// A page: what runs are made of. Netty's default.
pub(crate) const PAGE_BYTES: usize = 8 << 10;

/// The step between the smallest sizes, and where every slot begins on a boundary of: a cache line, so that two buffers
/// never share one.
pub(crate) const QUANTUM_BYTES: usize = 64;

/// One of the sizes that a buffer's memory is rounded up to: four to each doubling, so at most a fifth is lost above
/// 256 bytes.
///
/// ```text
/// index   0    1    2    3 │   4    5    6    7 │   8    9   10    11 │ …
/// bytes  64  128  192  256 │ 320  384  448  512 │ 640  768  896  1024 │ …
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct SizeClass(u8);

/// Sizes up to here are whole steps.
const STEPS_UP_TO_BYTES: usize = 4 * QUANTUM_BYTES;
/// The power of two that [`STEPS_UP_TO_BYTES`] is.
const STEPS_UP_TO_SHIFT: u32 = STEPS_UP_TO_BYTES.trailing_zeros();

impl SizeClass {
    /// The largest size that there is a class for: the largest chunk.
    pub(crate) const LARGEST_BYTES: usize = 1 << 30;

    /// The smallest class that so many bytes fit into; 0 bytes need a place too.
    ///
    /// The caller has checked that they are at most [`LARGEST_BYTES`](SizeClass::LARGEST_BYTES).
    #[inline]
    pub(crate) fn of(bytes: usize) -> SizeClass {
        debug_assert!(bytes <= SizeClass::LARGEST_BYTES, "{bytes} byte(s)");
        let last = bytes.saturating_sub(1);
        if last < STEPS_UP_TO_BYTES {
            return SizeClass((last / QUANTUM_BYTES) as u8);
        }
        // The two bits below the highest one say which of the four it is.
        let doubling = last.ilog2();
        let of_four = (last >> (doubling - 2)) & 3;
        SizeClass(((doubling - STEPS_UP_TO_SHIFT + 1) * 4) as u8 + of_four as u8)
    }

    /// The class at a place among the classes.
    pub(crate) fn at(index: usize) -> SizeClass {
        debug_assert!(index < SizeClass::count_up_to(SizeClass::LARGEST_BYTES));
        SizeClass(index as u8)
    }

    /// Its place among the classes.
    #[inline]
    pub(crate) fn index(self) -> usize {
        usize::from(self.0)
    }

    /// How many bytes a slot of it has.
    #[inline]
    pub(crate) fn bytes(self) -> usize {
        let (doubling, of_four) = (self.0 / 4, usize::from(self.0 % 4));
        match doubling.checked_sub(1) {
            None => (of_four + 1) * QUANTUM_BYTES,
            Some(above) => ((of_four + 5) * QUANTUM_BYTES) << above,
        }
    }

    /// How many pages a run has: the fewest that its slots fill without rest, at most 7 where a slot is smaller than a
    /// page.
    pub(crate) fn run_pages(self) -> u32 {
        // The greatest common divisor of a multiple of the quantum and of a power of two is a power of two.
        let shared = 1 << self.bytes().trailing_zeros().min(PAGE_BYTES.trailing_zeros());
        (self.bytes() / shared) as u32
    }

    /// How many slots a run has.
    pub(crate) fn run_slots(self) -> u32 {
        (self.run_pages() as usize * PAGE_BYTES / self.bytes()) as u32
    }

    /// How many classes there are up to a size.
    pub(crate) fn count_up_to(bytes: usize) -> usize {
        SizeClass::of(bytes).index() + 1
    }
}

#[cfg(all(test, not(leaktrail_loom)))]
mod tests {
    use super::*;

    #[test]
    fn each_size_has_the_smallest_class_that_holds_it() {
        let mut class = SizeClass(0);
        let step = if cfg!(miri) { 601 } else { 1 };
        for bytes in (0..=70_000).step_by(step).chain([(1 << 22) - 1, 1 << 22, (1 << 22) + 1, (1 << 30) - 1, 1 << 30]) {
            let found = SizeClass::of(bytes);
            assert!(found >= class && found.bytes() >= bytes, "{bytes}: {found:?}");
            assert!(found.0 == 0 || SizeClass(found.0 - 1).bytes() < bytes, "{bytes}: {found:?}");
            if bytes > STEPS_UP_TO_BYTES {
                assert!((found.bytes() - bytes) * 5 <= found.bytes(), "{bytes}: {found:?} has {}", found.bytes());
            }
            class = found;
        }
    }

    #[test]
    fn a_run_is_filled_without_rest_and_its_slots_fit_a_word() {
        for index in 0..SizeClass::count_up_to(SizeClass::LARGEST_BYTES) {
            let class = SizeClass(index as u8);
            assert_eq!(SizeClass::of(class.bytes()), class);
            assert_eq!(class.bytes() % QUANTUM_BYTES, 0);
            assert_eq!(
                class.run_pages() as usize * PAGE_BYTES,
                class.run_slots() as usize * class.bytes(),
                "{class:?}"
            );
            assert!((1..=128).contains(&class.run_slots()), "{class:?}");
            assert!(class.bytes() >= PAGE_BYTES || class.run_pages() <= 7, "{class:?}");
        }
    }
}
