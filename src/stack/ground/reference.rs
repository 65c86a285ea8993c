//! The reference: the walk by `backtrace`, which is right everywhere, and slow.
#![cfg_attr(
    all(not(windows), not(miri)),
    allow(unsafe_code, reason = "backtrace::trace_unsynchronized is unsafe; listed in docs/SAFETY.md")
)]

use super::captured::Captured;

/// Walks the calling thread's stack and adds it to `stack`, until that is full: the callers of the frame with the stack pointer
/// `own`, or everything, the unwinder's own frames too, where nothing is known of that.
///
/// # Cost
/// About 90 ns a frame, no allocation of ours and, but on Windows, no lock of the unwinder's.
#[cold]
#[inline(never)]
pub(in crate::stack) fn walk(mut own: Option<usize>, stack: &mut Captured) {
    let mut visit = |frame: &backtrace::Frame| {
        // Only those at the inner end: further out another stack may begin, below this one.
        if own.is_some_and(|own| frame.sp() as usize <= own) {
            return true;
        }
        own = None;
        let address = frame.ip() as usize;
        address == 0 || stack.push(address)
    };
    #[cfg(all(not(windows), not(miri)))]
    // SAFETY: what "unsynchronized" leaves to the caller is the lock around dbghelp, which only Windows has; the
    // unwinders of the other systems may walk in several threads at once. The closure stays on this thread.
    unsafe {
        backtrace::trace_unsynchronized(&mut visit);
    }
    #[cfg(any(windows, miri))]
    backtrace::trace(&mut visit);
}
