//! A buffer while it is read.

use std::fmt;
use std::ops::{Bound, Deref, Range, RangeBounds};
use std::panic::Location;

use super::joined_byte_buf::JoinedByteBuf;
use super::reference::Reference;
use super::retain_error::RetainError;
use crate::report::{Hint, Origin};

/// A counted reference to a buffer that is read and shared, and the part of it that this reference looks at.
///
/// It derefs to its bytes. [`retain`](ByteBuf::retain) makes one more reference, [`slice`](ByteBuf::slice) one to a
/// part; the memory goes back when the last one ends. Each reference ends once, by [`release`](ByteBuf::release), and
/// is watched for itself where the buffer came from a leak-aware allocator. With feature `bytes` it is a `Buf`, and
/// turns into `Bytes`.
///
/// # Examples
///
/// ```
/// use leaktrail::{AllocError, ByteBufAllocator, DirectMemory, UnpooledAllocator};
///
/// let memory = DirectMemory::with_limit(1024);
/// let mut buffer = UnpooledAllocator::new(memory.clone()).allocate(16)?;
/// buffer.put_slice(b"hello world");
/// let body = buffer.freeze();
///
/// let cached = body.retain();
/// let world = body.slice(6..);
/// assert_eq!((&world[..], body.ref_cnt()), (&b"world"[..], 3));
///
/// assert!(!body.release());
/// assert!(!cached.release());
/// assert_eq!(memory.used(), 16);
/// assert!(world.release());
/// assert_eq!(memory.used(), 0);
/// # Ok::<(), AllocError>(())
/// ```
///
/// A reference can be released once only, which the compiler holds:
///
/// ```compile_fail,E0382
/// use leaktrail::{ByteBufAllocator, DirectMemory, UnpooledAllocator};
///
/// let body = UnpooledAllocator::new(DirectMemory::unlimited()).allocate(16).unwrap().freeze();
/// body.release();
/// body.release();
/// ```
#[must_use = "a buffer that is dropped without release may be reported as a leak"]
pub struct ByteBuf {
    reference: Reference,
    /// Invariant V1: within what the block has filled, which does not change once it is shared.
    view: Range<usize>,
}

impl ByteBuf {
    /// All that has been written to the buffer.
    pub(super) fn new(reference: Reference) -> ByteBuf {
        let view = 0..reference.block().filled().len();
        ByteBuf { reference, view }
    }

    /// Several buffers read as one, without copying. Each part keeps its own trail.
    ///
    /// # Examples
    ///
    /// ```
    /// use leaktrail::{AllocError, ByteBuf, ByteBufAllocator, DirectMemory, UnpooledAllocator};
    ///
    /// let memory = DirectMemory::with_limit(1024);
    /// let mut buffer = UnpooledAllocator::new(memory.clone()).allocate(16)?;
    /// buffer.put_slice(b"world hello ");
    /// let body = buffer.freeze();
    ///
    /// let joined = ByteBuf::join([body.slice(6..), body.slice(..5)]);
    /// assert_eq!((joined.len(), joined.copy_to_vec()), (11, b"hello world".to_vec()));
    /// assert!(!body.release());
    /// assert!(joined.release());
    /// assert_eq!(memory.used(), 0);
    /// # Ok::<(), AllocError>(())
    /// ```
    pub fn join(parts: impl IntoIterator<Item = ByteBuf>) -> JoinedByteBuf {
        JoinedByteBuf::new(parts.into_iter().collect())
    }

    /// One more reference to the same bytes; `clone` by Netty's name.
    ///
    /// # Panics
    /// When there are 2,147,483,647 references already, with Netty's `refCnt: 2147483647, increment: 1`.
    ///
    /// # Cost
    /// One atomic read-modify-write; no allocation.
    #[track_caller]
    pub fn retain(&self) -> ByteBuf {
        self.open(Origin::Retained, self.view.clone(), Location::caller())
    }

    /// One more reference to the same bytes, or an error where [`retain`](ByteBuf::retain) panics.
    ///
    /// # Errors
    /// [`RetainError`] when there are 2,147,483,647 references already.
    #[track_caller]
    pub fn try_retain(&self) -> Result<ByteBuf, RetainError> {
        let reference = self.reference.try_retain(Origin::Retained, self.len(), Location::caller())?;
        Ok(ByteBuf { reference, view: self.view.clone() })
    }

    /// One more reference, to a part of these bytes. It keeps the whole buffer.
    ///
    /// # Panics
    /// When the range ends before it begins or after the last byte, and where [`retain`](ByteBuf::retain) does.
    ///
    /// # Cost
    /// As for [`retain`](ByteBuf::retain).
    #[track_caller]
    pub fn slice(&self, range: impl RangeBounds<usize>) -> ByteBuf {
        let begin = match range.start_bound() {
            Bound::Included(&begin) => begin,
            // Past the last number is past the last byte too.
            Bound::Excluded(&before) => before.saturating_add(1),
            Bound::Unbounded => 0,
        };
        let end = match range.end_bound() {
            Bound::Included(&last) => last.saturating_add(1),
            Bound::Excluded(&end) => end,
            Bound::Unbounded => self.len(),
        };
        assert!(begin <= end, "slice from {begin} to {end} ends before it begins");
        assert!(end <= self.len(), "slice to {end} of {} byte(s)", self.len());
        // V1: both are at most the length, so the sums are within the view.
        self.open(Origin::Sliced, self.view.start + begin..self.view.start + end, Location::caller())
    }

