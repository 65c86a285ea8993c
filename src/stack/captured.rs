//! The walk: return addresses of the calling thread, innermost first.
#![cfg_attr(
    all(not(windows), not(miri)),
    allow(unsafe_code, reason = "backtrace::trace_unsynchronized is unsafe; listed in docs/SAFETY.md")
)]

use std::hash::{Hash, Hasher};

use crate::hash::IdHasher;

/// The most frames a stack can be set to have.
pub(crate) const MAX_FRAMES: usize = 128;
/// Frames taken beyond the wish: those of this crate lie innermost and are trimmed when the report is made. Without
/// optimisation nothing is inlined, and there are more of them.
const OWN_FRAMES: usize = if cfg!(debug_assertions) { 28 } else { 12 };
const CAPACITY: usize = MAX_FRAMES + OWN_FRAMES;

/// A stack as it was taken: at most 156 return addresses in a fixed array.
pub(crate) struct Captured {
    addresses: [usize; CAPACITY],
    len: usize,
    cut: bool,
}

impl Captured {
    /// Walks the calling thread's stack, `max_frames` deep below this crate's own frames.
    ///
    /// # Cost
    /// About 90 ns a frame, no allocation of ours and, but on Windows, no lock of the unwinder's.
    // Never inlined: one function that a debugger or profiler can name, and a fixed number of own frames.
    #[inline(never)]
    pub(crate) fn here(max_frames: u8) -> Captured {
        let limit = (usize::from(max_frames) + OWN_FRAMES).min(CAPACITY);
        let mut stack = Captured { addresses: [0; CAPACITY], len: 0, cut: false };
        let mut visit = |frame: &backtrace::Frame| {
            if stack.len == limit {
                stack.cut = true;
                return false;
            }
            let address = frame.ip() as usize;
            if address != 0 {
                stack.addresses[stack.len] = address;
                stack.len += 1;
            }
            true
        };
        #[cfg(all(not(windows), not(miri)))]
        // SAFETY: what "unsynchronized" leaves to the caller is the lock around dbghelp, which only Windows has; the
        // unwinders of the other systems may walk in several threads at once. The closure stays on this thread.
        unsafe {
            backtrace::trace_unsynchronized(&mut visit);
        }
        #[cfg(any(windows, miri))]
        backtrace::trace(&mut visit);
        stack
    }

    /// A stack of these addresses, for tests of what is done with stacks.
    #[cfg(test)]
    pub(crate) fn of(addresses: &[usize]) -> Captured {
        let mut stack = Captured { addresses: [0; CAPACITY], len: addresses.len(), cut: false };
        stack.addresses[..addresses.len()].copy_from_slice(addresses);
        stack
    }

    /// The return addresses, innermost first.
    pub(crate) fn addresses(&self) -> &[usize] {
        &self.addresses[..self.len]
    }

    /// True if the stack was deeper than the limit.
    pub(crate) fn is_cut(&self) -> bool {
        self.cut
    }

    /// A hash of the addresses.
    pub(crate) fn hash(addresses: &[usize]) -> u64 {
        let mut hasher = IdHasher::default();
        addresses.hash(&mut hasher);
        hasher.finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[inline(never)]
    fn deep(levels: u32, max_frames: u8) -> Captured {
        if levels == 0 {
            return Captured::here(max_frames);
        }
        std::hint::black_box(deep(levels - 1, max_frames))
    }

    #[test]
    fn a_stack_is_as_deep_as_asked_and_says_when_it_is_cut() {
        let short = deep(60, 8);
        assert_eq!(short.addresses().len(), 8 + OWN_FRAMES);
        assert!(short.is_cut());
        let whole = deep(5, 128);
        assert!(!whole.is_cut());
        assert!(whole.addresses().len() > 5);
    }
}
