//! With feature `bytes` a buffer is read and written as the ecosystem does it, and a `Bytes` made of one gives it back with
//! its last clone.

mod rig;

use std::thread;

use bytes::{Buf, BufMut, Bytes, BytesMut};
use leaktrail::{
    ByteBuf, ByteBufAllocator, ByteBufMut, Config, DropPolicy, LeakDetector, Level, UnpooledAllocator, watch_bytes,
};
use proptest::prelude::*;
use proptest::sample::Index;
use rig::Rig;

const POLICIES: [DropPolicy; 3] = [DropPolicy::Release, DropPolicy::Reclaim, DropPolicy::Abandon];

/// Whatever a drop means elsewhere, that of the last clone is the release.
#[test]
fn the_last_clone_is_the_release() {
    for policy in POLICIES {
        let rig = Rig::new(Level::Paranoid, policy, 100);
        let body = Bytes::from(rig.filled(b"hello world"));
        let (clone, world) = (body.clone(), body.slice(6..));
        drop(body);
        assert_eq!((&clone[..], &world[..]), (&b"hello world"[..], &b"world"[..]));
        let other = thread::spawn(move || drop(clone));
        other.join().unwrap();
        assert_eq!((rig.memory.used(), rig.counts()), (11, (1, 0, 0, 1)));
        drop(world);
        assert_eq!(rig.counts(), (1, 1, 0, 0), "{policy:?}");
        assert!(rig.reports().is_empty());
        rig.assert_all_came_back();
    }
}

/// The `Bytes` is one reference among others: it neither ends them nor is ended by them.
#[test]
fn bytes_of_a_slice_keep_the_whole_buffer_and_nothing_else() {
    let rig = Rig::new(Level::Paranoid, DropPolicy::Reclaim, 100);
    let body = rig.filled(b"hello world");
    let mut moving = body.retain();
    moving.advance(6);
    let world = Bytes::from(moving);
    assert_eq!((&world[..], body.ref_cnt()), (&b"world"[..], 2));
    assert!(!body.release());
    assert_eq!(&world[..], b"world");
    drop(world);
    rig.assert_all_came_back();
    assert_eq!(rig.counts(), (2, 2, 0, 0));
}

/// Nothing is copied: the same memory is read.
#[test]
fn the_way_into_bytes_copies_nothing() {
    let rig = Rig::new(Level::Simple, DropPolicy::Reclaim, 100);
    let body = rig.filled(b"hello world");
    let start = body.as_ptr();
    let bytes = Bytes::from(body);
    assert_eq!(bytes.as_ptr(), start);
    assert_eq!(Bytes::from(rig.filled(b"")), Bytes::new());
    drop(bytes);
    rig.assert_all_came_back();
}

/// `BytesMut::from(Bytes)` and the like copy, as they do for every `Bytes` of an owner; the reference comes back then.
#[test]
fn what_takes_bytes_over_gives_the_buffer_back() {
    let rig = Rig::new(Level::Paranoid, DropPolicy::Reclaim, 100);
    let mut copy = BytesMut::from(Bytes::from(rig.filled(b"hello")));
    copy.extend_from_slice(b" world");
    let vector = Vec::from(Bytes::from(rig.filled(b"hello")));
    assert_eq!((&copy[..], &vector[..]), (&b"hello world"[..], &b"hello"[..]));
    rig.assert_all_came_back();
    assert_eq!(rig.counts(), (2, 2, 0, 0));
}

/// Reading a buffer to its end does not end its reference: it is released as ever, and lost as ever.
#[test]
fn a_buffer_that_was_read_is_still_to_be_released() {
    let rig = Rig::new(Level::Paranoid, DropPolicy::Reclaim, 100);
    let mut body = rig.filled(b"\x00\x05hello");
    let len = usize::from(body.get_u16());
    assert_eq!(body.copy_to_bytes(len), &b"hello"[..]);
    assert_eq!((body.has_remaining(), rig.memory.used()), (false, 7));
    let mut joined = ByteBuf::join([body, rig.filled(b"!")]);
    assert_eq!((joined.get_u8(), joined.has_remaining()), (b'!', false));
    drop(joined);
    assert_eq!(rig.counts(), (2, 0, 2, 0));
    rig.assert_all_came_back();
}

