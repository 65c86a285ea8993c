//! What the clones of a detector share: settings, ledger, sinks, what was lost, what was said of it.
//!
//! Data and pure rules; nothing here opens a handle or makes a report. What is behind a lock is in [`State`], which a forked
//! child starts afresh.

pub(super) mod alarms;
pub(super) mod bulletin;
pub(super) mod casebook;
mod core;
pub(super) mod farewell;
pub(super) mod fault;
pub(super) mod journal;
pub(super) mod losses;
pub(super) mod outbox;
mod promotions;
mod pulse;
pub(super) mod redirect;
pub(super) mod refusals;
pub(super) mod registry;
pub(super) mod schedule;
mod seen;
pub(super) mod sinks;
pub(super) mod survival;
mod term;
mod turn;
pub(super) mod waker;
pub(super) mod watchlist;

pub(crate) use self::core::Core;
