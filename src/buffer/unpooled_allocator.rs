//! The allocator that asks the system each time.

use std::panic::Location;

use super::alloc_error::AllocError;
use super::allocator::ByteBufAllocator;
use super::block::{Alignment, Block, BlockKind, Contents};
use super::budgeted_allocator::BudgetedAllocator;
use super::byte_buf_mut::ByteBufMut;
use super::payment::Payment;
use super::reference::Reference;
use super::storage::{Storage, StorageRef};
use crate::memory::{DirectMemory, Reservation};

/// Buffers straight from the global allocator, paid for from a budget.
///
/// Each buffer reserves exactly the `capacity` that was asked for, no more and no less, whatever the options are; so
/// [`DirectMemory::used`] is the sum of the capacities that are out.
///
/// # Examples
///
/// ```
/// use leaktrail::{AllocError, ByteBufAllocator, DirectMemory, UnpooledAllocator};
///
/// let memory = DirectMemory::with_limit(1024);
/// let allocator = UnpooledAllocator::new(memory.clone());
/// let buffer = allocator.allocate(1000)?;
/// assert_eq!(memory.used(), 1000);
///
/// let refused = allocator.allocate(100).unwrap_err();
/// assert_eq!(refused.to_string(), "failed to allocate 100 byte(s) of direct memory (used: 1000, max: 1024)");
///
/// assert!(buffer.release());
/// assert_eq!(memory.used(), 0);
/// # Ok::<(), AllocError>(())
/// ```
///
/// # Cost
/// Two allocations: the memory, and about a hundred bytes that go with it and are not counted. A buffer of capacity 0
/// has no memory, and only the second. Nothing is allocated later but by growth, so freezing, retaining and slicing
/// cannot fail for want of memory.
#[derive(Clone, Debug)]
pub struct UnpooledAllocator {
    memory: DirectMemory,
    kind: BlockKind,
}

impl UnpooledAllocator {
    /// An allocator that pays from `memory`.
    #[must_use]
    pub fn new(memory: DirectMemory) -> UnpooledAllocator {
        UnpooledAllocator { memory, kind: BlockKind::default() }
    }

    /// Lets every buffer begin at the beginning of a page, for direct I/O, DMA and page protection.
    ///
    /// A page has the largest size that is common on the target: 4 KiB on x86, 16 KiB on Apple's 64-bit Arm, 64 KiB on
    /// other 64-bit Arm. The alignment is not paid for: still exactly `capacity` bytes are reserved.
    ///
    /// # Examples
    ///
    /// ```
    /// use leaktrail::{AllocError, ByteBufAllocator, DirectMemory, UnpooledAllocator};
    ///
    /// let memory = DirectMemory::with_limit(1024);
    /// let buffer = UnpooledAllocator::new(memory.clone()).page_aligned().allocate(1000)?;
    /// assert_eq!(buffer.as_ptr().addr() % 4096, 0);
    /// assert_eq!(memory.used(), 1000);
    /// # Ok::<(), AllocError>(())
    /// ```
    #[must_use]
    pub fn page_aligned(mut self) -> UnpooledAllocator {
        self.kind.alignment = Alignment::Page;
        self
    }

    /// Lets the memory of every buffer be zero when it is new, that which growth adds included.
    ///
    /// For memory that a device or foreign code reads beyond what was written. The buffer is empty all the same: what
    /// can be read is what was put in.
    #[must_use]
    pub fn zeroed(mut self) -> UnpooledAllocator {
        self.kind.contents = Contents::Zeroed;
        self
    }

    /// The budget that the buffers are paid from.
    #[must_use]
    pub fn memory(&self) -> &DirectMemory {
        &self.memory
    }

    fn allocate_paid(&self, reservation: Reservation, capacity: usize) -> Result<ByteBufMut, AllocError> {
        let no_memory = AllocError::System { requested: capacity };
        let Ok(block) = Block::try_new(capacity, self.kind) else { return Err(no_memory) };
        let Ok(storage) = Storage::try_new(block, Payment::Own(reservation)) else { return Err(no_memory) };
        Ok(ByteBufMut::new(Reference::new(StorageRef::new(storage))))
    }
}

impl ByteBufAllocator for UnpooledAllocator {
    #[track_caller]
    fn allocate(&self, capacity: usize) -> Result<ByteBufMut, AllocError> {
        // First the reservation. Where a later step fails it is dropped, which gives it back.
        let reservation = match self.memory.try_reserve(capacity as u64) {
            Ok(reservation) => reservation,
            Err(error) => return Err(AllocError::refused(error, capacity)),
        };
        self.allocate_paid(reservation, capacity)
    }
}

impl BudgetedAllocator for UnpooledAllocator {
    fn memory(&self) -> &DirectMemory {
        &self.memory
    }