#[test]
fn watched_bytes_count_until_their_last_clone_is_dropped() {
    let detector = LeakDetector::new(Config::new().level(Level::Paranoid));
    let (body, created) = (detector.watch_bytes(Bytes::from_static(b"hello world")), line!());
    let part = body.slice(6..);
    let site = detector.holders("Bytes").remove(0);
    assert_eq!((site.site().file(), site.site().line()), ("tests/bytes_interop.rs", created));
    assert_eq!((site.live(), site.live_bytes()), (1, 11));
    drop(body);
    assert_eq!((&part[..], detector.snapshot().live()), (&b"world"[..], 1));
    thread::spawn(move || drop(part)).join().unwrap();
    let now = detector.snapshot();
    assert_eq!((now.live(), now.released(), now.leaked()), (0, 1, 0));
    assert!(detector.holders("Bytes").is_empty());
}

/// On the global detector; the only test here that uses that one.
#[test]
fn bytes_are_watched_on_the_global_detector() {
    let created = line!() + 1;
    let body = watch_bytes(Bytes::from_static(b"hello"));
    let here = || {
        let now = LeakDetector::global().snapshot();
        let site = now.sites().iter().find(|site| site.site().line() == created).cloned();
        site.map(|site| (site.live(), site.live_bytes()))
    };
    if LeakDetector::global().level() > Level::Disabled {
        assert_eq!(here(), Some((1, 5)));
    }
    drop(body);
    assert_ne!(here(), Some((1, 5)));
}

/// A buffer made of a buffer: a wrapped `Bytes` may itself hold one of ours.
#[test]
fn watched_bytes_of_a_buffer_give_it_back() {
    let rig = Rig::new(Level::Paranoid, DropPolicy::Reclaim, 100);
    let body = rig.detector.watch_bytes(Bytes::from(rig.filled(b"hello")));
    assert_eq!((rig.memory.used(), rig.counts()), (5, (2, 0, 0, 2)));
    drop(body);
    assert_eq!(rig.counts(), (2, 2, 0, 0));
    rig.assert_all_came_back();
}

#[derive(Clone, Debug)]
enum Write {
    Slice(Vec<u8>),
    Repeat(u8, usize),
    Byte(u8),
    Big(u32),
    Little(i64),
    Buf(Vec<u8>),
}

fn writes() -> impl Strategy<Value = Vec<Write>> {
    let write = prop_oneof![
        prop::collection::vec(any::<u8>(), 0..20).prop_map(Write::Slice),
        any::<(u8, u8)>().prop_map(|(value, count)| Write::Repeat(value, usize::from(count % 20))),
        any::<u8>().prop_map(Write::Byte),
        any::<u32>().prop_map(Write::Big),
        any::<i64>().prop_map(Write::Little),
        prop::collection::vec(any::<u8>(), 0..20).prop_map(Write::Buf),
    ];
    prop::collection::vec(write, 0..30)
}

/// Writes to anything; answers whether it fitted.
fn write(to: &mut impl BufMut, write: &Write) -> bool {
    let needed = match write {
        Write::Slice(bytes) | Write::Buf(bytes) => bytes.len(),
        Write::Repeat(_, count) => *count,
        Write::Byte(_) => 1,
        Write::Big(_) => 4,
        Write::Little(_) => 8,
    };
    if needed > to.remaining_mut() {
        return false;
    }
    match write {
        Write::Slice(bytes) => to.put_slice(bytes),
        Write::Buf(bytes) => to.put((&bytes[..]).chain(&b""[..])),
        Write::Repeat(value, count) => to.put_bytes(*value, *count),
        Write::Byte(value) => to.put_u8(*value),
        Write::Big(value) => to.put_u32(*value),
        Write::Little(value) => to.put_i64_le(*value),
    }
    true
}

#[derive(Clone, Debug)]
enum Read {
    Advance(Index),
    Byte,
    Short,
    Copy(Index),
    CopyToBytes(Index),
    Chunk,
}

