//! Buffers against vectors: whatever is done, they hold the same bytes and cost what they should.

use proptest::prelude::*;
use proptest::sample::Index;

use super::{ByteBuf, ByteBufAllocator, ByteBufMut, JoinedByteBuf, UnpooledAllocator};
use crate::memory::DirectMemory;

const LIMIT_BYTES: usize = 4096;

#[derive(Clone, Debug)]
enum Write {
    Put(Vec<u8>),
    Resize(usize, u8),
    Truncate(usize),
    Clear,
    Grow(usize),
    Set(Index, u8),
    PutU32(u32),
}

#[derive(Clone, Debug)]
enum Share {
    Retain(Index),
    Slice(Index, Index, Index),
    Advance(Index, Index),
    Truncate(Index, usize),
    Release(Index),
    Drop(Index),
    /// Joins so many of the newest.
    Join(usize),
    AdvanceJoined(Index),
    Part,
}

fn writes() -> impl Strategy<Value = Vec<Write>> {
    let write = prop_oneof![
        4 => prop::collection::vec(any::<u8>(), 0..40).prop_map(Write::Put),
        2 => (0..200_usize, any::<u8>()).prop_map(|(len, value)| Write::Resize(len, value)),
        1 => (0..200_usize).prop_map(Write::Truncate),
        1 => Just(Write::Clear),
        2 => prop_oneof![0..300_usize, 4000..5000_usize, Just(usize::MAX)].prop_map(Write::Grow),
        2 => any::<(Index, u8)>().prop_map(|(index, value)| Write::Set(index, value)),
        1 => any::<u32>().prop_map(Write::PutU32),
    ];
    prop::collection::vec(write, 0..30)
}

fn shares() -> impl Strategy<Value = Vec<Share>> {
    let share = prop_oneof![
        2 => any::<Index>().prop_map(Share::Retain),
        3 => any::<(Index, Index, Index)>().prop_map(|(of, begin, end)| Share::Slice(of, begin, end)),
        2 => any::<(Index, Index)>().prop_map(|(of, count)| Share::Advance(of, count)),
        1 => (any::<Index>(), 0..100_usize).prop_map(|(of, len)| Share::Truncate(of, len)),
        2 => any::<Index>().prop_map(Share::Release),
        1 => any::<Index>().prop_map(Share::Drop),
        1 => (0..4_usize).prop_map(Share::Join),
        2 => any::<Index>().prop_map(Share::AdvanceJoined),
        1 => Just(Share::Part),
    ];
    prop::collection::vec(share, 0..40)
}

/// Does to a buffer and to a vector the same, where the buffer has room.
fn write(buffer: &mut ByteBufMut, model: &mut Vec<u8>, write: Write) {
    let room = buffer.capacity() - model.len();
    match write {
        Write::Put(bytes) => {
            let bytes = &bytes[..bytes.len().min(room)];
            buffer.put_slice(bytes);
            model.extend_from_slice(bytes);
        }
        Write::Resize(len, value) => {
            let len = len.min(buffer.capacity());
            buffer.resize(len, value);
            model.resize(len, value);
        }
        Write::Truncate(len) => {
            buffer.truncate(len);
            model.truncate(len);
        }
        Write::Clear => {
            buffer.clear();
            model.clear();
        }
        Write::Grow(additional) => {
            let needed = buffer.capacity().max(model.len().saturating_add(additional));
            let (before, fits) = (buffer.capacity(), needed <= LIMIT_BYTES);
            assert_eq!(buffer.try_reserve(additional).is_ok(), fits);
            assert_eq!(buffer.capacity(), if fits { needed } else { before });
        }
        Write::Set(index, value) if !model.is_empty() => {
            let index = index.index(model.len());
            buffer[index] = value;
            model[index] = value;
        }
        Write::Set(..) => {}
        Write::PutU32(value) if room >= 4 => {
            #[cfg(feature = "bytes")]
            bytes::BufMut::put_u32(buffer, value);
            #[cfg(not(feature = "bytes"))]
            buffer.put_slice(&value.to_be_bytes());
            model.extend_from_slice(&value.to_be_bytes());
        }
        Write::PutU32(_) => {}
    }
    assert_eq!(&buffer[..], &model[..]);
}

/// References to one buffer, each with what it should look at.
struct Shared {
    references: Vec<(ByteBuf, Vec<u8>)>,
    joined: Option<(JoinedByteBuf, Vec<Vec<u8>>)>,
}

