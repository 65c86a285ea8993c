//! The walk itself.
#![allow(unsafe_code, reason = "reads the frames of other functions; listed in docs/SAFETY.md")]

use once_cell::race::OnceBox;

use super::modules::Modules;
use super::rule::Packed;
use super::table::{Table, has_place};
use crate::stack::ground::bounds::Bounds;
use crate::stack::ground::captured::{Captured, fold, mix};
use crate::stack::ground::registers::{Registers, load, load_below};

/// The rules of a process: those that were needed so far, and where the others are found.
#[derive(Debug)]
pub(in crate::stack) struct Rules {
    table: Table,
    modules: OnceBox<Modules>,
}

/// Whether the unwinder tells the last frame of a stack. Where the C library comes without tables it stops before.
const LAST_IS_TOLD: bool = !cfg!(target_env = "musl");

impl Rules {
    pub(in crate::stack) const fn new() -> Rules {
        Rules { table: Table::new(), modules: OnceBox::new() }
    }

    /// Walks from `start` outwards into `stack`, until the end or until that is full. False if it meets what no rule says:
    /// then nothing of it counts.
    ///
    /// # Cost
    /// About 3 ns a frame; 4 us for an address that is met for the first time. No allocation, no lock.
    // Neither generic nor inlined, and plain words instead of iterators: so that `[profile.dev.package]` reaches it, and an
    // unoptimized build has a tight loop as well.
    #[inline(never)]
    pub(in crate::stack) fn walk(&self, start: Registers, stack: &mut Captured) -> bool {
        let Some(end_of_stack) = Bounds::end_around(start.stack) else { return false };
        let (places, limit) = stack.room();
        let Registers { mut address, stack: mut top, mut frame } = start;
        let (mut len, mut hash, mut cut) = (0, 0, false);
        // Every bit that some address has: whether all of them had a place in the table is asked once, at the end.
        let mut bits = 0;
        loop {
            let mixed = mix(address);
            let mut rule = self.table.find(mixed);
            if rule.end() == 0 {
                // No rule yet, or no caller.
                if address == 0 {
                    break;
                }
                if rule == Packed::NONE {
                    match self.learn(address) {
                        Some(learned) => rule = learned,
                        None => return false,
                    }
                }
                if rule.is_end() {
                    cut = LAST_IS_TOLD && len == limit;
                    if LAST_IS_TOLD && !cut {
                        // SAFETY: as below.
                        unsafe { places.wrapping_add(len).write(address) };
                        len += 1;
                        hash = fold(hash, mixed);
                        bits |= address;
                    }
                    break;
                }
            }
            if len == limit {
                cut = true;
                break;
            }
            // SAFETY: `len` is below the limit, and the room has so many places.
            unsafe { places.wrapping_add(len).write(address) };
            len += 1;
            hash = fold(hash, mixed);
            bits |= address;
            // Strictly outwards, and never beyond the thread's own stack.
            let mut base = top;
            if rule.is_from_frame() {
                if frame < top || frame > end_of_stack {
                    return false;
                }
                base = frame;
            }
            let end = base + rule.end();
            if end > end_of_stack {
                return false;
            }
            let saved = rule.saved();
            if saved != 0 {
                // SAFETY: W1: from `base`, which is not below the walk's own frame, to `end` everything is this thread's stack;
                // and P1: the place lies between the two.
                frame = unsafe { load(end, saved) };
            }
            // SAFETY: W1, and the word below `end` is not below `base`, since a frame has at least a word.
            address = unsafe { load_below(end) };
            top = end;
        }
        if !has_place(bits) {
            return false;
        }
        // SAFETY: the loop has filled the first `len` places and went no further than the limit.
        unsafe { stack.set(len, hash, cut) };
        true
    }

    /// The rule of a return address that the table does not have, and has from now on. `None` if no rule can say it; that
    /// is not kept.
    #[cold]
    #[inline(never)]
    fn learn(&self, address: usize) -> Option<Packed> {
        // One below: a call that does not return may be the last instruction of its function.
        let rule = self.modules.get()?.rule_at(address.wrapping_sub(1)).ok()?;
        let packed = Packed::new(rule)?;
        self.table.keep(address, packed);
        Some(packed)
    }

    /// Finds the code that has rules, once. Until then no walk succeeds.
    pub(in crate::stack) fn prepare(&self) {
        if self.modules.get().is_none() {
            // Another thread may have been faster, with the same result.
            let _ = self.modules.set(Box::new(Modules::find()));
        }
    }

    /// True if no code was found that has rules.
    pub(in crate::stack) fn knows_nothing(&self) -> bool {
        self.modules.get().is_none_or(Modules::is_empty)
    }

    /// Puts a wrong rule in the place of the right one: the stack ends here.
    #[cfg(test)]
    pub(in crate::stack) fn plant_an_end(&self, address: usize) {
        self.table.keep(address, Packed::new(super::rule::Rule::End).expect("it fits"));
    }
}