fn reads() -> impl Strategy<Value = Vec<Read>> {
    let read = prop_oneof![
        any::<Index>().prop_map(Read::Advance),
        Just(Read::Byte),
        Just(Read::Short),
        any::<Index>().prop_map(Read::Copy),
        any::<Index>().prop_map(Read::CopyToBytes),
        Just(Read::Chunk),
    ];
    prop::collection::vec(read, 0..30)
}

/// Reads from anything; answers what came of it. How much a chunk has is nobody's promise, only that it is what comes next.
fn read(from: &mut impl Buf, read: &Read) -> Vec<u8> {
    let remaining = from.remaining();
    let count = |index: &Index| index.index(remaining + 1);
    match read {
        Read::Advance(index) => {
            from.advance(count(index));
            Vec::new()
        }
        Read::Byte if remaining >= 1 => vec![from.get_u8()],
        Read::Short if remaining >= 2 => from.get_u16_le().to_le_bytes().to_vec(),
        Read::Copy(index) => {
            let mut bytes = vec![0; count(index)];
            from.copy_to_slice(&mut bytes);
            bytes
        }
        Read::CopyToBytes(index) => from.copy_to_bytes(count(index)).to_vec(),
        Read::Chunk => {
            assert_eq!(from.chunk().is_empty(), remaining == 0);
            Vec::new()
        }
        Read::Byte | Read::Short => Vec::new(),
    }
}

/// A buffer of the rig, a vector and a `BytesMut`, all of which are written to alike.
fn written(buffer: &mut ByteBufMut, steps: &[Write]) -> Bytes {
    let mut model = BytesMut::new().limit(buffer.capacity());
    for step in steps {
        assert_eq!(write(buffer, step), write(&mut model, step), "{step:?}");
        assert_eq!((&buffer[..], buffer.remaining_mut()), (&model.get_ref()[..], model.remaining_mut()));
    }
    model.into_inner().freeze()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    /// Written and read as `BytesMut` and `Bytes` are, a buffer holds and gives the same; as one piece, as a slice, joined of
    /// pieces and as `Bytes`.
    #[test]
    fn buffers_read_and_write_as_bytes_do(
        capacity in 0..200_usize, writes in writes(), reads in reads(), cuts in any::<(Index, Index)>(),
        page_aligned in any::<bool>(),
    ) {
        let rig = Rig::new(Level::Paranoid, DropPolicy::Reclaim, 1000);
        let mut buffer = if page_aligned {
            let inner = UnpooledAllocator::new(rig.memory.clone()).page_aligned();
            leaktrail::LeakAware::new(inner, rig.detector.clone()).allocate(capacity).unwrap()
        } else {
            rig.allocator.allocate(capacity).unwrap()
        };
        let model = written(&mut buffer, &writes);
        let body = buffer.freeze();
        let first = cuts.0.index(model.len() + 1);
        let second = first + cuts.1.index(model.len() - first + 1);

        let mut whole = (body.retain(), model.clone());
        let mut part = (body.slice(first..second), model.slice(first..second));
        let pieces = [body.slice(..first), body.slice(first..second), body.slice(second..)];
        let mut joined = (ByteBuf::join(pieces), model.clone());
        let mut converted = (Bytes::from(body), model);
        for step in &reads {
            prop_assert_eq!(read(&mut whole.0, step), read(&mut whole.1, step));
            prop_assert_eq!(read(&mut part.0, step), read(&mut part.1, step));
            prop_assert_eq!(read(&mut joined.0, step), read(&mut joined.1, step));
            prop_assert_eq!(read(&mut converted.0, step), read(&mut converted.1, step));
            prop_assert_eq!((&whole.0[..], &part.0[..]), (&whole.1[..], &part.1[..]));
            prop_assert_eq!(joined.0.copy_to_vec(), joined.1.to_vec());
            prop_assert_eq!(&converted.0[..], &converted.1[..]);
        }
        prop_assert_eq!(rig.memory.used(), capacity as u64);
        whole.0.release();
        part.0.release();
        drop(converted);
        prop_assert!(joined.0.release());
        rig.assert_all_came_back();
        prop_assert_eq!(rig.counts(), (6, 6, 0, 0));
    }
}
