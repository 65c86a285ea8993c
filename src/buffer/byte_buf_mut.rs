//! A buffer while it is written.

use std::fmt;
use std::ops::{Deref, DerefMut};
use std::panic::Location;
use std::sync::Arc;

use super::alloc_error::AllocError;
use super::byte_buf::ByteBuf;
use super::hook::ReferenceHook;
use super::reference::Reference;
use crate::report::Hint;

/// A buffer of which this is the only reference: written here, then [frozen](ByteBufMut::freeze) to be shared.
///
/// It derefs to the part that has been written; the rest cannot be read. It never grows by itself: what it may hold has
/// been paid for, so writing beyond its [`capacity`](ByteBufMut::capacity) is a bug and panics, and
/// [`try_reserve`](ByteBufMut::try_reserve) asks the budget for more. With feature `bytes` it is a `BufMut` over that
/// capacity.
///
/// It is given back by [`release`](ByteBufMut::release). Dropping it gives it back too, unless it came from a
/// leak-aware allocator, whose policy then decides and which reports the loss.
///
/// # Examples
///
/// ```
/// use leaktrail::{AllocError, ByteBufAllocator, DirectMemory, UnpooledAllocator};
///
/// let memory = DirectMemory::with_limit(1024);
/// let mut buffer = UnpooledAllocator::new(memory.clone()).allocate(16)?;
/// buffer.put_slice(b"hello");
/// buffer[0] = b'j';
/// assert_eq!(&buffer[..], b"jello");
/// assert_eq!((buffer.len(), buffer.capacity(), buffer.remaining_capacity()), (5, 16, 11));
/// assert!(buffer.release());
/// assert_eq!(memory.used(), 0);
/// # Ok::<(), AllocError>(())
/// ```
///
/// It can be released once only, which the compiler holds:
///
/// ```compile_fail,E0382
/// use leaktrail::{ByteBufAllocator, DirectMemory, UnpooledAllocator};
///
/// let buffer = UnpooledAllocator::new(DirectMemory::unlimited()).allocate(16).unwrap();
/// buffer.release();
/// buffer.release();
/// ```
#[must_use = "a buffer that is dropped without release may be reported as a leak"]
pub struct ByteBufMut {
    /// Invariant M1: the only reference to its buffer; `freeze` ends this type before a second one can be made.
    reference: Reference,
}

impl ByteBufMut {
    /// A buffer around the first reference to its memory.
    pub(super) fn new(reference: Reference) -> ByteBufMut {
        ByteBufMut { reference }
    }

    /// The same buffer, watched: its reference is opened at `location`, and so are all that are made from it.
    ///
    /// A hook that was there before is told that the buffer came back.
    pub(crate) fn with_hook(
        mut self,
        hook: Arc<dyn ReferenceHook>,
        location: &'static Location<'static>,
    ) -> ByteBufMut {
        self.reference.adopt(hook, location);
        self
    }

    /// How many bytes have been written.
    #[must_use]
    pub fn len(&self) -> usize {
        self.reference.block().filled().len()
    }

    /// Whether nothing has been written.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many bytes it can hold without growing. These are reserved.
    #[must_use]
    pub fn capacity(&self) -> usize {
        self.reference.block().capacity()
    }

    /// How many more bytes can be written without growing.
    #[must_use]
    pub fn remaining_capacity(&self) -> usize {
        self.capacity() - self.len()
    }

    /// Makes sure that at least `additional` more bytes can be written.
    ///
    /// Grows to just that and reserves only the difference: a budget is paid by the byte, so ask for what will be
    /// needed and not for one byte at a time. The contents may move.
    ///
    /// # Examples
    ///
    /// ```
    /// use leaktrail::{AllocError, ByteBufAllocator, DirectMemory, UnpooledAllocator};
    ///
    /// let memory = DirectMemory::with_limit(1024);
    /// let mut buffer = UnpooledAllocator::new(memory.clone()).allocate(512)?;
    /// buffer.put_slice(b"head");
    /// buffer.try_reserve(596)?;
    /// assert_eq!((buffer.capacity(), memory.used()), (600, 600));
    ///
    /// assert!(buffer.try_reserve(2000).is_err());
    /// assert_eq!((buffer.capacity(), memory.used(), &buffer[..]), (600, 600, &b"head"[..]));
    /// # Ok::<(), AllocError>(())
    /// ```
    ///
    /// # Errors
    /// [`AllocError`] when the budget or the system refuses. The buffer and the budget are as they were.
    ///
    /// # Cost
    /// Nothing while it fits; else a reservation and a `realloc`.
    #[track_caller]
    pub fn try_reserve(&mut self, additional: usize) -> Result<(), AllocError> {
        if additional <= self.remaining_capacity() {
            return Ok(());
        }
        // More than there are addresses is refused like anything else that is too much.
        self.reference.try_grow(self.len().saturating_add(additional))
    }

