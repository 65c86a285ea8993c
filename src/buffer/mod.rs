//! Buffers that are paid for from a budget, counted by reference, and given back by name.
//!
//! An allocator makes a [`ByteBufMut`]: the only reference to its memory, growable, writable. [`ByteBufMut::freeze`]
//! turns it into a [`ByteBuf`], which is read-only and shared; each `retain` and `slice` is one more reference, and the
//! last one to go gives the memory and the reservation back. Below them: a [`block`] is the raw memory, a [`storage`]
//! is the block with what pays for it and its reference count, a [`reference`] is one counted reference and the only
//! caller of the [`hook`]. The hook is the seam to whoever watches references; nothing in here knows who that is.
//!
//! The pool, from the bottom: a [`place`] is some bytes of a chunk; a [`thread_cache`] has storages with their places at
//! hand; [`supply`] looks there and then below; a [`pool`] knows the caches of all threads.

mod alloc_error;
mod allocator;
mod at_hand;
mod block;
mod budgeted_allocator;
mod byte_buf;
mod byte_buf_mut;
#[cfg(feature = "bytes")]
mod bytes_interop;
mod ending;
mod hook;
mod hook_place;
mod joined_byte_buf;
#[cfg(all(test, leaktrail_loom))]
mod loom_reference;
#[cfg(all(test, not(leaktrail_loom)))]
mod model_tests;
mod payment;
mod place;
mod pool;
#[cfg(all(test, not(leaktrail_loom)))]
mod pool_model_tests;
mod pool_stats;
mod pooled_allocator;
mod ref_count;
mod reference;
mod retain_error;
mod storage;
mod supply;
#[cfg(test)]
mod test_support;
mod thread_cache;
mod try_lock;
mod unpooled_allocator;

pub use self::alloc_error::AllocError;
pub use self::allocator::ByteBufAllocator;
pub use self::budgeted_allocator::{Allocating, BudgetedAllocator};
pub use self::byte_buf::ByteBuf;
pub use self::byte_buf_mut::ByteBufMut;
pub(crate) use self::hook::{DropAction, Extent, ReferenceHook};
pub use self::joined_byte_buf::JoinedByteBuf;
pub use self::place::ChunkSize;
pub use self::pool_stats::{ArenaStats, PoolStats};
pub use self::pooled_allocator::{PooledAllocator, PooledAllocatorBuilder};
pub use self::retain_error::RetainError;
pub use self::unpooled_allocator::UnpooledAllocator;
