//! The budget: how many bytes may be out at once, how many are, and who was refused.
//!
//! A [`DirectMemory`] counts bytes against a limit and hands out [`Reservation`]s, each of which gives its share back
//! when it is dropped. Whoever asks for more than is left gets an [`OutOfDirectMemory`]. Nothing in here allocates the
//! bytes themselves, so a budget serves memory of any kind: heap, files mapped, GPU, DMA. The counting is one atomic
//! word ([`account`]), checked by loom models.

mod account;
mod direct_memory;
#[cfg(all(test, leaktrail_loom))]
mod loom_account;
mod metrics;
mod out_of_direct_memory;
mod reservation;

pub use self::direct_memory::DirectMemory;
pub use self::out_of_direct_memory::OutOfDirectMemory;
pub use self::reservation::Reservation;
