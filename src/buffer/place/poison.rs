//! Memory that nobody may touch, where AddressSanitizer watches.
#![allow(unsafe_code, reason = "the sanitizer's own functions are C; listed in docs/SAFETY.md")]

use std::ptr::NonNull;

#[cfg(leaktrail_asan)]
unsafe extern "C" {
    fn __asan_poison_memory_region(start: *const u8, bytes: usize);
    fn __asan_unpoison_memory_region(start: *const u8, bytes: usize);
}

/// From here on whoever touches these bytes is told on, in a build for the sanitizer; else nothing.
#[inline]
pub(crate) fn poison(start: NonNull<u8>, bytes: usize) {
    #[cfg(leaktrail_asan)]
    // SAFETY: the function marks addresses and does not touch what is there; any range may be marked.
    unsafe {
        __asan_poison_memory_region(start.as_ptr(), bytes);
    }
    #[cfg(not(leaktrail_asan))]
    let _ = (start, bytes);
}

/// These bytes may be touched again.
#[inline]
pub(crate) fn unpoison(start: NonNull<u8>, bytes: usize) {
    #[cfg(leaktrail_asan)]
    // SAFETY: as above.
    unsafe {
        __asan_unpoison_memory_region(start.as_ptr(), bytes);
    }
    #[cfg(not(leaktrail_asan))]
    let _ = (start, bytes);
}
