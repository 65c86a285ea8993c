//! The walk along the frame pointers: two loads a frame, for code that keeps them.
//!
//! A frame record is two words: the caller's frame register, and the return address above it. What is built without frame
//! pointers writes no records; a chain that leads into such code ends anywhere. So no end is believed but one that the
//! reference has confirmed: that behind this very return address come at most [`TAIL`] frames of a program's or thread's start.
//! Any other walk is the reference's. What it cannot see is a function without a record *within* a chain that goes on behind it,
//! and the function that a signal has interrupted; the comparison of one walk in many (`check.rs`) is there for that.
#![allow(unsafe_code, reason = "reads the frames of other functions; listed in docs/SAFETY.md")]

use once_cell::race::OnceBox;

use crate::stack::ground::bounds::Bounds;
use crate::stack::ground::captured::{Captured, fold, mix};
use crate::stack::ground::registers::{Registers, load, without_signature};

/// Frames behind the end of a chain: `__libc_start_main` and `_start`, or `clone`. What a C library without frame pointers
/// adds.
const TAIL: usize = 2;
/// Confirmed ends: a program has one, its threads another; foreign runtimes add theirs.
const MAX_ENDS: usize = 8;
/// A word of the stack; a frame record is two.
const WORD: usize = size_of::<usize>();

/// The return address at which chains end, and what is behind it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct End {
    address: usize,
    tail: [usize; TAIL],
}

/// The ends that are known.
#[derive(Debug)]
pub(super) struct Chains {
    ends: [OnceBox<End>; MAX_ENDS],
}

/// What came of a walk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Walked {
    /// The stack is taken.
    Whole,
    /// The chain ends where none has ended before, after this return address. Nothing of the walk counts.
    UnknownEnd(usize),
    /// It is no stack of this thread's.
    Elsewhere,
}

impl Chains {
    pub(super) const fn new() -> Chains {
        Chains { ends: [const { OnceBox::new() }; MAX_ENDS] }
    }

    /// Walks from `start` outwards into `stack`, until the end or until that is full.
    ///
    /// # Cost
    /// About 1 ns a frame. No allocation, no lock.
    #[inline(never)]
    pub(super) fn walk(&self, start: Registers, stack: &mut Captured) -> Walked {
        let Some(end_of_stack) = Bounds::end_around(start.stack) else { return Walked::Elsewhere };
        let (places, limit) = stack.room();
        let Registers { mut address, stack: mut top, mut frame } = start;
        let (mut len, mut hash, mut cut) = (0, 0, false);
        loop {
            if len == limit {
                cut = true;
                break;
            }
            // SAFETY: `len` is below the limit, and the room has so many places.
            unsafe { places.wrapping_add(len).write(address) };
            len += 1;
            hash = fold(hash, mix(address));
            // Strictly outwards, and never beyond the thread's own stack.
            if frame < top || frame % WORD != 0 || frame >= end_of_stack || end_of_stack - frame < 2 * WORD {
                let Some(tail) = self.tail(address) else { return Walked::UnknownEnd(address) };
                for address in tail.into_iter().filter(|&address| address != 0) {
                    if len == limit {
                        cut = true;
                        break;
                    }
                    // SAFETY: as above.
                    unsafe { places.wrapping_add(len).write(address) };
                    len += 1;
                    hash = fold(hash, mix(address));
                }
                break;
            }
            // SAFETY: W1: two words at a multiple of 8 between `top` and the end of this thread's stack.
            address = without_signature(unsafe { load(frame, 1) });
            top = frame + 2 * WORD;
            // SAFETY: as above.
            frame = unsafe { load(frame, 0) };
        }
        // SAFETY: the loop has filled the first `len` places and went no further than the limit.
        unsafe { stack.set(len, hash, cut) };
        Walked::Whole
    }

    /// What is behind a return address at which chains end.
    #[inline]
    fn tail(&self, address: usize) -> Option<[usize; TAIL]> {
        for end in &self.ends {
            match end.get() {
                Some(end) if end.address == address => return Some(end.tail),
                Some(_) => {}
                None => break,
            }
        }
        None
    }

    /// Takes over from the reference's walk of the same stack that chains may end at `address`.
    #[cold]
    pub(super) fn learn(&self, address: usize, reference: &Captured) {
        let found = reference.addresses();
        let Some(place) = found.iter().rposition(|&found| found == address) else { return };
        let behind = &found[place + 1..];
        if behind.len() > TAIL || reference.is_cut() {
            return;
        }
        let mut end = End { address, tail: [0; TAIL] };
        end.tail[..behind.len()].copy_from_slice(behind);
        for place in &self.ends {
            if place.get().is_some_and(|known| *known == end) || place.set(Box::new(end)).is_ok() {
                return;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_end_is_believed_when_little_is_behind_it() {
        let chains = Chains::new();
        chains.learn(7, &Captured::of(&[1, 7, 3, 4, 5]));
        assert_eq!(chains.tail(7), None, "three frames behind");
        chains.learn(7, &Captured::of(&[1, 2, 3]));
        assert_eq!(chains.tail(7), None, "not there");
        chains.learn(7, &Captured::of(&[1, 7, 3, 4]));
        assert_eq!(chains.tail(7), Some([3, 4]));
        chains.learn(9, &Captured::of(&[1, 9]));
        assert_eq!(chains.tail(9), Some([0, 0]));
        for address in 100..200 {
            chains.learn(address, &Captured::of(&[address]));
        }
        assert_eq!(chains.tail(7), Some([3, 4]));
        assert_eq!(chains.tail(199), None, "there is no more room");
    }
}
