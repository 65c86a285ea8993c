//! What a pool promises: sizes at every edge, exact figures, memory that goes back when it is asked for, threads that come
//! and go.

mod pool_pattern;

use std::cell::RefCell;
use std::num::NonZeroUsize;
use std::pin::Pin;
use std::sync::mpsc;
use std::task::Poll;
use std::thread;

use leaktrail::{
    AllocError, BudgetedAllocator, ByteBuf, ByteBufAllocator, ByteBufMut, ChunkSize, DirectMemory, PooledAllocator,
    UnpooledAllocator,
};
use pool_pattern::{check, fill};

const CHUNK: usize = 4 << 20;

/// A pool with chunks of 64 KiB and one arena.
fn small(memory: &DirectMemory) -> PooledAllocator {
    let size = ChunkSize::new(64 << 10).expect("a power of two");
    PooledAllocator::builder(memory.clone()).chunk_size(size).arenas(NonZeroUsize::MIN).build()
}

#[test]
fn every_size_at_an_edge_is_a_buffer() {
    let memory = DirectMemory::unlimited();
    let pool = PooledAllocator::new(memory.clone());
    for (capacity, pinned) in [
        (0, 64),
        (1, 64),
        (64, 64),
        (65, 128),
        (4095, 4096),
        (4096, 4096),
        (4097, 5120),
        (8191, 8192),
        (8192, 8192),
        (8193, 10_240),
        (CHUNK - 1, CHUNK),
        (CHUNK, CHUNK),
        (CHUNK + 1, CHUNK + 1),
        (3 * CHUNK, 3 * CHUNK),
    ] {
        let mut buffer = pool.allocate(capacity).unwrap();
        assert_eq!((buffer.capacity(), buffer.len()), (capacity, 0));
        assert_eq!(buffer.as_ptr().addr() % 64, 0, "{capacity}");
        fill(&mut buffer, 7);
        let stats = pool.stats();
        assert_eq!((stats.by_buffers(), stats.pinned(), stats.buffers()), (capacity as u64, pinned as u64, 1));
        check(&buffer, 7);
        assert!(buffer.release());
        assert_eq!((pool.stats().pinned(), pool.stats().direct_bytes()), (0, 0), "{capacity}");
    }
    for capacity in [usize::MAX, usize::MAX - 1, isize::MAX as usize + 1] {
        let error = pool.allocate(capacity).unwrap_err();
        assert!(matches!(error, AllocError::System { requested } if requested == capacity), "{error:?}");
        assert_eq!((pool.stats().pinned(), pool.stats().direct_bytes()), (0, 0), "{capacity}");
    }
    pool.trim();
    assert_eq!((memory.used(), memory.reservations()), (0, 0));
}

#[test]
fn what_fits_is_never_refused_however_small_the_budget() {
    // Less than a chunk: paid by the byte.
    let memory = DirectMemory::with_limit(10_000);
    let pool = PooledAllocator::new(memory.clone());
    let first = pool.allocate(9_000).unwrap();
    assert_eq!((memory.used(), pool.stats().direct_buffers()), (9_000, 1));
    let error = pool.allocate(1_001).unwrap_err();
    assert_eq!(error.to_string(), "failed to allocate 1001 byte(s) of direct memory (used: 9000, max: 10000)");
    let AllocError::Budget(error) = error else { panic!("{error:?}") };
    assert_eq!((error.site().line(), memory.used()), (line!() - 3, 9_000));
    assert!(pool.allocate(1_000).is_ok());
    assert!(first.release());
    assert_eq!(memory.used(), 0);

    // One chunk and a rest: the rest is paid by the byte, and what is free in the chunk is found after that.
    let memory = DirectMemory::with_limit(CHUNK as u64 + 10_000);
    let pool = PooledAllocator::new(memory.clone());
    let half = pool.allocate(CHUNK / 2).unwrap();
    let large = pool.allocate(CHUNK / 2).unwrap();
    assert_eq!((memory.used(), pool.stats().direct_buffers()), (CHUNK as u64, 0));
    let rest = pool.allocate(10_000).unwrap();
    assert_eq!((memory.used(), pool.stats().direct_buffers()), (CHUNK as u64 + 10_000, 1));
    assert!(pool.allocate(1).is_err());
    assert!(large.release());
    assert!(pool.allocate(CHUNK / 2).is_ok());
    drop((half, rest));
}

