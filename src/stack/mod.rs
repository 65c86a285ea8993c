//! Stacks: taken as bare addresses, stored once each, given names only when a report is made.
//!
//! [`Captured`] is a walk's result on the stack of the thread that made it; the [`walker`] says how it is walked: by a [`fast`]
//! walker, for which there are [`rules`], or by the reference, which stands on the [`ground`] with what all of them need. The
//! [`depot`] keeps equal stacks once and hands out a [`StackId`]; [`Symboliser`] turns addresses into
//! [`Frame`](crate::report::Frame)s, on the thread that makes reports, and [`trim`] leaves out what no reader needs.

pub(crate) mod depot;
#[cfg(all(
    not(miri),
    any(target_os = "linux", target_os = "macos"),
    any(target_arch = "x86_64", target_arch = "aarch64")
))]
mod fast;
#[cfg(not(all(
    not(miri),
    any(target_os = "linux", target_os = "macos"),
    any(target_arch = "x86_64", target_arch = "aarch64")
)))]
#[path = "portable.rs"]
mod fast;
mod filling;
mod ground;
mod module;
#[cfg(all(not(miri), target_os = "linux", target_arch = "x86_64"))]
mod rules;
mod symboliser;
pub(crate) mod trim;
pub(crate) mod walker;

pub(crate) use depot::StackId;
pub(crate) use ground::captured::Captured;
pub(crate) use symboliser::Symboliser;
