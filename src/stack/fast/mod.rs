//! The fast walkers, where there are some.
//!
//! [`rules`](super::rules) for x86_64 Linux, [`frame_pointer`] elsewhere. Neither guesses: a walk that meets what it does not know is the
//! reference's, and [`check`] compares some of the others with it. `portable.rs` stands here on other systems.

mod check;
mod frame_pointer;
#[cfg(test)]
mod tests;

use self::check::Check;
use self::frame_pointer::{Chains, Walked};

use crate::config::Walker;
use crate::stack::ground::captured::Captured;
use crate::stack::ground::reference;
#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
use crate::stack::rules::Rules;

/// Where a walk begins.
pub(super) use crate::stack::ground::registers::Registers as Start;

#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
static RULES: Rules = Rules::new();
static CHAINS: Chains = Chains::new();
static CHECK: Check = Check::new();

/// True where every function of a program has a frame record unless somebody has switched it off.
const HAS_FRAME_POINTERS: bool = cfg!(any(target_os = "macos", target_arch = "aarch64"));

/// The walker that is the fastest here, if it can be had.
pub(super) const FASTEST: Walker = if HAS_FRAME_POINTERS { Walker::FramePointer } else { Walker::Rules };

/// Walks by the fast walker of that name, or by the reference where that does not know what it meets. False if it was wrong
/// too often, in this walk once more: it is not to be used again.
#[inline(always)]
pub(super) fn walk(walker: Walker, start: Start, stack: &mut Captured) -> bool {
    let is_done = match walker {
        #[cfg(all(target_os = "linux", target_arch = "x86_64"))]
        Walker::Rules => RULES.walk(start, stack),
        _ => walk_along_frames(start, stack),
    };
    if !is_done {
        by_reference(start, stack);
        return true;
    }
    !Check::is_due() || CHECK.compare(start, stack)
}

fn walk_along_frames(start: Start, stack: &mut Captured) -> bool {
    match CHAINS.walk(start, stack) {
        Walked::Whole => true,
        Walked::Elsewhere => false,
        Walked::UnknownEnd(address) => {
            by_reference(start, stack);
            CHAINS.learn(address, stack);
            // It is taken. That the chain was compared as well does no harm.
            true
        }
    }
}

/// Walks by the reference.
#[cold]
#[inline(never)]
pub(super) fn by_reference(start: Start, stack: &mut Captured) {
    stack.clear();
    stack.push(start.address);
    reference::walk(Some(start.stack), stack);
}

/// The fastest walker that can be had here.
pub(super) fn best() -> Walker {
    if can(FASTEST) { FASTEST } else { Walker::Backtrace }
}

/// Whether that walker can be had: it walks the stack of this very call, and the reference agrees.
#[inline(never)]
pub(super) fn can(walker: Walker) -> bool {
    let start = Start::here();
    let walk: fn(Start, &mut Captured) -> bool = match walker {
        #[cfg(all(target_os = "linux", target_arch = "x86_64"))]
        Walker::Rules => {
            RULES.prepare();
            if RULES.knows_nothing() {
                return false;
            }
            |start, stack| RULES.walk(start, stack)
        }
        Walker::FramePointer => {
            // The first walk learns where the chains of this thread end.
            walk_along_frames(start, &mut Captured::empty());
            |start, stack| CHAINS.walk(start, stack) == Walked::Whole
        }
        _ => return false,
    };
    let (mut stack, mut expected) = (Captured::empty(), Captured::empty());
    if walk(start, &mut stack) {
        by_reference(start, &mut expected);
        stack.addresses() == expected.addresses() && stack.is_cut() == expected.is_cut()
    } else {
        // It meets what it does not know: a fiber, a library that was loaded later. That proves nothing, but there have to
        // be frame pointers.
        walker == Walker::Rules || HAS_FRAME_POINTERS
    }
}

/// From now on a walk that comes to this return address ends there, which is wrong.
#[cfg(all(test, target_os = "linux", target_arch = "x86_64"))]
pub(super) fn plant_an_end(address: usize) {
    RULES.plant_an_end(address);
}

/// Walks that were found to be wrong.
pub(super) fn wrong_walks() -> u64 {
    CHECK.wrong()
}