/// A place that another thread has at hand is no reason to refuse.
#[test]
fn before_it_refuses_it_empties_the_caches_of_every_thread() {
    let memory = DirectMemory::with_limit(64 << 10);
    let pool = small(&memory);
    let (cached, is_cached) = mpsc::channel();
    let (go_on, waits) = mpsc::channel::<()>();
    let other = thread::spawn({
        let pool = pool.clone();
        move || {
            let buffers: Vec<ByteBufMut> = (0..8).map(|_| pool.allocate(8000).unwrap()).collect();
            drop(buffers);
            cached.send(pool.stats().cached_by_threads()).unwrap();
            let _ = waits.recv();
        }
    });
    assert_eq!(is_cached.recv().unwrap(), 64 << 10, "all of the chunk lies with the other thread");
    let whole = pool.allocate(60_000).unwrap();
    assert_eq!((memory.used(), pool.stats().cached_by_threads()), (64 << 10, 0));
    assert!(whole.release());
    drop(go_on);
    other.join().unwrap();
}

#[test]
fn a_budget_takes_back_what_lies_ready_before_it_refuses_somebody_else() {
    let memory = DirectMemory::with_limit(1 << 20);
    let pool = small(&memory);
    let buffers: Vec<ByteBufMut> = (0..16).map(|_| pool.allocate(60_000).unwrap()).collect();
    assert_eq!(memory.used(), 1 << 20);
    assert!(memory.reserve(1).is_err(), "all of it is in buffers");
    drop(buffers);
    let idle = memory.used();
    assert!(idle > 0, "a chunk stays ready");
    let reservation = memory.reserve(1 << 20).unwrap();
    assert_eq!((memory.used(), memory.figures().cached()), (1 << 20, 0));
    assert_eq!(memory.figures().given_back_by_hooks(), idle);
    drop(reservation);

    // The other way round, and on one thread: a pool that allocates asks another one, whose hook runs within.
    let [one, two] = [small(&memory), small(&memory)];
    let buffers: Vec<ByteBufMut> = (0..16).map(|_| one.allocate(8000).unwrap()).collect();
    drop(buffers);
    let rest = memory.try_reserve((1 << 20) - memory.used()).unwrap();
    let buffer = two.allocate(60_000).unwrap();
    assert!(buffer.release());
    drop(rest);
}

#[test]
fn idle_chunks_stay_as_many_as_are_busy_and_one() {
    let memory = DirectMemory::unlimited();
    let size = ChunkSize::new(64 << 10).expect("a power of two");
    let builder = PooledAllocator::builder(memory.clone()).chunk_size(size).arenas(NonZeroUsize::MIN);
    // Without caches it is the arena alone that decides.
    let pool = builder.cached_up_to(0).build();
    let chunks = |memory: &DirectMemory| memory.used() >> 16;
    let mut buffers: Vec<ByteBufMut> = (0..8).map(|_| pool.allocate(64 << 10).unwrap()).collect();
    assert_eq!(chunks(&memory), 8);
    for (left, chunks_then) in [(5, 8), (4, 8), (3, 6), (2, 4), (1, 2), (0, 1)] {
        buffers.truncate(left);
        assert_eq!(chunks(&memory), chunks_then, "{left} buffers are out");
    }
    assert_eq!(pool.trim(), 64 << 10);
    assert_eq!(pool.stats().chunks_given_back(), 8);
}

#[test]
fn a_pool_that_is_gone_keeps_no_chunk_but_for_its_buffers() {
    let memory = DirectMemory::unlimited();
    let pool = small(&memory);
    let [mut one, two] = [(); 2].map(|()| pool.allocate(40_000).unwrap());
    drop(pool.allocate(1000));
    assert_eq!(memory.used(), 2 << 16);
    drop(pool);
    assert_eq!(memory.used(), 2 << 16);
    one.put_slice(b"still here");
    assert!(two.release());
    assert_eq!(memory.used(), 1 << 16);
    // It grows where it came from.
    one.try_reserve(60_000).unwrap();
    assert_eq!(&one[..], b"still here");
    assert!(one.release());
    assert_eq!((memory.used(), memory.figures().cached()), (0, 0));
}

