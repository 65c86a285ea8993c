//! The traits of the `bytes` crate, and the way into its `Bytes`.
#![allow(unsafe_code, reason = "`BufMut` is an unsafe trait; listed in docs/SAFETY.md")]

use std::io::IoSlice;

use bytes::buf::UninitSlice;
use bytes::{Buf, BufMut, Bytes};

use super::byte_buf::ByteBuf;
use super::byte_buf_mut::ByteBufMut;
use super::joined_byte_buf::JoinedByteBuf;

/// Reading looks past bytes and keeps the buffer; it is given back by [`ByteBuf::release`] as ever.
impl Buf for ByteBuf {
    fn remaining(&self) -> usize {
        self.len()
    }

    fn chunk(&self) -> &[u8] {
        self
    }

    #[track_caller]
    fn advance(&mut self, count: usize) {
        ByteBuf::advance(self, count);
    }
}

/// One chunk for each part, so that one vectored write sends them all.
impl Buf for JoinedByteBuf {
    fn remaining(&self) -> usize {
        self.len()
    }

    fn chunk(&self) -> &[u8] {
        self.unread().next().unwrap_or_default()
    }

    fn chunks_vectored<'a>(&'a self, into: &mut [IoSlice<'a>]) -> usize {
        into.iter_mut().zip(self.unread()).map(|(slot, part)| *slot = IoSlice::new(part)).count()
    }

    #[track_caller]
    fn advance(&mut self, count: usize) {
        JoinedByteBuf::advance(self, count);
    }
}

// SAFETY: `remaining_mut` is the length of what `chunk_mut` returns, which is the block's spare part, always the same
// one until `advance_mut` or growth; and only `advance_mut` makes it shorter, by what its caller has initialised.
unsafe impl BufMut for ByteBufMut {
    /// What is left of the capacity: writing does not grow the buffer, as it would a `BytesMut`.
    fn remaining_mut(&self) -> usize {
        self.remaining_capacity()
    }

    #[track_caller]
    unsafe fn advance_mut(&mut self, count: usize) {
        let remaining = self.remaining_capacity();
        assert!(count <= remaining, "advance by {count} of {remaining} byte(s)");
        // SAFETY: the bytes exist, as asserted; the caller has initialised them, as `advance_mut` demands.
        unsafe { self.block_mut().advance(count) };
    }

    fn chunk_mut(&mut self) -> &mut UninitSlice {
        UninitSlice::uninit(self.block_mut().spare_mut())
    }

    #[track_caller]
    fn put_slice(&mut self, bytes: &[u8]) {
        ByteBufMut::put_slice(self, bytes);
    }
}

/// The reference goes into the `Bytes`: dropping its last clone *is* the release, and no leak.
///
/// # Examples
///
/// ```
/// use bytes::Bytes;
/// use leaktrail::{AllocError, ByteBufAllocator, DirectMemory, UnpooledAllocator};
///
/// let memory = DirectMemory::with_limit(1024);
/// let mut buffer = UnpooledAllocator::new(memory.clone()).allocate(5)?;
/// buffer.put_slice(b"hello");
///
/// let bytes = Bytes::from(buffer.freeze());
/// let clone = bytes.clone();
/// drop(bytes);
/// assert_eq!((&clone[..], memory.used()), (&b"hello"[..], 5));
/// drop(clone);
/// assert_eq!(memory.used(), 0);
/// # Ok::<(), AllocError>(())
/// ```
///
/// # Cost
/// One small allocation; the contents are not copied.
impl From<ByteBuf> for Bytes {
    fn from(buffer: ByteBuf) -> Bytes {
        Bytes::from_owner(ReleasedByDrop(Some(buffer)))
    }
}

/// Releases its buffer when it is dropped. `None` only while that happens.
struct ReleasedByDrop(Option<ByteBuf>);

impl AsRef<[u8]> for ReleasedByDrop {
    fn as_ref(&self) -> &[u8] {
        self.0.as_deref().unwrap_or_default()
    }
}

impl Drop for ReleasedByDrop {
    fn drop(&mut self) {
        if let Some(buffer) = self.0.take() {
            buffer.release();
        }
    }
}

#[cfg(all(test, not(leaktrail_loom)))]
mod tests {
    use std::panic::{AssertUnwindSafe, catch_unwind};
    use std::sync::Arc;

