//! Calls from a chosen depth.

use std::hint::black_box;

/// Calls `body` with so many more frames on the stack.
#[inline(never)]
pub fn below(frames: usize, body: &mut dyn FnMut(u64) -> u64, count: u64) -> u64 {
    if frames == 0 {
        return black_box(body(count));
    }
    // The addition keeps it a call: a tail call would take no frame.
    black_box(below(black_box(frames - 1), body, count)).wrapping_add(1)
}

/// Frames that `backtrace` finds here.
fn frames_here() -> usize {
    let mut frames = 0;
    // SAFETY: no other thread of these programs walks by `backtrace`'s other entry points at the same time.
    unsafe {
        backtrace::trace_unsynchronized(|_| {
            frames += 1;
            true
        });
    }
    frames
}

/// How many frames [`below`] has to add on this thread for a body to be called at that depth.
pub fn missing(depth: usize) -> usize {
    let mut found = 0;
    below(
        0,
        &mut |count| {
            found = frames_here();
            count
        },
        0,
    );
    depth.saturating_sub(found)
}