#[test]
fn a_thread_that_ends_leaves_nothing_behind() {
    let memory = DirectMemory::unlimited();
    let pool = small(&memory);
    let kept = thread::spawn({
        let pool = pool.clone();
        move || {
            let buffers: Vec<ByteBufMut> = (1..20).map(|size| pool.allocate(size * 100).unwrap()).collect();
            drop(buffers);
            assert!(pool.stats().cached_by_threads() > 0);
            assert_eq!(pool.stats().thread_caches(), 1);
            pool.allocate(5000).unwrap()
        }
    })
    .join()
    .unwrap();
    let stats = pool.stats();
    assert_eq!((stats.thread_caches(), stats.cached_by_threads(), stats.buffers()), (0, 0, 1));
    assert_eq!((stats.by_buffers(), memory.figures().by_buffers()), (5000, 5000));
    // A thread without a cache releases past it.
    assert!(kept.release());
    let used = memory.used();
    assert_eq!((pool.stats().pinned(), pool.stats().allocated(), pool.trim()), (0, 20, used));
    assert_eq!(memory.used(), 0);
}

/// Destructors of thread-locals run in no order: a buffer may go after the cache of its thread, and even be allocated then.
#[test]
fn buffers_live_and_die_in_thread_locals() {
    struct Last(RefCell<Option<(PooledAllocator, ByteBufMut)>>);
    impl Drop for Last {
        fn drop(&mut self) {
            if let Some((pool, buffer)) = self.0.take() {
                check(&buffer, 3);
                assert!(buffer.release());
                let mut late = pool.allocate(3000).unwrap();
                fill(&mut late, 4);
                check(&late, 4);
                assert!(late.release());
            }
        }
    }
    thread_local! {
        static BEFORE: Last = const { Last(RefCell::new(None)) };
        static AFTER: Last = const { Last(RefCell::new(None)) };
    }
    let memory = DirectMemory::unlimited();
    let pool = small(&memory);
    for _ in 0..10 {
        let pool = pool.clone();
        thread::spawn(move || {
            let buffer = || {
                let mut buffer = pool.allocate(3000).unwrap();
                fill(&mut buffer, 3);
                buffer
            };
            // The first is registered before the thread's cache is, the second after it.
            BEFORE.try_with(|last| last.0.replace(None)).unwrap();
            let first = buffer();
            AFTER.try_with(|last| last.0.replace(Some((pool.clone(), buffer())))).unwrap();
            BEFORE.try_with(|last| last.0.replace(Some((pool.clone(), first)))).unwrap();
        })
        .join()
        .unwrap();
    }
    assert_eq!((pool.stats().buffers(), pool.stats().pinned(), pool.stats().thread_caches()), (0, 0, 0));
    pool.trim();
    assert_eq!((memory.used(), memory.figures().cached()), (0, 0));
}

#[test]
fn growth_stays_in_its_place_while_there_is_room_and_pays_for_no_more() {
    let memory = DirectMemory::unlimited();
    let pool = PooledAllocator::new(memory.clone());
    let mut buffer = pool.allocate(1000).unwrap();
    buffer.put_slice(b"head");
    let place = buffer.as_ptr();
    buffer.try_reserve(1020).unwrap();
    assert_eq!((buffer.capacity(), buffer.as_ptr()), (1024, place));
    assert_eq!((pool.stats().pinned(), pool.stats().overhead(), memory.figures().by_buffers()), (1024, 0, 1024));
    buffer.try_reserve(1021).unwrap();
    assert_eq!((buffer.capacity(), pool.stats().pinned(), &buffer[..]), (1025, 1280, &b"head"[..]));
    buffer.try_reserve(CHUNK).unwrap();
    assert_eq!((pool.stats().direct_bytes(), pool.stats().pinned()), (CHUNK as u64 + 4, CHUNK as u64 + 4));
    buffer.try_reserve(CHUNK + 100).unwrap();
    assert_eq!((pool.stats().direct_bytes(), memory.used()), (CHUNK as u64 + 104, 2 * CHUNK as u64 + 104));
    assert_eq!(&buffer[..], b"head");
    assert!(buffer.release());
    assert_eq!((pool.stats().pinned(), pool.stats().buffers()), (0, 0));
}

#[test]
fn a_buffer_turns_into_bytes_without_a_copy() {
    let memory = DirectMemory::unlimited();
    let pool = small(&memory);
    let mut buffer = pool.allocate(5000).unwrap();
    fill(&mut buffer, 9);
    let place = buffer.as_ptr();
    let bytes = bytes::Bytes::from(buffer.freeze());
    assert_eq!(bytes.as_ptr(), place);
    let part = bytes.slice(100..200);
    drop(bytes);
    assert_eq!((part.as_ptr(), pool.stats().by_buffers()), (place.wrapping_add(100), 5000));
    thread::spawn(move || drop(part)).join().unwrap();
    assert_eq!(pool.stats().pinned(), 0);
}

