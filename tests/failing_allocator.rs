//! When the system has no memory after the budget has paid for it, what was reserved comes back and nothing is counted.
#![allow(unsafe_code, reason = "a global allocator that fails is an unsafe trait's implementation")]

mod rig;

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::ptr;

use leaktrail::{AllocError, ByteBufAllocator, DirectMemory, DropPolicy, Level, UnpooledAllocator};
use rig::Rig;

/// Nothing else in this process asks for just so many bytes.
const MARKED: usize = 77_777;

/// The system's allocator, which has nothing for requests of a marked size, and for one that a thread may choose.
struct Failing;

#[global_allocator]
static GLOBAL: Failing = Failing;

thread_local! {
    /// How many more of this thread's allocations are served before one is not.
    static SERVED: Cell<Option<u32>> = const { Cell::new(None) };
    /// Memory of this thread: allocations less frees.
    static LIVE: Cell<i64> = const { Cell::new(0) };
}

fn refuses(size: usize) -> bool {
    if size == MARKED {
        return true;
    }
    let left = SERVED.try_with(Cell::get).ok().flatten();
    if let Some(left) = left {
        SERVED.set(left.checked_sub(1));
    }
    left == Some(0)
}

fn count(change: i64) {
    let _ = LIVE.try_with(|live| live.set(live.get() + change));
}

// SAFETY: every call is refused, as an allocator may, or handed on to the system's as it is.
unsafe impl GlobalAlloc for Failing {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        if refuses(layout.size()) {
            return ptr::null_mut();
        }
        count(1);
        // SAFETY: the caller's obligations are the system allocator's.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        if refuses(layout.size()) {
            return ptr::null_mut();
        }
        count(1);
        // SAFETY: as above.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn realloc(&self, start: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        if refuses(new_size) {
            return ptr::null_mut();
        }
        // SAFETY: as above.
        unsafe { System.realloc(start, layout, new_size) }
    }

    unsafe fn dealloc(&self, start: *mut u8, layout: Layout) {
        count(-1);
        // SAFETY: as above.
        unsafe { System.dealloc(start, layout) }
    }
}

/// What the allocator's `nth` request from now on, counted from 0, makes of `work`.
fn failing_at<R>(nth: u32, work: impl FnOnce() -> R) -> R {
    SERVED.set(Some(nth));
    let result = work();
    SERVED.set(None);
    result
}

fn kinds(memory: &DirectMemory) -> [UnpooledAllocator; 4] {
    let plain = UnpooledAllocator::new(memory.clone());
    [plain.clone(), plain.clone().zeroed(), plain.clone().page_aligned(), plain.page_aligned().zeroed()]
}

#[test]
fn an_allocation_that_fails_gives_its_reservation_back() {
    let memory = DirectMemory::with_limit(100_000);
    for allocator in kinds(&memory) {
        let error = allocator.allocate(MARKED).unwrap_err();
        assert!(matches!(error, AllocError::System { requested: MARKED }), "{error:?}");
        assert_eq!(error.to_string(), "failed to allocate 77777 byte(s): the system has no such memory");
        assert_eq!((memory.used(), memory.reservations(), memory.peak()), (0, 0, MARKED as u64), "{allocator:?}");
    }
}

/// The memory is there, and then that which goes with each buffer is not: both come back.
#[test]
fn a_buffer_that_fails_halfway_gives_its_memory_back() {
    let memory = DirectMemory::with_limit(100_000);
    for allocator in kinds(&memory) {
        let before = LIVE.get();
        for nth in 0..2 {
            let error = failing_at(nth, || allocator.allocate(1000)).unwrap_err();
            assert!(matches!(error, AllocError::System { requested: 1000 }), "{error:?}");
            assert_eq!((memory.used(), memory.reservations(), LIVE.get()), (0, 0, before), "{nth} of {allocator:?}");
        }
        // Two requests are all there are, and one for a buffer of nothing.
        assert!(failing_at(2, || allocator.allocate(1000)).unwrap().release());
        assert!(failing_at(0, || allocator.allocate(0)).is_err());
        assert!(failing_at(1, || allocator.allocate(0)).unwrap().release());
        assert_eq!((memory.used(), LIVE.get()), (0, before));
    }
}

#[test]
fn a_growth_that_fails_leaves_buffer_and_budget_as_they_were() {
    let memory = DirectMemory::with_limit(100_000);
    for allocator in kinds(&memory) {
        for capacity in [0, 4, 1000] {
            let mut buffer = allocator.allocate(capacity).unwrap();
            buffer.put_slice(&b"head"[..capacity.min(4)]);
            let error = buffer.try_reserve(MARKED - buffer.len()).unwrap_err();
            assert!(matches!(error, AllocError::System { requested: MARKED }), "{error:?}");
            assert_eq!((buffer.capacity(), memory.used(), memory.reservations()), (capacity, capacity as u64, 1));
            assert_eq!(&buffer[..], &b"head"[..capacity.min(4)]);
            // And it can still grow to what there is.
            buffer.try_reserve(2000).unwrap();
            buffer.put_slice(&[7; 2000]);
            assert_eq!(memory.used(), buffer.capacity() as u64);
            assert!(buffer.release());
            assert_eq!((memory.used(), memory.reservations()), (0, 0));
        }
    }
}

#[test]
fn what_was_never_made_is_never_counted() {
    for level in [Level::Disabled, Level::Simple, Level::Paranoid] {
        let rig = Rig::new(level, DropPolicy::Reclaim, 100_000);
        for _ in 0..10 {
            assert!(matches!(rig.allocator.allocate(MARKED), Err(AllocError::System { requested: MARKED })));
        }
        assert_eq!(rig.counts(), (0, 0, 0, 0));
        let mut buffer = rig.allocator.allocate(100).unwrap();
        assert!(buffer.try_reserve(MARKED).is_err());
        let live_bytes = if level == Level::Disabled { 0 } else { 100 };
        assert_eq!((rig.detector.snapshot().live_bytes(), rig.memory.used()), (live_bytes, 100));
        assert!(buffer.release());
        // The system refused, not the budget: nobody is to blame, and nothing is told.
        assert!(rig.refusals().is_empty() && rig.reports().is_empty());
        rig.assert_all_came_back();
    }
}

/// Once a buffer is there nothing of it asks for memory: no retain, slice or freeze can fail for want of it.
#[test]
fn retaining_slicing_and_freezing_ask_for_nothing() {
    let allocator = UnpooledAllocator::new(DirectMemory::with_limit(1000));
    let mut buffer = allocator.allocate(10).unwrap();
    let last = failing_at(0, || {
        buffer.put_slice(b"0123456789");
        let body = buffer.freeze();
        let (kept, part) = (body.retain(), body.slice(1..3));
        !body.release() & !kept.release() & part.release()
    });
    assert!(last);
}