    /// Appends bytes.
    ///
    /// # Panics
    /// When they do not fit into the [`remaining_capacity`](ByteBufMut::remaining_capacity). Nothing is written then.
    #[track_caller]
    pub fn put_slice(&mut self, bytes: &[u8]) {
        self.assert_fits(bytes.len());
        self.reference.block_mut().put_slice(bytes);
    }

    /// Makes the written part so long: cuts it, or appends bytes of one value.
    ///
    /// # Panics
    /// When `len` is above the [`capacity`](ByteBufMut::capacity).
    #[track_caller]
    pub fn resize(&mut self, len: usize, value: u8) {
        match len.checked_sub(self.len()) {
            None => self.truncate(len),
            Some(more) => {
                self.assert_fits(more);
                self.reference.block_mut().put_repeated(value, more);
            }
        }
    }

    /// Keeps the first `len` bytes of what has been written. The capacity stays.
    pub fn truncate(&mut self, len: usize) {
        self.reference.block_mut().truncate(len);
    }

    /// Forgets what has been written. The capacity stays.
    pub fn clear(&mut self) {
        self.truncate(0);
    }

    /// The same buffer, to be read and shared.
    ///
    /// Nothing is copied, and it is the same reference still: created where this one was, with the touches that it has.
    ///
    /// # Examples
    ///
    /// ```
    /// use leaktrail::{AllocError, ByteBufAllocator, DirectMemory, UnpooledAllocator};
    ///
    /// let mut buffer = UnpooledAllocator::new(DirectMemory::with_limit(1024)).allocate(5)?;
    /// buffer.put_slice(b"hello");
    /// let shared = buffer.freeze();
    /// assert_eq!((&shared[..], shared.ref_cnt()), (&b"hello"[..], 1));
    /// assert!(shared.release());
    /// # Ok::<(), AllocError>(())
    /// ```
    ///
    /// # Cost
    /// None: no allocation, no atomic operation.
    pub fn freeze(self) -> ByteBuf {
        ByteBuf::new(self.reference)
    }

    /// Gives the memory back. Always `true`: nobody else can have it.
    ///
    /// # Cost
    /// Frees two allocations.
    pub fn release(self) -> bool {
        self.reference.release()
    }

    /// Notes, where the buffer is watched, that it passed here.
    #[track_caller]
    pub fn touch(&self) {
        if self.reference.wants_touch() {
            self.reference.touched(None, Location::caller());
        }
    }

    /// Notes, where the buffer is watched, that it passed here and why.
    ///
    /// The hint is only made when it is going to be kept.
    #[track_caller]
    pub fn touch_with(&self, hint: impl Into<Hint>) {
        if self.reference.wants_touch() {
            self.reference.touched(Some(Hint::made(|| hint.into())), Location::caller());
        }
    }

    /// The memory, for what is not in this file.
    #[cfg(feature = "bytes")]
    pub(super) fn block_mut(&mut self) -> &mut super::block::Block {
        self.reference.block_mut()
    }

    #[track_caller]
    fn assert_fits(&self, bytes: usize) {
        let remaining = self.remaining_capacity();
        assert!(
            bytes <= remaining,
            "{bytes} byte(s) do not fit into the {remaining} that are left of {}",
            self.capacity()
        );
    }
}

impl Deref for ByteBufMut {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        self.reference.block().filled()
    }
}

impl DerefMut for ByteBufMut {
    fn deref_mut(&mut self) -> &mut [u8] {
        self.reference.block_mut().filled_mut()
    }
}

impl AsRef<[u8]> for ByteBufMut {
    fn as_ref(&self) -> &[u8] {
        self
    }
}

impl AsMut<[u8]> for ByteBufMut {
    fn as_mut(&mut self) -> &mut [u8] {
        self
    }
}

/// Sizes only; contents may be anybody's secrets.
impl fmt::Debug for ByteBufMut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ByteBufMut")
            .field("len", &self.len())
            .field("capacity", &self.capacity())
            .finish_non_exhaustive()
    }
}

#[cfg(all(test, not(leaktrail_loom)))]
mod tests {
    use std::panic::{AssertUnwindSafe, catch_unwind};

    use super::super::allocator::ByteBufAllocator;
    use super::super::test_support::panic_text;
    use super::super::unpooled_allocator::UnpooledAllocator;
    use super::*;
    use crate::memory::DirectMemory;

    const fn assert_send_sync<T: Send + Sync>() {}
    const _: () = assert_send_sync::<ByteBufMut>();

    fn allocate(memory: &DirectMemory, capacity: usize) -> ByteBufMut {
        UnpooledAllocator::new(memory.clone()).allocate(capacity).unwrap()
    }