impl Shared {
    fn count(&self) -> u32 {
        let parts = self.joined.as_ref().map_or(0, |(_, models)| models.len());
        (self.references.len() + parts) as u32
    }

    fn share(&mut self, share: Share) {
        let references = &mut self.references;
        match (share, references.len()) {
            (Share::Retain(of), 1..) => {
                let (reference, model) = &references[of.index(references.len())];
                let retained = (reference.retain(), model.clone());
                references.push(retained);
            }
            (Share::Slice(of, begin, end), 1..) => {
                let (reference, model) = &references[of.index(references.len())];
                let begin = begin.index(model.len() + 1);
                let end = begin + end.index(model.len() - begin + 1);
                let slice = (reference.slice(begin..end), model[begin..end].to_vec());
                references.push(slice);
            }
            (Share::Advance(of, count), len @ 1..) => {
                let (reference, model) = &mut references[of.index(len)];
                let count = count.index(model.len() + 1);
                reference.advance(count);
                model.drain(..count);
            }
            (Share::Truncate(of, to), len @ 1..) => {
                let (reference, model) = &mut references[of.index(len)];
                reference.truncate(to);
                model.truncate(to);
            }
            (Share::Release(of), len @ 1..) => {
                let last = self.count() == 1;
                let (reference, _) = self.references.swap_remove(of.index(len));
                assert_eq!(reference.release(), last);
            }
            (Share::Drop(of), len @ 1..) => drop(references.swap_remove(of.index(len))),
            (Share::Join(count), len) if self.joined.is_none() => {
                let parts = references.split_off(len.saturating_sub(count));
                let (parts, models): (Vec<_>, Vec<_>) = parts.into_iter().unzip();
                self.joined = Some((ByteBuf::join(parts), models));
            }
            (Share::AdvanceJoined(count), _) => {
                let Some((joined, models)) = &mut self.joined else { return };
                let mut left = count.index(joined.len() + 1);
                joined.advance(left);
                for model in models {
                    let step = left.min(model.len());
                    model.drain(..step);
                    left -= step;
                }
            }
            (Share::Part, _) => {
                if let Some((joined, models)) = self.joined.take() {
                    references.extend(joined.into_parts().into_iter().zip(models));
                }
            }
            _ => {}
        }
    }

    fn check(&self) {
        for (reference, model) in &self.references {
            assert_eq!(&reference[..], &model[..]);
            assert_eq!(reference.ref_cnt(), self.count());
        }
        if let Some((joined, models)) = &self.joined {
            assert_eq!(joined.copy_to_vec(), models.concat());
            assert_eq!((joined.len(), joined.parts().len()), (models.concat().len(), models.len()));
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: if cfg!(miri) { 2 } else { 512 }, failure_persistence: None, ..ProptestConfig::default()
    })]

    #[test]
    fn a_buffer_is_a_vector_that_is_paid_for_and_shared(
        capacity in 0..200_usize, writes in writes(), shares in shares(), page_aligned in any::<bool>(),
    ) {
        let memory = DirectMemory::with_limit(LIMIT_BYTES as u64);
        let allocator = UnpooledAllocator::new(memory.clone());
        let allocator = if page_aligned { allocator.page_aligned() } else { allocator };
        let (mut buffer, mut model) = (allocator.allocate(capacity).unwrap(), Vec::new());
        for step in writes {
            write(&mut buffer, &mut model, step);
            prop_assert_eq!((memory.used(), memory.reservations()), (buffer.capacity() as u64, 1));
            prop_assert_eq!(buffer.remaining_capacity(), buffer.capacity() - model.len());
        }
        let used = buffer.capacity() as u64;
        let mut shared = Shared { references: vec![(buffer.freeze(), model)], joined: None };
        for step in shares {
            shared.share(step);
            shared.check();
            let out = if shared.count() > 0 { (used, 1) } else { (0, 0) };
            prop_assert_eq!((memory.used(), memory.reservations()), out);
        }
        let (parts, last_is_joined) = (shared.count(), shared.references.is_empty());
        for (reference, _) in shared.references {
            reference.release();
        }
        if let Some((joined, _)) = shared.joined {
            prop_assert_eq!(joined.release(), true, "{} part(s), {}", parts, last_is_joined);
        }
        prop_assert_eq!((memory.used(), memory.reservations(), memory.abandoned()), (0, 0, 0));
    }
}
