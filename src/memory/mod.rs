//! The budget: how many bytes may be out at once, how many are, and who was refused.
//!
//! A [`DirectMemory`] counts bytes against a limit and hands out [`Reservation`]s, each of which gives its share back
//! when it is dropped. Whoever asks for more than is left gets an [`OutOfDirectMemory`]. Nothing in here allocates the
//! bytes themselves, so a budget serves memory of any kind: heap, files mapped, GPU, DMA. The counting is one atomic
//! word ([`account`]), checked by loom models.
//!
//! A budget may have budgets within ([`budget`]), and who does not fit may wait: in a [`line`], which is plain code, behind
//! the lock of a [`room`]. A [`waiter`] is one place in it, for a thread ([`reserving`]) or a task ([`reserve_async`]).
//! Before anybody waits, hooks are asked for what others keep ready ([`reclaim`]).

mod account;
mod broken_hook;
mod budget;
mod call;
mod child_lock;
mod direct_memory;
mod figures;
mod figures_shown;
mod fill;
mod line;
#[cfg(all(test, not(leaktrail_loom)))]
mod line_model;
#[cfg(all(test, leaktrail_loom))]
mod loom_account;
#[cfg(all(test, leaktrail_loom))]
mod loom_room;
mod metrics;
mod monitor;
mod out_of_direct_memory;
mod reclaim;
mod reservation;
mod reserve_async;
mod reserving;
mod room;
mod sample;
mod stock;
mod waiter;
mod waits;

pub(crate) use self::broken_hook::set_teller;
pub(crate) use self::child_lock::ChildLock;
pub use self::direct_memory::DirectMemory;
pub use self::figures::MemoryFigures;
pub(crate) use self::fill::Fill;
pub use self::monitor::Monitor;
pub use self::out_of_direct_memory::OutOfDirectMemory;
pub use self::reclaim::ReclaimHook;
pub use self::reservation::Reservation;
pub use self::reserve_async::Reserving;
pub use self::sample::{Climb, MemorySample};
pub use self::stock::Stock;
pub use self::waits::WaitHistogram;
