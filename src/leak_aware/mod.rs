//! Where both towers meet: buffers that are tracked.
//!
//! The only room that names both. Below it, `buffer/` and `memory/` know no tracker, and `detector/`, `trail/` and
//! `ledger/` know no buffer; [`LeakAware`] wraps an allocator and puts a [`Tracker`](tracker::Tracker) into each buffer,
//! which the buffer tells what happens to its references.

mod allocator;
mod budget_from_env;
#[cfg(feature = "bytes")]
mod bytes;
mod drop_policy;
mod tracker;

pub use self::allocator::LeakAware;
#[cfg(feature = "bytes")]
pub use self::bytes::watch_bytes;
pub use self::drop_policy::DropPolicy;
