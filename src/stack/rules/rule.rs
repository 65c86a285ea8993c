//! One unwind rule, and the 32 bits that it fits into.

/// How to get from a frame to its caller's, on x86_64: what the unwind information of a module says of one return address.
///
/// The *frame's end* is what DWARF calls the canonical frame address: the stack pointer of the caller after the call. The
/// return address always stands in the word below it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Rule {
    /// The frame has no caller: a program's or a thread's first one.
    End,
    /// It has one.
    Caller {
        /// Where the frame's end is counted from.
        base: Base,
        /// Bytes from the base to the frame's end.
        end: u32,
        /// Bytes below the frame's end at which the caller's frame register is saved; 0 if the register still has it.
        saved: u32,
    },
}

/// A register that a frame's end is counted from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Base {
    /// `rsp`.
    Stack,
    /// `rbp`.
    Frame,
}

/// A word of the stack.
const WORD: u32 = 8;
/// Frames end at most this far from their base: 14 bits of words. What is larger has no packed form.
const LARGEST_END: u32 = ((1 << 14) - 1) * WORD;
/// A register is saved at most this far below the frame's end: 15 bits, of which one is the sign. Compilers do it near the end.
const LARGEST_SAVED: u32 = (1 << 14) * WORD;

/// A rule in 32 bits, made so that a walk has little to do:
///
/// ```text
/// 31          17 16           3    2           1        0
/// saved, in      end, in bytes     the stack   (free)   counted from
/// words, below                     ends                 the frame register
/// 0
/// ```
///
/// Who has no caller and who has no rule both have an end of 0, so a walk asks once for both.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Packed(u32);

const FROM_FRAME: u32 = 1;
const END: u32 = 4;
const SAVED_SHIFT: u32 = 17;

impl Packed {
    /// No rule.
    pub(super) const NONE: Packed = Packed(0);

    /// The packed form; `None` if the rule is none that a frame of a compiled function can have: a frame that ends at its own
    /// stack pointer, an offset between words, a saved register outside the frame or where the return address is.
    ///
    /// Invariant P1: what a packed rule has to be read lies between its base and the frame's end.
    pub(super) fn new(rule: Rule) -> Option<Packed> {
        let Rule::Caller { base, end, saved } = rule else { return Some(Packed(END)) };
        let is_possible = end > 0 && end <= LARGEST_END && end % WORD == 0;
        if !is_possible || saved % WORD != 0 || saved == WORD || saved > end.min(LARGEST_SAVED) {
            return None;
        }
        let from_frame = match base {
            Base::Stack => 0,
            Base::Frame => FROM_FRAME,
        };
        Some(Packed((saved / WORD).wrapping_neg() << SAVED_SHIFT | end | from_frame))
    }

    /// The rule with these bits, which came from [`bits`](Packed::bits).
    #[inline(always)]
    pub(super) fn from_bits(bits: u32) -> Packed {
        Packed(bits)
    }

    /// The bits.
    #[inline(always)]
    pub(super) fn bits(self) -> u32 {
        self.0
    }

    /// True for [`Rule::End`].
    #[inline(always)]
    pub(super) fn is_end(self) -> bool {
        self.0 == END
    }

    /// True if the frame's end is counted from the frame register.
    #[inline(always)]
    pub(super) fn is_from_frame(self) -> bool {
        self.0 & FROM_FRAME != 0
    }

    /// Bytes from the base to the frame's end; 0 if there is no caller or no rule.
    #[inline(always)]
    pub(super) fn end(self) -> usize {
        (self.0 & LARGEST_END) as usize
    }

    /// Words from the frame's end to where the caller's frame register is saved, below 0; 0 if it is not.
    #[inline(always)]
    pub(super) fn saved(self) -> isize {
        (self.0 as i32 >> SAVED_SHIFT) as isize
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn unpacked(packed: Packed) -> Rule {
        if packed.is_end() {
            return Rule::End;
        }
        let base = if packed.is_from_frame() { Base::Frame } else { Base::Stack };
        Rule::Caller { base, end: packed.end() as u32, saved: -packed.saved() as u32 * WORD }
    }

    #[test]
    fn the_largest_frame_is_beyond_64_kib_and_fits() {
        const { assert!(LARGEST_END > 65_536 + 4_096) };
        for base in [Base::Stack, Base::Frame] {
            for (end, saved) in [(8, 0), (16, 16), (LARGEST_END, LARGEST_END), (LARGEST_END, 0), (56, 56)] {
                let rule = Rule::Caller { base, end, saved };
                let packed = Packed::new(rule).unwrap();
                assert_eq!(unpacked(packed), rule);
                assert!(packed != Packed::NONE && packed.end() != 0);
            }
        }
        let end = Packed::new(Rule::End).unwrap();
        assert_eq!((unpacked(end), end.end(), Packed::NONE.end()), (Rule::End, 0, 0));
        assert!(!end.is_from_frame() && !Packed::NONE.is_from_frame() && end != Packed::NONE);
    }

    #[test]
    fn what_no_function_has_has_no_packed_form() {
        for (end, saved) in [
            (0, 0),
            (12, 0),
            (16, 12),
            (16, 8),
            (16, 24),
            (LARGEST_END + 8, 0),
            (LARGEST_END, LARGEST_END + 8),
            (u32::MAX, 0),
        ] {
            assert_eq!(Packed::new(Rule::Caller { base: Base::Stack, end, saved }), None, "{end} {saved}");
        }
    }

    proptest! {
        #[test]
        fn a_rule_comes_back_as_it_was_or_has_no_packed_form(end in 0..200_000_u32, saved in 0..200_000_u32, from_frame: bool) {
            let base = if from_frame { Base::Frame } else { Base::Stack };
            for (end, saved) in [(end, saved), (end / 8 * 8, saved / 8 * 8), (end / 8 * 8, saved % (end + 1) / 8 * 8)] {
                let rule = Rule::Caller { base, end, saved };
                match Packed::new(rule) {
                    Some(packed) => prop_assert_eq!(unpacked(packed), rule),
                    None => prop_assert!(
                        end % 8 != 0 || saved % 8 != 0 || end == 0 || saved == 8 || end > LARGEST_END || saved > end
                    ),
                }
            }
        }
    }
}
