//! How it is told: one pass takes what waits, groups it by cause, writes it and hands it out.
//!
//! [`reporter`] is the thread that makes passes; `flush` makes one on the caller's thread; [`exit`] makes the last. Before
//! a pass a [`tick`] looks at what changes without an event.
//! [`living`] tells what is alive, to whoever asks.

mod counting;
pub(super) mod delivery;
mod editor;
mod exit;
mod living;
pub(super) mod pass;
mod pressing;
#[cfg(feature = "metrics")]
mod publishing;
mod refusing;
pub(super) mod reporter;
mod scan;
mod summary;
mod switch;
mod tick;
#[cfg(test)]
mod virtual_time;
mod watching;
#[cfg(all(test, target_os = "linux", target_arch = "x86_64", not(miri)))]
mod wrong_walks;
