//! At DISABLED a leak-aware buffer costs no allocation beyond those of a plain one; nor does, at SIMPLE, a reference that
//! is not sampled.
#![allow(unsafe_code, reason = "a global allocator that counts is an unsafe trait's implementation")]

mod rig;

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::sync::Arc;

use leaktrail::{ByteBuf, ByteBufAllocator, DirectMemory, DropPolicy, Level, UnpooledAllocator};
use rig::Rig;

/// The system's allocator, which counts what each thread asks it for.
struct Counting;

#[global_allocator]
static GLOBAL: Counting = Counting;

thread_local! {
    static ALLOCATED: Cell<Heap> = const { Cell::new(Heap { allocations: 0, bytes: 0, frees: 0 }) };
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Heap {
    allocations: u64,
    bytes: u64,
    frees: u64,
}

fn count(change: impl FnOnce(&mut Heap)) {
    // While a thread ends there is nothing to count any more.
    let _ = ALLOCATED.try_with(|heap| {
        let mut now = heap.get();
        change(&mut now);
        heap.set(now);
    });
}

// SAFETY: every call is handed on to the system's allocator as it is; counting allocates nothing.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(|heap| {
            heap.allocations += 1;
            heap.bytes += layout.size() as u64;
        });
        // SAFETY: the caller's obligations are the system allocator's.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, start: *mut u8, layout: Layout) {
        count(|heap| heap.frees += 1);
        // SAFETY: as above.
        unsafe { System.dealloc(start, layout) }
    }
}

/// What `work` asks the heap for.
fn heap_of(work: impl FnOnce()) -> Heap {
    let before = ALLOCATED.get();
    work();
    let after = ALLOCATED.get();
    Heap {
        allocations: after.allocations - before.allocations,
        bytes: after.bytes - before.bytes,
        frees: after.frees - before.frees,
    }
}

/// The life of a buffer with all that can be done to it, three times over.
fn live(allocator: &dyn ByteBufAllocator) {
    for _ in 0..3 {
        let mut buffer = allocator.allocate(100).unwrap();
        buffer.touch();
        buffer.touch_with("writing");
        buffer.put_slice(b"0123456789");
        buffer.try_reserve(200).unwrap();
        let body = buffer.freeze();
        let (kept, part) = (body.retain(), body.slice(2..8));
        let nested = part.slice(1..).clone();
        kept.touch_with("kept");
        let joined = ByteBuf::join([part, nested]);
        joined.touch_with("joined");
        drop(kept);
        body.release();
        joined.release();
        drop(allocator.allocate(50).unwrap());
        allocator.allocate(0).unwrap().release();
        drop(bytes::Bytes::from(allocator.allocate(7).unwrap().freeze()));
    }
}

fn plain() -> UnpooledAllocator {
    UnpooledAllocator::new(DirectMemory::with_limit(100_000))
}

#[test]
fn at_disabled_nothing_is_allocated_beyond_a_plain_buffers_own() {
    let bare = plain();
    let plain_heap = heap_of(|| live(&bare));
    assert!(plain_heap.allocations > 20 && plain_heap.allocations == plain_heap.frees, "{plain_heap:?}");
    for policy in [DropPolicy::Release, DropPolicy::Reclaim] {
        let rig = Rig::new(Level::Disabled, policy, 100_000);
        // From the very first on: nothing is made ready either.
        assert_eq!(heap_of(|| live(&rig.allocator)), plain_heap, "{policy:?}");
        let shared: Arc<dyn ByteBufAllocator> = Arc::new(rig.allocator.clone());
        assert_eq!(heap_of(|| live(&shared)), plain_heap, "{policy:?}");
        rig.assert_all_came_back();
        assert!(rig.detector.snapshot().sites().is_empty());
    }
}

#[test]
fn switched_off_again_it_costs_what_a_plain_one_costs() {
    let bare = plain();
    let plain_heap = heap_of(|| live(&bare));
    let rig = Rig::new(Level::Paranoid, DropPolicy::Reclaim, 100_000);
    live(&rig.allocator);
    rig.detector.set_level(Level::Disabled);
    assert_eq!(heap_of(|| live(&rig.allocator)), plain_heap);
    rig.assert_all_came_back();
}

/// A reference without a trail is two numbers in a row that exists.
#[test]
fn at_simple_what_is_not_sampled_allocates_nothing_more() {
    let bare = plain();
    let plain_heap = heap_of(|| live(&bare));
    let rig = Rig::rarely_sampling(Level::Simple, DropPolicy::Release, 100_000);
    // The first creation of a thread at each site makes its row, and is sampled; so are the references of that buffer.
    live(&rig.allocator);
    live(&rig.allocator);
    assert_eq!(heap_of(|| live(&rig.allocator)), plain_heap);
    rig.assert_all_came_back();
    assert_eq!(rig.detector.snapshot().leaked(), 0);
}
