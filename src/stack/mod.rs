//! Stacks: taken as bare addresses, stored once each, given names only when a report is made.
//!
//! [`Captured`] is a walk's result on the stack of the thread that made it; the [`depot`] keeps equal stacks once and
//! hands out a [`StackId`]; [`Symboliser`] turns addresses into [`Frame`](crate::report::Frame)s, on the thread that
//! makes reports, and [`trim`] leaves out what no reader needs.

mod captured;
pub(crate) mod depot;
mod filling;
mod module;
mod symboliser;
pub(crate) mod trim;

pub(crate) use captured::Captured;
pub(crate) use depot::StackId;
pub(crate) use symboliser::Symboliser;

/// What walks stacks in this build.
pub(crate) const WALKER: &str = "unwinder";