    /// How many bytes this reference looks at.
    #[must_use]
    pub fn len(&self) -> usize {
        self.view.len()
    }

    /// Whether this reference looks at no bytes.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.view.is_empty()
    }

    /// How many bytes the whole buffer holds, whatever part of it this reference looks at.
    #[must_use]
    pub fn capacity(&self) -> usize {
        self.reference.block().capacity()
    }

    /// Looks past the first `count` bytes from now on. The buffer stays whole.
    ///
    /// # Panics
    /// When there are fewer.
    #[track_caller]
    pub fn advance(&mut self, count: usize) {
        assert!(count <= self.len(), "advance by {count} of {} byte(s)", self.len());
        self.view.start += count;
    }

    /// Looks at no more than the first `len` bytes from now on. The buffer stays whole.
    pub fn truncate(&mut self, len: usize) {
        self.view.end = self.view.start + self.len().min(len);
    }

    /// How many references the buffer has, those that were lost with their memory included.
    ///
    /// For display and tests: another thread may change it before you look at it.
    #[must_use]
    pub fn ref_cnt(&self) -> u32 {
        self.reference.ref_cnt()
    }

    /// Gives this reference back; `true` when it was the last one and the memory went back with it.
    ///
    /// # Cost
    /// One atomic read-modify-write; the last one frees two allocations.
    pub fn release(self) -> bool {
        self.reference.release()
    }

    /// Notes, where the buffer is watched, that this reference passed here.
    #[track_caller]
    pub fn touch(&self) {
        if self.reference.wants_touch() {
            self.reference.touched(None, Location::caller());
        }
    }

    /// Notes, where the buffer is watched, that this reference passed here and why.
    ///
    /// The hint is only made when it is going to be kept.
    #[track_caller]
    pub fn touch_with(&self, hint: impl Into<Hint>) {
        if self.reference.wants_touch() {
            self.reference.touched(Some(Hint::made(|| hint.into())), Location::caller());
        }
    }

    pub(super) fn reference(&self) -> &Reference {
        &self.reference
    }

    #[track_caller]
    fn open(&self, origin: Origin, view: Range<usize>, location: &'static Location<'static>) -> ByteBuf {
        match self.reference.try_retain(origin, view.len(), location) {
            Ok(reference) => ByteBuf { reference, view },
            Err(error) => panic!("{error}"),
        }
    }
}

/// [`retain`](ByteBuf::retain), with the caller's line where the type is known to be a `ByteBuf`.
impl Clone for ByteBuf {
    #[track_caller]
    fn clone(&self) -> ByteBuf {
        self.retain()
    }
}

impl Deref for ByteBuf {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        // V1, so this never panics.
        &self.reference.block().filled()[self.view.clone()]
    }
}

impl AsRef<[u8]> for ByteBuf {
    fn as_ref(&self) -> &[u8] {
        self
    }
}

/// Sizes only; contents may be anybody's secrets.
impl fmt::Debug for ByteBuf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ByteBuf")
            .field("len", &self.len())
            .field("capacity", &self.capacity())
            .field("ref_cnt", &self.ref_cnt())
            .finish_non_exhaustive()
    }
}

#[cfg(all(test, not(leaktrail_loom)))]
mod tests {
    use std::panic::{AssertUnwindSafe, catch_unwind};
    use std::sync::Barrier;
    use std::thread;

    use super::super::allocator::ByteBufAllocator;
    use super::super::ref_count::RefCount;
    use super::super::test_support::panic_text;
    use super::super::unpooled_allocator::UnpooledAllocator;
    use super::*;
    use crate::memory::DirectMemory;

    const fn assert_send_sync<T: Send + Sync>() {}
    const _: () = assert_send_sync::<ByteBuf>();

    fn frozen(memory: &DirectMemory, contents: &[u8]) -> ByteBuf {
        let mut buffer = UnpooledAllocator::new(memory.clone()).allocate(16).unwrap();
        buffer.put_slice(contents);
        buffer.freeze()
    }

    #[test]
    fn slices_are_relative_to_what_is_looked_at() {
        let memory = DirectMemory::with_limit(16);
        let body = frozen(&memory, b"0123456789");
        let middle = body.slice(2..8);
        assert_eq!((&middle[..], middle.len(), middle.capacity()), (&b"234567"[..], 6, 16));
        assert_eq!(&middle.slice(1..=2)[..], b"34");
        assert_eq!(&middle.slice(..)[..], b"234567");
        assert_eq!(&middle.slice((Bound::Excluded(0), Bound::Unbounded))[..], b"34567");
        assert!(middle.slice(6..).is_empty());
        assert!(middle.slice(0..0).is_empty());

        let mut moving = middle.retain();
        moving.advance(2);
        moving.truncate(3);
        moving.truncate(9);
        assert_eq!(&moving[..], b"456");
        assert_eq!(&moving.slice(1..)[..], b"56");
        assert_eq!(moving.as_ref(), b"456");
        assert_eq!((body.ref_cnt(), memory.used()), (3, 16));
    }

