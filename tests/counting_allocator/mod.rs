//! A global allocator that counts what this thread asked for, and what the process holds.
#![allow(dead_code, reason = "each test uses its part")]
#![allow(unsafe_code, reason = "an allocator is an unsafe trait; it hands every call on to the system's")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::sync::atomic::{AtomicU64, Ordering};

/// Counts, and hands on to the system's allocator.
pub(crate) struct Counting;

thread_local! {
    // No drop glue and no initialiser that allocates: the allocator itself reads it.
    static CALLS: Cell<u64> = const { Cell::new(0) };
}

static LIVE_BYTES: AtomicU64 = AtomicU64::new(0);
static PEAK_BYTES: AtomicU64 = AtomicU64::new(0);

/// How often this thread has asked for memory.
pub(crate) fn calls_of_this_thread() -> u64 {
    CALLS.get()
}

/// The bytes that the process holds now.
pub(crate) fn live_bytes() -> u64 {
    LIVE_BYTES.load(Ordering::Relaxed)
}

/// The most bytes that the process held since [`forget_peak`].
pub(crate) fn peak_bytes() -> u64 {
    PEAK_BYTES.load(Ordering::Relaxed)
}

/// From now on the peak counts anew.
pub(crate) fn forget_peak() {
    PEAK_BYTES.store(live_bytes(), Ordering::Relaxed);
}

fn count(bytes: usize) {
    let _ = CALLS.try_with(|calls| calls.set(calls.get() + 1));
    let live = LIVE_BYTES.fetch_add(bytes as u64, Ordering::Relaxed) + bytes as u64;
    PEAK_BYTES.fetch_max(live, Ordering::Relaxed);
}

// SAFETY: every call goes on to `System` with the arguments as they came; counting does not touch the memory.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(layout.size());
        // SAFETY: the caller's promise for `alloc` is the one that `System` asks for.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        LIVE_BYTES.fetch_sub(layout.size() as u64, Ordering::Relaxed);
        // SAFETY: `pointer` came from `System` by `alloc` or `realloc` with this layout.
        unsafe { System.dealloc(pointer, layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        // Counted as the old block beside the new one: that is what a move takes.
        count(new_size);
        // SAFETY: the caller's promise for `realloc` is the one that `System` asks for.
        let moved = unsafe { System.realloc(pointer, layout, new_size) };
        LIVE_BYTES.fetch_sub(if moved.is_null() { new_size } else { layout.size() } as u64, Ordering::Relaxed);
        moved
    }
}
