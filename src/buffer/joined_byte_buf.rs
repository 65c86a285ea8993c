//! Several buffers read as one.

use std::fmt;
use std::iter;
use std::panic::Location;
use std::sync::Arc;

use super::byte_buf::ByteBuf;
use crate::report::Hint;

/// Several buffers read one after another as one, without copying.
///
/// Made by [`ByteBuf::join`]. Each part stays the reference that it was, with its own trail; this type only holds them.
/// So a joined buffer that is dropped without [`release`](JoinedByteBuf::release) is as many losses as it has parts.
/// Parts that have been read are kept until then. With feature `bytes` it is a `Buf`.
#[must_use = "a buffer that is dropped without release may be reported as a leak"]
pub struct JoinedByteBuf {
    parts: Vec<ByteBuf>,
    /// The first part that is not known to be read. Invariant J1: all before it are empty.
    first: usize,
    /// Invariant J2: the sum of what the parts look at.
    len: usize,
}

impl JoinedByteBuf {
    pub(super) fn new(parts: Vec<ByteBuf>) -> JoinedByteBuf {
        // Many slices of one buffer may come to more than there are addresses, at least where those have 32 bits. Bytes
        // beyond `usize::MAX` are then out of reach, as they are in `bytes`; every access still goes through its part.
        let len = parts.iter().map(ByteBuf::len).fold(0, usize::saturating_add);
        JoinedByteBuf { parts, first: 0, len }
    }

    /// How many bytes there are still to read, in all parts.
    #[must_use]
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there is nothing to read.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The parts, each looking at what of it is still to be read.
    pub fn parts(&self) -> &[ByteBuf] {
        &self.parts
    }

    /// The parts, which are then yours to release.
    pub fn into_parts(self) -> Vec<ByteBuf> {
        self.parts
    }

    /// Looks past the first `count` bytes from now on.
    ///
    /// # Panics
    /// When there are fewer.
    #[track_caller]
    pub fn advance(&mut self, count: usize) {
        assert!(count <= self.len, "advance by {count} of {} byte(s)", self.len);
        self.len -= count;
        let mut left = count;
        while left > 0 {
            // J2: while bytes are left to pass, a part that has them follows.
            let part = &mut self.parts[self.first];
            let step = left.min(part.len());
            part.advance(step);
            left -= step;
            if part.is_empty() {
                self.first += 1;
            }
        }
    }

    /// All that is still to be read, copied into one piece.
    #[must_use]
    pub fn copy_to_vec(&self) -> Vec<u8> {
        let mut all = Vec::with_capacity(self.len);
        self.unread().for_each(|part| all.extend_from_slice(part));
        all
    }

    /// What is still to be read, piece by piece; no piece is empty.
    pub(super) fn unread(&self) -> impl Iterator<Item = &[u8]> {
        self.parts[self.first..].iter().map(|part| &part[..]).filter(|part| !part.is_empty())
    }

    /// Gives every part back; `true` when the memory of all of them went back.
    ///
    /// Without parts there is nothing that stays out, so that is `true` too. In which order they are released is not
    /// promised.
    pub fn release(mut self) -> bool {
        // Several parts may be of one buffer, and then only the last of those can tell: they are brought together.
        self.parts.sort_unstable_by_key(|part| part.reference().buffer_address());
        let mut parts = self.parts.into_iter().peekable();
        let mut all = true;
        while let Some(part) = parts.next() {
            let buffer = part.reference().buffer_address();
            let more_follow = parts.peek().is_some_and(|next| next.reference().buffer_address() == buffer);
            all &= part.release() || more_follow;
        }
        all
    }

    /// Notes, where they are watched, that all parts passed here.
    #[track_caller]
    pub fn touch(&self) {
        let location = Location::caller();
        for part in self.parts.iter().filter(|part| part.reference().wants_touch()) {
            part.reference().touched(None, location);
        }
    }

    /// Notes, where they are watched, that all parts passed here and why.
    #[track_caller]
    pub fn touch_with(&self, hint: impl Into<Hint>) {
        let location = Location::caller();
        let mut wanting = self.parts.iter().map(ByteBuf::reference).filter(|part| part.wants_touch()).peekable();
        let Some(first) = wanting.next() else { return };
        let hint = Hint::made(|| hint.into());
        if wanting.peek().is_none() {
            return first.touched(Some(hint), location);
        }
        // A hint has one owner, and a lazy one may not be cheap: it is shared, and each part has a way to it.
        let hint = Arc::new(hint);
        for part in iter::once(first).chain(wanting) {
            let hint = Arc::clone(&hint);
            part.touched(Some(Hint::lazy(move || hint.render())), location);
        }
    }
}

