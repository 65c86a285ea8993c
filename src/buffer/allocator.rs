//! Where buffers come from.

use std::sync::Arc;

use super::alloc_error::AllocError;
use super::byte_buf_mut::ByteBufMut;

/// Makes buffers.
///
/// Code that needs buffers takes `&impl ByteBufAllocator` or an `Arc<dyn ByteBufAllocator>`, so that a test can hand it
/// one that fails and a program can wrap it in one that watches. References, boxes and `Arc`s of an allocator are
/// allocators.
///
/// # Examples
///
/// ```
/// use leaktrail::{AllocError, ByteBufAllocator, ByteBufMut, DirectMemory, UnpooledAllocator};
///
/// fn greeting(allocator: &impl ByteBufAllocator) -> Result<ByteBufMut, AllocError> {
///     let mut buffer = allocator.allocate(5)?;
///     buffer.put_slice(b"hello");
///     Ok(buffer)
/// }
///
/// let allocator = UnpooledAllocator::new(DirectMemory::with_limit(1024));
/// assert_eq!(&greeting(&allocator)?[..], b"hello");
/// # Ok::<(), AllocError>(())
/// ```
pub trait ByteBufAllocator {
    /// An empty buffer that holds at least `capacity` bytes. Never waits.
    ///
    /// The caller's line is where the buffer is created, in reports and in the error of a budget. Implementations
    /// inherit the `#[track_caller]` of this declaration; a function that only passes the request on wants one of its
    /// own.
    ///
    /// # Errors
    /// [`AllocError`] when the budget or the system refuses; nothing stays reserved then.
    // On the declaration, so that a call through `dyn` reports its caller and not the implementation's line.
    #[track_caller]
    fn allocate(&self, capacity: usize) -> Result<ByteBufMut, AllocError>;
}

impl<A: ByteBufAllocator + ?Sized> ByteBufAllocator for &A {
    #[track_caller]
    fn allocate(&self, capacity: usize) -> Result<ByteBufMut, AllocError> {
        (**self).allocate(capacity)
    }
}

impl<A: ByteBufAllocator + ?Sized> ByteBufAllocator for Box<A> {
    #[track_caller]
    fn allocate(&self, capacity: usize) -> Result<ByteBufMut, AllocError> {
        (**self).allocate(capacity)
    }
}

impl<A: ByteBufAllocator + ?Sized> ByteBufAllocator for Arc<A> {
    #[track_caller]
    fn allocate(&self, capacity: usize) -> Result<ByteBufMut, AllocError> {
        (**self).allocate(capacity)
    }
}