    #[test]
    fn a_range_out_of_bounds_panics_and_counts_nothing() {
        let memory = DirectMemory::with_limit(16);
        let mut body = frozen(&memory, b"0123456789").slice(2..8);
        let bounds: [(Bound<usize>, Bound<usize>, &str); 6] = [
            (Bound::Included(0), Bound::Excluded(7), "slice to 7 of 6 byte(s)"),
            (Bound::Included(0), Bound::Included(usize::MAX), "slice to 18446744073709551615 of 6 byte(s)"),
            (Bound::Included(4), Bound::Excluded(3), "slice from 4 to 3 ends before it begins"),
            (Bound::Included(7), Bound::Unbounded, "slice from 7 to 6 ends before it begins"),
            (
                Bound::Excluded(usize::MAX),
                Bound::Unbounded,
                "slice from 18446744073709551615 to 6 ends before it begins",
            ),
            (Bound::Unbounded, Bound::Excluded(usize::MAX), "slice to 18446744073709551615 of 6 byte(s)"),
        ];
        for (begin, end, text) in bounds {
            let panic = catch_unwind(AssertUnwindSafe(|| body.slice((begin, end)))).unwrap_err();
            assert_eq!(panic_text(&*panic), text);
        }
        let panic = catch_unwind(AssertUnwindSafe(|| body.advance(7))).unwrap_err();
        assert_eq!(panic_text(&*panic), "advance by 7 of 6 byte(s)");
        assert_eq!((&body[..], body.ref_cnt()), (&b"234567"[..], 1));
    }

    /// Netty's `testRetainOverflow`, on the buffer itself.
    #[test]
    fn the_maximum_of_references_is_an_error_and_for_retain_a_panic() {
        let memory = DirectMemory::with_limit(16);
        let body = frozen(&memory, b"body");
        body.reference.storage_ref().set_ref_cnt(RefCount::MAX);
        let error = body.try_retain().unwrap_err();
        assert_eq!((error.to_string().as_str(), error.ref_cnt()), ("refCnt: 2147483647, increment: 1", 2_147_483_647));
        for open in [ByteBuf::retain as fn(&ByteBuf) -> ByteBuf, ByteBuf::clone, |body| body.slice(1..)] {
            let panic = catch_unwind(AssertUnwindSafe(|| open(&body))).unwrap_err();
            assert_eq!(panic_text(&*panic), "refCnt: 2147483647, increment: 1");
        }
        assert_eq!(body.ref_cnt(), 2_147_483_647);
        body.reference.storage_ref().set_ref_cnt(1);
        assert!(body.release());
        assert_eq!(memory.used(), 0);
    }

    /// Netty's `testRetainedSliceReleaseOriginal1-4`, `testMultipleRetainedDuplicateReleaseOriginal1-4` and their kin:
    /// in every order of release what is left can be read, and the last one gives the memory back.
    #[test]
    fn every_order_of_release_ends_with_the_last() {
        let memory = DirectMemory::with_limit(16);
        for order in [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]] {
            let body = frozen(&memory, b"0123456789");
            let slice = body.slice(1..9);
            let nested = slice.slice(1..7).retain();
            let mut references = [Some((body, 0..10)), Some((slice, 1..9)), Some((nested, 2..8))];
            for (nth, index) in order.into_iter().enumerate() {
                let (released, _) = references[index].take().unwrap();
                assert_eq!(released.ref_cnt(), 3 - nth as u32);
                assert_eq!(released.release(), nth == 2, "{order:?}");
                for (left, range) in references.iter().flatten() {
                    assert_eq!(&left[..], &b"0123456789"[range.clone()]);
                }
            }
            assert_eq!((memory.used(), memory.reservations()), (0, 0));
        }
    }

    /// Netty's `testRefCnt2` and its four threads that race for the last release, on real buffers.
    #[test]
    fn four_threads_race_for_the_last_release() {
        let rounds = if cfg!(miri) { 20 } else { 10_000 };
        let memory = DirectMemory::with_limit(16);
        for _ in 0..rounds {
            let body = frozen(&memory, b"0123456789");
            let others = [body.retain(), body.slice(2..), body.clone()];
            let start = &Barrier::new(4);
            let last = thread::scope(|scope| {
                let threads: Vec<_> = others
                    .into_iter()
                    .map(|reference| {
                        scope.spawn(move || {
                            start.wait();
                            assert_eq!(reference.last(), Some(&b'9'));
                            reference.release()
                        })
                    })
                    .collect();
                start.wait();
                let mine = body.release();
                threads.into_iter().map(|thread| u32::from(thread.join().unwrap())).sum::<u32>() + u32::from(mine)
            });
            assert_eq!((last, memory.used(), memory.reservations()), (1, 0, 0));
        }
    }
}