impl fmt::Debug for JoinedByteBuf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JoinedByteBuf").field("len", &self.len).field("parts", &self.parts).finish()
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
    const _: () = assert_send_sync::<JoinedByteBuf>();

    fn frozen(memory: &DirectMemory, contents: &[u8]) -> ByteBuf {
        let mut buffer = UnpooledAllocator::new(memory.clone()).allocate(contents.len()).unwrap();
        buffer.put_slice(contents);
        buffer.freeze()
    }

    #[test]
    fn parts_are_read_one_after_another_and_kept_until_release() {
        let memory = DirectMemory::with_limit(100);
        let mut joined =
            ByteBuf::join(["", "abc", "", "", "de", "fgh", ""].map(|part| frozen(&memory, part.as_bytes())));
        assert_eq!((joined.len(), joined.copy_to_vec().as_slice()), (8, &b"abcdefgh"[..]));
        joined.advance(0);
        joined.advance(4);
        assert_eq!((joined.len(), joined.copy_to_vec().as_slice()), (4, &b"efgh"[..]));
        assert_eq!(joined.unread().collect::<Vec<_>>(), [&b"e"[..], b"fgh"]);
        joined.advance(4);
        joined.advance(0);
        assert!(joined.is_empty());
        assert_eq!((joined.parts().len(), memory.used(), memory.reservations()), (7, 8, 7));
        assert!(joined.release());
        assert_eq!((memory.used(), memory.reservations()), (0, 0));
    }

    #[test]
    fn advancing_too_far_panics_and_moves_nothing() {
        let memory = DirectMemory::with_limit(100);
        let mut joined = ByteBuf::join([frozen(&memory, b"abc"), frozen(&memory, b"de")]);
        joined.advance(1);
        let panic = catch_unwind(AssertUnwindSafe(|| joined.advance(5))).unwrap_err();
        assert_eq!(panic_text(&*panic), "advance by 5 of 4 byte(s)");
        assert_eq!(joined.copy_to_vec(), b"bcde");
    }

    #[test]
    fn a_part_that_is_shared_stays_out_and_the_others_go_back() {
        let memory = DirectMemory::with_limit(100);
        let shared = frozen(&memory, b"shared");
        let joined = ByteBuf::join([frozen(&memory, b"abc"), shared.retain(), frozen(&memory, b"de")]);
        assert!(!joined.release());
        assert_eq!((memory.used(), shared.ref_cnt()), (6, 1));
        assert!(shared.release());
    }

    #[test]
    fn parts_of_one_buffer_bring_it_back_together() {
        let memory = DirectMemory::with_limit(100);
        let (body, other) = (frozen(&memory, b"body"), frozen(&memory, b"other"));
        let joined = ByteBuf::join([body.slice(2..), other.retain(), body.slice(..2), other, body]);
        assert_eq!(joined.copy_to_vec(), b"dyotherbootherbody");
        assert!(joined.release());
        assert_eq!((memory.used(), memory.reservations()), (0, 0));
    }

    #[test]
    fn nothing_joined_is_nothing_and_parts_come_back() {
        assert!(ByteBuf::join([]).release());
        let memory = DirectMemory::with_limit(100);
        let mut joined = ByteBuf::join(vec![frozen(&memory, b"abc"), frozen(&memory, b"de")]);
        assert_eq!(
            format!("{joined:?}"),
            "JoinedByteBuf { len: 5, parts: [ByteBuf { len: 3, capacity: 3, ref_cnt: 1, .. }, \
             ByteBuf { len: 2, capacity: 2, ref_cnt: 1, .. }] }"
        );
        joined.advance(4);
        let parts = joined.into_parts();
        assert_eq!(parts.iter().map(|part| &part[..]).collect::<Vec<_>>(), [&b""[..], b"e"]);
        assert!(parts.into_iter().all(ByteBuf::release));
        assert_eq!(memory.used(), 0);
    }
}