    #[test]
    fn writing_past_the_capacity_panics_and_writes_nothing() {
        let memory = DirectMemory::with_limit(16);
        let mut buffer = allocate(&memory, 4);
        buffer.put_slice(b"abc");
        for write in [
            (|buffer| buffer.put_slice(b"de")) as fn(&mut ByteBufMut),
            |buffer| buffer.resize(5, 0),
            |buffer| buffer.resize(usize::MAX, 0),
        ] {
            let panic = catch_unwind(AssertUnwindSafe(|| write(&mut buffer))).unwrap_err();
            assert!(panic_text(&*panic).ends_with("byte(s) do not fit into the 1 that are left of 4"), "{panic:?}");
            assert_eq!(&buffer[..], b"abc");
        }
        buffer.put_slice(b"d");
        buffer.put_slice(b"");
        assert_eq!((&buffer[..], buffer.remaining_capacity()), (&b"abcd"[..], 0));
    }

    #[test]
    fn the_written_part_is_cut_and_filled_and_written_over() {
        let memory = DirectMemory::with_limit(16);
        let mut buffer = allocate(&memory, 8);
        buffer.resize(3, b'x');
        buffer.as_mut()[1] = b'y';
        buffer.resize(5, b'z');
        assert_eq!(buffer.as_ref(), b"xyxzz");
        buffer.resize(2, b'q');
        buffer.truncate(7);
        assert_eq!(&buffer[..], b"xy");
        buffer.clear();
        assert!(buffer.is_empty());
        assert_eq!((buffer.len(), buffer.capacity(), memory.used()), (0, 8, 8));
    }

    #[test]
    fn growth_pays_the_difference_or_changes_nothing() {
        let memory = DirectMemory::with_limit(100);
        let mut buffer = allocate(&memory, 0);
        assert!(buffer.try_reserve(0).is_ok());
        assert_eq!((buffer.capacity(), memory.used()), (0, 0));
        buffer.try_reserve(10).unwrap();
        buffer.put_slice(b"0123456789");
        buffer.try_reserve(90).unwrap();
        assert_eq!((buffer.capacity(), memory.used(), memory.peak(), memory.reservations()), (100, 100, 100, 1));

        for additional in [91, usize::MAX] {
            let (error, line) = (buffer.try_reserve(additional).unwrap_err(), line!());
            let AllocError::Budget(error) = error else { panic!("{error:?}") };
            let requested = 10_usize.saturating_add(additional) - 100;
            assert_eq!((error.requested(), error.used(), error.site().line()), (requested as u64, 100, line));
            assert_eq!((buffer.capacity(), memory.used(), memory.reservations()), (100, 100, 1));
            assert_eq!(&buffer[..], b"0123456789");
        }
        assert!(buffer.release());
        assert_eq!((memory.used(), memory.reservations()), (0, 0));
    }

    #[test]
    fn growth_that_the_system_refuses_is_given_back() {
        let memory = DirectMemory::unlimited();
        let mut buffer = allocate(&memory, 10);
        buffer.put_slice(b"abc");
        for additional in [usize::MAX - 3, usize::MAX] {
            let error = buffer.try_reserve(additional).unwrap_err();
            assert!(matches!(error, AllocError::System { requested: usize::MAX }), "{error:?}");
            assert_eq!((buffer.capacity(), memory.used(), memory.reservations()), (10, 10, 1));
        }
        assert_eq!(&buffer[..], b"abc");
    }

    #[test]
    fn capacity_0_is_a_buffer_like_any_other() {
        let memory = DirectMemory::with_limit(0);
        let mut buffer = allocate(&memory, 0);
        buffer.put_slice(b"");
        assert_eq!((buffer.len(), buffer.capacity(), memory.used(), memory.reservations()), (0, 0, 0, 1));
        let shared = buffer.freeze();
        let other = shared.slice(..);
        assert_eq!((&shared[..], shared.ref_cnt()), (&[][..], 2));
        assert!(!shared.release());
        assert!(other.release());
        assert_eq!(memory.reservations(), 0);
    }

    #[test]
    fn dropping_gives_back_also_while_a_panic_unwinds() {
        let memory = DirectMemory::with_limit(16);
        drop(allocate(&memory, 16));
        assert_eq!(memory.used(), 0);
        catch_unwind(AssertUnwindSafe(|| {
            let _buffer = allocate(&memory, 8);
            let _shared = allocate(&memory, 8).freeze().retain();
            std::panic::resume_unwind(Box::new(()));
        }))
        .unwrap_err();
        assert_eq!((memory.used(), memory.reservations(), memory.peak()), (0, 0, 16));
    }

    #[test]
    fn debug_shows_sizes_and_no_contents() {
        let memory = DirectMemory::with_limit(16);
        let mut buffer = allocate(&memory, 16);
        buffer.put_slice(b"secret");
        assert_eq!(format!("{buffer:?}"), "ByteBufMut { len: 6, capacity: 16, .. }");
        assert_eq!(format!("{:?}", buffer.freeze()), "ByteBuf { len: 6, capacity: 16, ref_cnt: 1, .. }");
    }
}
