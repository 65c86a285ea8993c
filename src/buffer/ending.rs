//! The end of a buffer.

use super::storage::Storage;
use super::supply;
use crate::sync::Ordering;

/// Nobody has the buffer any more: its memory goes back, and then its hook hears of it.
pub(super) fn end(mut storage: Box<Storage>) {
    // Relaxed: the last reference is gone, which ordered everything before.
    if storage.group.load(Ordering::Relaxed) == 0 {
        storage.hook.rest();
        supply::put_back(storage);
        return;
    }
    let (hook, group) = (storage.hook.take(), std::mem::take(&mut storage.group));
    supply::put_back(storage);
    if let Some(hook) = hook {
        hook.freed(&group);
    }
}

#[cfg(all(test, not(leaktrail_loom)))]
mod tests {
    use std::panic::Location;
    use std::sync::Arc;

    use super::super::allocator::ByteBufAllocator;
    use super::super::hook::{DropAction, Extent, ReferenceHook};
    use super::super::pooled_allocator::PooledAllocator;
    use super::super::test_support::RecordingHook;
    use super::super::unpooled_allocator::UnpooledAllocator;
    use crate::memory::DirectMemory;
    use crate::report::{Hint, Origin};
    use crate::sync::{AtomicU64, Ordering};

    /// A hook that sees the budget when memory went back sees that it has the bytes again.
    #[test]
    fn freed_comes_after_the_bytes_are_back() {
        #[derive(Debug)]
        struct Asks(DirectMemory, AtomicU64);
        impl ReferenceHook for Asks {
            fn opened(
                &self,
                group: &AtomicU64,
                _: Option<u64>,
                _: Origin,
                _: Extent,
                _: &'static Location<'static>,
            ) -> u64 {
                group.store(1, Ordering::Relaxed);
                1
            }
            fn resized(&self, token: u64, _: u64) -> u64 {
                token
            }
            fn wants_touch(&self, _: u64) -> bool {
                false
            }
            fn touched(&self, _: u64, _: Option<Hint>, _: &'static Location<'static>) {}
            fn released(&self, _: &AtomicU64, _: u64) {
                assert_eq!(self.0.used(), 16);
            }
            fn dropped(&self, _: &AtomicU64, _: u64) -> DropAction {
                DropAction::GiveBack
            }
            fn freed(&self, _: &AtomicU64) {
                self.1.store(1 + self.0.used(), Ordering::Relaxed);
            }
        }
        let memory = DirectMemory::with_limit(16);
        let hook = Arc::new(Asks(memory.clone(), AtomicU64::new(0)));
        let buffer = UnpooledAllocator::new(memory).allocate(16).unwrap();
        let buffer = buffer.with_hook(&hook, Location::caller());
        assert!(buffer.release());
        assert_eq!(hook.1.load(Ordering::Relaxed), 1);
    }

    /// A hook that follows nothing: token and group stay 0, as at DISABLED.
    #[derive(Debug)]
    struct Idle;
    impl ReferenceHook for Idle {
        fn opened(&self, _: &AtomicU64, _: Option<u64>, _: Origin, _: Extent, _: &'static Location<'static>) -> u64 {
            0
        }
        fn resized(&self, token: u64, _: u64) -> u64 {
            token
        }
        fn wants_touch(&self, _: u64) -> bool {
            false
        }
        fn touched(&self, _: u64, _: Option<Hint>, _: &'static Location<'static>) {}
        fn released(&self, _: &AtomicU64, _: u64) {
            unreachable!("a token of 0 is not followed");
        }
        fn dropped(&self, _: &AtomicU64, _: u64) -> DropAction {
            DropAction::GiveBack
        }
        fn freed(&self, _: &AtomicU64) {
            unreachable!("a group of 0 is not followed");
        }
    }

    #[test]
    fn a_hook_that_follows_nothing_lies_with_the_slot_for_the_next_buffer_and_watches_nobody_else() {
        let pool = PooledAllocator::new(DirectMemory::unlimited());
        let hook = Arc::new(Idle);
        assert!(pool.allocate(100).unwrap().with_hook(&hook, Location::caller()).release());
        assert_eq!(Arc::strong_count(&hook), 2, "it lies with the slot");
        assert!(pool.allocate(100).unwrap().with_hook(&hook, Location::caller()).release());
        assert_eq!(Arc::strong_count(&hook), 2);

        // Another hook takes the slot over, and is told.
        let other = Arc::new(RecordingHook::new(DropAction::GiveBack));
        assert!(pool.allocate(100).unwrap().with_hook(&other, Location::caller()).release());
        assert_eq!((other.take_events().len(), Arc::strong_count(&other), Arc::strong_count(&hook)), (3, 1, 1));

        // A buffer of the bare pool has no hook, whatever lies with its slot.
        drop(pool.allocate(100).unwrap().with_hook(&hook, Location::caller()));
        let abandons = Arc::new(RecordingHook::new(DropAction::Abandon));
        assert!(pool.allocate(200).unwrap().with_hook(&abandons, Location::caller()).release());
        drop((pool.allocate(100).unwrap(), pool.allocate(200).unwrap()));
        assert_eq!((abandons.take_events().len(), pool.stats().buffers()), (3, 0));

        // Nobody else has it: it goes.
        let weak = Arc::downgrade(&hook);
        let buffer = pool.allocate(100).unwrap().with_hook(&hook, Location::caller());
        drop(hook);
        assert!(buffer.release());
        assert_eq!(weak.strong_count(), 0);
    }
}