    fn allocate_from(
        &self,
        reservation: Reservation,
        capacity: usize,
        _: &'static Location<'static>,
    ) -> Result<ByteBufMut, AllocError> {
        self.allocate_paid(reservation, capacity)
    }
}

#[cfg(all(test, not(leaktrail_loom)))]
mod tests {
    use std::sync::Arc;

    use super::*;

    fn kinds(memory: &DirectMemory) -> [UnpooledAllocator; 4] {
        let plain = UnpooledAllocator::new(memory.clone());
        [plain.clone(), plain.clone().zeroed(), plain.clone().page_aligned(), plain.page_aligned().zeroed()]
    }

    /// Netty's `AbstractByteBufAllocatorTest.testUsedDirectMemory` and its huge twin: used is the capacity, to the
    /// byte.
    #[test]
    fn every_kind_reserves_exactly_its_capacity() {
        let memory = DirectMemory::unlimited();
        for allocator in kinds(&memory) {
            let huge = if cfg!(miri) { 128 << 10 } else { 32 << 20 };
            for capacity in [0, 1, 1024, 4097, huge] {
                let buffer = allocator.allocate(capacity).unwrap();
                assert_eq!((buffer.capacity(), buffer.len()), (capacity, 0), "{allocator:?}");
                assert_eq!((memory.used(), memory.reservations()), (capacity as u64, 1), "{allocator:?}");
                assert!(buffer.release());
                assert_eq!((memory.used(), memory.reservations()), (0, 0), "{allocator:?}");
            }
        }
    }

    #[test]
    fn what_the_system_refuses_is_given_back() {
        let memory = DirectMemory::unlimited();
        for allocator in kinds(&memory) {
            let error = allocator.allocate(usize::MAX).unwrap_err();
            assert!(matches!(error, AllocError::System { requested: usize::MAX }), "{error:?}");
            assert_eq!(
                error.to_string(),
                format!("failed to allocate {} byte(s): the system has no such memory", usize::MAX)
            );
            let error = allocator.allocate(usize::MAX - 1).unwrap_err();
            assert!(matches!(error, AllocError::System { .. }), "{error:?}");
            // The second one was reserved and given back.
            assert_eq!((memory.used(), memory.reservations(), memory.peak()), (0, 0, usize::MAX as u64 - 1));
        }
    }

    #[test]
    fn page_aligned_buffers_begin_at_a_page_also_after_growth() {
        let allocator = UnpooledAllocator::new(DirectMemory::unlimited()).page_aligned();
        let mut buffer = allocator.allocate(100).unwrap();
        assert_eq!(buffer.as_ptr().addr() % 4096, 0);
        buffer.try_reserve(10_000).unwrap();
        assert_eq!(buffer.as_ptr().addr() % 4096, 0);
    }

    /// Each way to an allocator reports the line that called it, and not one of this crate.
    #[test]
    fn a_refusal_names_the_caller_through_every_pointer() {
        #[track_caller]
        fn assert_here(result: Result<ByteBufMut, AllocError>) {
            let Err(AllocError::Budget(error)) = result else { panic!("{result:?}") };
            assert_eq!(error.site().line(), std::panic::Location::caller().line());
            assert!(error.site().file().ends_with("unpooled_allocator.rs"), "{}", error.site());
        }
        /// Somebody else's, without the attribute: it is inherited.
        struct Wrapper(UnpooledAllocator);
        impl ByteBufAllocator for Wrapper {
            fn allocate(&self, capacity: usize) -> Result<ByteBufMut, AllocError> {
                self.0.allocate(capacity)
            }
        }
        fn generic(allocator: impl ByteBufAllocator) {
            assert_here(allocator.allocate(2));
        }

        let allocator = UnpooledAllocator::new(DirectMemory::with_limit(1));
        let reference: &dyn ByteBufAllocator = &allocator;
        let boxed: Box<dyn ByteBufAllocator> = Box::new(allocator.clone());
        let counted: Arc<dyn ByteBufAllocator> = Arc::new(allocator.clone());
        let nested: Box<Arc<dyn ByteBufAllocator>> = Box::new(Arc::clone(&counted));
        assert_here(allocator.allocate(2));
        assert_here(reference.allocate(2));
        assert_here(boxed.allocate(2));
        assert_here(counted.allocate(2));
        assert_here(nested.allocate(2));
        assert_here(Wrapper(allocator.clone()).allocate(2));
        assert_here(Arc::<dyn ByteBufAllocator>::allocate(&(Arc::new(Wrapper(allocator.clone())) as _), 2));
        generic(&allocator);
        generic(reference);
        generic(&counted);
        generic(boxed);
        generic(nested);
    }
}
