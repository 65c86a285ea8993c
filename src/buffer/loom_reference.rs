//! Loom models of the reference count, bare and under real buffers.

use std::panic::Location;
use std::sync::Arc;

use loom::cell::UnsafeCell;
use loom::thread;

use super::allocator::ByteBufAllocator;
use super::byte_buf::ByteBuf;
use super::hook::{DropAction, ReferenceHook};
use super::ref_count::RefCount;
use super::test_support::RecordingHook;
use super::unpooled_allocator::UnpooledAllocator;
use crate::memory::DirectMemory;

/// What a count guards: read by whoever holds a reference, written by whoever releases the last one.
struct Guarded {
    count: RefCount,
    memory: UnsafeCell<()>,
}

impl Guarded {
    fn with_references(references: u32) -> Arc<Guarded> {
        let guarded = Guarded { count: RefCount::one(), memory: UnsafeCell::new(()) };
        (1..references).for_each(|_| guarded.count.try_retain().unwrap());
        Arc::new(guarded)
    }

    fn read(&self) {
        self.memory.with(|_| ());
    }

    /// Loom ends the model when the write is not ordered after every read.
    fn release(&self) -> bool {
        self.read();
        let last = self.count.release();
        if last {
            self.memory.with_mut(|_| ());
        }
        last
    }
}

/// Netty's four threads that race for the last release: exactly one wins, and everybody else is done by then.
#[test]
fn loom_of_four_releases_one_is_last() {
    loom::model(|| {
        let guarded = Guarded::with_references(4);
        let threads: Vec<_> = (0..3)
            .map(|_| {
                let guarded = Arc::clone(&guarded);
                thread::spawn(move || guarded.release())
            })
            .collect();
        let mine = guarded.release();
        let last = threads.into_iter().filter_map(|thread| thread.join().unwrap().then_some(())).count();
        assert_eq!(last + usize::from(mine), 1);
    });
}

/// A reference is retained and released while another is released: neither is lost.
#[test]
fn loom_retain_races_release() {
    loom::model(|| {
        let guarded = Guarded::with_references(2);
        let other = Arc::clone(&guarded);
        let thread = thread::spawn(move || {
            other.count.try_retain().unwrap();
            let first = other.release();
            let second = other.release();
            assert!(!first);
            second
        });
        let mine = guarded.release();
        assert!(mine ^ thread.join().unwrap());
        assert_eq!(guarded.count.get(), 0);
    });
}

/// Whoever finds the count at 1 may write: the others are done.
#[test]
fn loom_the_only_reference_has_it_alone() {
    loom::model(|| {
        let guarded = Guarded::with_references(2);
        let other = Arc::clone(&guarded);
        let thread = thread::spawn(move || other.release());
        if guarded.count.is_one() {
            guarded.memory.with_mut(|_| ());
        }
        assert!(guarded.release() ^ thread.join().unwrap());
    });
}

fn frozen(memory: &DirectMemory) -> ByteBuf {
    let mut buffer = UnpooledAllocator::new(memory.clone()).allocate(4).unwrap();
    buffer.put_slice(b"body");
    buffer.freeze()
}

/// A real buffer, released here and sliced, read and dropped there: it is freed once, and its bytes come back.
#[test]
fn loom_a_shared_buffer_is_freed_once() {
    loom::model(|| {
        let memory = DirectMemory::with_limit(4);
        let body = frozen(&memory);
        let other = body.retain();
        let thread = thread::spawn(move || {
            let slice = other.slice(1..3);
            drop(other);
            assert_eq!(&slice[..], b"od");
            slice.release()
        });
        let mine = body.release();
        assert!(mine ^ thread.join().unwrap());
        assert_eq!((memory.used(), memory.reservations()), (0, 0));
    });
}

/// Two threads lose a reference each, and a third is released: the bytes are abandoned once, and nothing is freed.
#[test]
fn loom_an_abandoned_buffer_is_never_freed() {
    loom::model(|| {
        let memory = DirectMemory::with_limit(4);
        let hook = Arc::new(RecordingHook::new(DropAction::Abandon));
        let mut buffer = UnpooledAllocator::new(memory.clone()).allocate(4).unwrap();
        buffer.put_slice(b"body");
        let body = buffer.with_hook(&hook, Location::caller()).freeze();
        let (first, second) = (body.retain(), body.retain());
        let thread = thread::spawn(move || drop(first));
        drop(second);
        assert!(!body.release());
        thread.join().unwrap();
        assert_eq!((memory.used(), memory.abandoned(), memory.reservations()), (4, 4, 0));
        assert!(hook.take_events().iter().all(|event| !event.starts_with("freed")));
    });
}