    use super::super::allocator::ByteBufAllocator;
    use super::super::hook::DropAction;
    use super::super::test_support::{RecordingHook, panic_text};
    use super::super::unpooled_allocator::UnpooledAllocator;
    use super::*;
    use crate::memory::DirectMemory;

    fn allocate(memory: &DirectMemory, capacity: usize) -> ByteBufMut {
        UnpooledAllocator::new(memory.clone()).allocate(capacity).unwrap()
    }

    #[test]
    fn a_buffer_is_filled_over_its_capacity_and_no_further() {
        let memory = DirectMemory::with_limit(100);
        let mut buffer = allocate(&memory, 12);
        buffer.put_u32(0x0102_0304);
        buffer.put_bytes(9, 3);
        buffer.put(&b"tail"[..]);
        assert_eq!((&buffer[..], buffer.remaining_mut()), (&b"\x01\x02\x03\x04\x09\x09\x09tail"[..], 1));
        assert_eq!(buffer.chunk_mut().len(), 1);
        let panic = catch_unwind(AssertUnwindSafe(|| buffer.put_u16(1))).unwrap_err();
        assert!(!panic_text(&*panic).is_empty());
        // SAFETY: refused before anything is counted as initialised.
        let panic = catch_unwind(AssertUnwindSafe(|| unsafe { buffer.advance_mut(2) })).unwrap_err();
        assert_eq!(panic_text(&*panic), "advance by 2 of 1 byte(s)");
        buffer.put_u8(b'!');
        assert_eq!((buffer.len(), buffer.has_remaining_mut(), buffer.chunk_mut().len()), (12, false, 0));
    }

    #[test]
    fn a_frozen_buffer_is_read_as_any_other() {
        let memory = DirectMemory::with_limit(100);
        let mut buffer = allocate(&memory, 12);
        buffer.put_slice(b"\x00\x05hello");
        let mut body = buffer.freeze();
        assert_eq!((body.get_u16(), body.remaining(), body.chunk()), (5, 5, &b"hello"[..]));
        assert_eq!(body.copy_to_bytes(2), &b"he"[..]);
        assert_eq!((&body[..], body.ref_cnt()), (&b"llo"[..], 1));
    }

    #[test]
    fn a_joined_buffer_is_read_and_written_in_pieces() {
        let memory = DirectMemory::with_limit(100);
        let parts = ["ab", "", "cde", "f"].map(|part| {
            let mut buffer = allocate(&memory, 4);
            buffer.put_slice(part.as_bytes());
            buffer.freeze()
        });
        let mut joined = ByteBuf::join(parts);
        let mut slices = [IoSlice::new(&[]); 2];
        assert_eq!(joined.chunks_vectored(&mut slices), 2);
        assert_eq!((&*slices[0], &*slices[1]), (&b"ab"[..], &b"cde"[..]));
        assert_eq!((joined.get_u8(), joined.get_u16(), joined.chunk()), (b'a', u16::from_be_bytes(*b"bc"), &b"de"[..]));
        assert_eq!(joined.copy_to_bytes(joined.remaining()), &b"def"[..]);
        assert_eq!((joined.chunk(), joined.chunks_vectored(&mut [IoSlice::new(&[]); 2])), (&[][..], 0));
        assert!(joined.release());
    }

    #[test]
    fn the_last_clone_of_bytes_is_the_release() {
        let memory = DirectMemory::with_limit(100);
        let hook = Arc::new(RecordingHook::new(DropAction::GiveBack));
        let mut buffer = allocate(&memory, 8);
        buffer.put_slice(b"contents");
        let body = buffer.with_hook(&hook, std::panic::Location::caller()).freeze();
        hook.take_events();
        let bytes = Bytes::from(body.slice(3..));
        assert_eq!((&bytes[..], body.ref_cnt()), (&b"tents"[..], 2));
        let part = bytes.slice(1..3);
        drop(bytes);
        assert_eq!(&part[..], b"en");
        assert_eq!(hook.take_events()[1..], [] as [&str; 0]);
        std::thread::spawn(move || drop(part)).join().unwrap();
        assert_eq!(hook.take_events(), ["released 2 in 1"]);
        assert!(body.release());
        assert_eq!((hook.take_events().len(), memory.used()), (2, 0));
    }
}
