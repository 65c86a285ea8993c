//! What every walk stands on: room for addresses, the registers that it begins with, the bounds of a thread's stack, and the
//! reference.

#[cfg(all(
    not(miri),
    any(target_os = "linux", target_os = "macos"),
    any(target_arch = "x86_64", target_arch = "aarch64")
))]
pub(super) mod bounds;
pub(super) mod captured;
pub(super) mod reference;
#[cfg(all(
    not(miri),
    any(target_os = "linux", target_os = "macos"),
    any(target_arch = "x86_64", target_arch = "aarch64")
))]
pub(super) mod registers;