#[test]
fn a_clone_is_the_same_pool_and_figures_are_text_and_data() {
    let memory = DirectMemory::with_limit(1 << 30);
    let pool = small(&memory);
    let [one, two]: [ByteBuf; 2] =
        [pool.allocate(5000), pool.clone().allocate(60_000)].map(|made| made.unwrap().freeze());
    let shared = one.retain();
    let stats = pool.stats();
    assert_eq!(
        stats.to_string(),
        "pool: 2 buffers of 65000 B, overhead 5656 B, cached 60416 B, used 131072 B in chunks of 65536 B\n\
         pool: 35840 B at hand of 1 threads, 0 B in 0 buffers without a chunk, 2 allocated so far, 0 chunks given back\n\
         pool: arena 0: 1 threads, 2 chunks, 1 to 75 %, 1 full"
    );
    let json = serde_json::to_value(&stats).unwrap();
    assert_eq!(
        (&json["used"], &json["pinned"], &json["by_buffers"]),
        (&131_072.into(), &70_656.into(), &65_000.into())
    );
    assert_eq!(serde_json::from_value::<leaktrail::PoolStats>(json).unwrap(), stats);
    assert!(!shared.release() && one.release() && two.release());
}

/// The same calls on both allocators give the same buffers.
#[test]
fn a_pool_is_an_allocator_like_the_other_one() {
    let memory = DirectMemory::unlimited();
    let allocators: [Box<dyn ByteBufAllocator>; 2] =
        [Box::new(small(&memory)), Box::new(UnpooledAllocator::new(memory.clone()))];
    for allocator in allocators {
        let mut buffer = allocator.allocate(10).unwrap();
        buffer.put_slice(b"0123456789");
        buffer.try_reserve(1).unwrap();
        buffer.put_slice(b"x");
        let body = buffer.freeze();
        let part = body.slice(2..4);
        assert_eq!((body.ref_cnt(), body.capacity(), &part[..]), (2, 11, &b"23"[..]));
        assert!(!body.release());
        assert!(part.release());
    }
}

/// What tokio reads into and writes from is the buffer itself.
#[tokio::test]
async fn tokio_reads_into_a_pooled_buffer_and_writes_from_one() {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    let memory = DirectMemory::unlimited();
    let pool = small(&memory);
    let mut sent = pool.allocate(9000).unwrap();
    fill(&mut sent, 5);
    let (mut near, mut far) = tokio::io::duplex(1000);
    let mut sent = sent.freeze();
    let writes = async {
        near.write_all_buf(&mut sent).await.unwrap();
        drop(near);
        sent
    };
    let reads = async {
        let mut received = pool.allocate(9000).unwrap();
        let place = received.as_ptr();
        while received.remaining_capacity() > 0 && far.read_buf(&mut received).await.unwrap() > 0 {}
        assert_eq!((received.as_ptr(), received.len()), (place, 9000));
        received
    };
    let (sent, received) = tokio::join!(writes, reads);
    check(&received, 5);
    assert!(sent.is_empty() && sent.release() && received.release());
    assert_eq!(pool.stats().pinned(), 0);
}

/// A place that comes free needs no turn in the line: it is looked for each time a wait goes on, and before it is given up.
#[tokio::test]
async fn who_waits_gets_a_place_or_else_what_a_chunk_was_paid_with() {
    let memory = DirectMemory::with_limit(64 << 10);
    let pool = small(&memory);
    let mut buffers: Vec<ByteBufMut> = (0..8).map(|_| pool.allocate(8192).unwrap()).collect();
    assert!(pool.allocate(8192).is_err());

    let mut waiting = pool.allocate_async(8192);
    assert!(std::future::poll_fn(|context| Poll::Ready(Pin::new(&mut waiting).poll(context).is_pending())).await);
    assert!(buffers.pop().unwrap().release());
    assert_eq!(pool.stats().cached_by_threads(), 0, "while somebody waits nothing is kept at hand");
    buffers.push(waiting.give_up().unwrap());

    // The last buffer of a chunk lets the chunk go, and who waits is woken.
    let waiting = pool.allocate_async(10_000);
    let releases = async {
        tokio::task::yield_now().await;
        assert!(memory.is_waited_for());
        buffers.into_iter().for_each(|buffer| assert!(buffer.release()));
        assert_eq!(memory.used(), 10_000, "the chunk went back, and of it what was waited for is taken");
    };
    let (buffer, ()) = tokio::join!(waiting, releases);
    assert!(buffer.unwrap().release());
    pool.trim();
    assert_eq!((memory.used(), pool.stats().pinned()), (0, 0));
}
