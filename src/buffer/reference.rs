//! One counted reference to a buffer, and the only caller of the hook.

use std::panic::Location;
use std::sync::Arc;

use super::alloc_error::AllocError;
use super::block::Block;
use super::ending;
use super::hook::{DropAction, Extent, ReferenceHook};
use super::retain_error::RetainError;
use super::storage::{Storage, StorageRef};
use super::supply;
use crate::report::{Hint, Origin};
use crate::sync::AtomicU64;

/// A reference: it keeps its buffer, and it ends by release or, watched, by being dropped.
///
/// ```text
///            adopt, retain, slice                release              last one
///   unwatched ──────────────────▶ opened(token) ─────────▶ released ──────────▶ freed
///       │                              │ drop                              ▲
///       │ release or drop              ├────────▶ dropped: GiveBack ───────┤
///       └──────────────────────────────┼───────────────────────────────────┘ (no call without a hook)
///                                      └────────▶ dropped: Abandon   (still counted, never freed)
/// ```
#[derive(Debug)]
pub(super) struct Reference {
    /// `None` only inside `release` and `drop`, where the reference ends.
    storage: Option<StorageRef>,
    /// The hook's word for this reference.
    token: u64,
}

impl Reference {
    pub(super) fn new(storage: StorageRef) -> Reference {
        Reference { storage: Some(storage), token: 0 }
    }

    /// Lets `hook` watch this reference, the only one, and all that will be made from it.
    ///
    /// A buffer has one hook. One that was there before sees its reference released and the buffer freed: for it the
    /// resource has come back, into the hands of the new one.
    #[inline]
    pub(super) fn adopt<H: ReferenceHook + 'static>(&mut self, hook: &Arc<H>, location: &'static Location<'static>) {
        let former_token = std::mem::take(&mut self.token);
        let storage = self.storage_mut();
        if let Some(former) = storage.hook.take() {
            former.released(&storage.group, former_token);
            former.freed(&storage.group);
            storage.group = AtomicU64::new(0);
        }
        let capacity_bytes = storage.block.capacity() as u64;
        let extent = Extent { view_bytes: capacity_bytes, capacity_bytes };
        let token = hook.opened(&storage.group, None, Origin::Created, extent, location);
        // A hook that follows nothing is not told, and costs nothing.
        if token != 0 {
            hook.allocated(storage.fill());
        }
        storage.hook.put(hook);
        self.token = token;
    }

    /// One more reference to the same buffer.
    pub(super) fn try_retain(
        &self,
        origin: Origin,
        view_bytes: usize,
        location: &'static Location<'static>,
    ) -> Result<Reference, RetainError> {
        let mut reference = Reference::new(self.storage_ref().try_retain()?);
        let storage = self.storage();
        if let Some(hook) = storage.hook.get() {
            let extent = Extent { view_bytes: view_bytes as u64, capacity_bytes: storage.block.capacity() as u64 };
            reference.token = hook.opened(&storage.group, Some(self.token), origin, extent, location);
        }
        Ok(reference)
    }

    /// Makes room for so many bytes in all, reserving only what is missing.
    #[track_caller]
    pub(super) fn try_grow(&mut self, capacity: usize) -> Result<(), AllocError> {
        let token = self.token;
        let storage = self.storage_mut();
        let missing_bytes = capacity as u64 - storage.block.capacity() as u64;
        let grown = match storage.payment.try_reserve_more(missing_bytes) {
            None => supply::grow(storage, capacity),
            Some(Err(error)) => Err(AllocError::refused(error, capacity)),
            Some(Ok(more)) => {
                storage.block.try_grow(capacity).map_err(|_| AllocError::System { requested: capacity })?;
                storage.payment.absorb(more);
                Ok(())
            }
        };
        grown.map_err(|error| match (error, storage.hook.get()) {
            (AllocError::Budget(error), Some(hook)) => AllocError::Budget(hook.refused(error)),
            (error, _) => error,
        })?;
        if let Some(hook) = storage.hook.get() {
            self.token = hook.resized(token, capacity as u64);
        }
        Ok(())
    }

    /// Whether a touch would be noted; asked before a hint is made for it.
    pub(super) fn wants_touch(&self) -> bool {
        self.storage().hook.get().is_some_and(|hook| hook.wants_touch(self.token))
    }

    /// Notes a touch that was wanted.
    pub(super) fn touched(&self, hint: Option<Hint>, location: &'static Location<'static>) {
        if let Some(hook) = self.storage().hook.get() {
            hook.touched(self.token, hint, location);
        }
    }

    /// Ends the reference as it should; `true` when it was the last one and the memory has gone back.
    #[inline]
    pub(super) fn release(mut self) -> bool {
        let Some(storage_ref) = self.storage.take() else { return false };
        let storage = storage_ref.storage();
        if self.token != 0
            && let Some(hook) = storage.hook.get()
        {
            hook.released(&storage.group, self.token);
        }
        storage_ref.release().map(ending::end).is_some()
    }

    pub(super) fn ref_cnt(&self) -> u32 {
        self.storage_ref().ref_cnt()
    }

    /// Tells buffers apart, while they live.
    pub(super) fn buffer_address(&self) -> usize {
        std::ptr::from_ref(self.storage()).addr()
    }

    pub(super) fn block(&self) -> &Block {
        &self.storage().block
    }

    /// The memory, to write into. Only for the reference of a `ByteBufMut`, which is the only one.
    pub(super) fn block_mut(&mut self) -> &mut Block {
        &mut self.storage_mut().block
    }

    #[inline]
    fn storage(&self) -> &Storage {
        self.storage_ref().storage()
    }

    #[inline]
    fn storage_mut(&mut self) -> &mut Storage {
        self.storage.as_mut().and_then(StorageRef::storage_mut).expect("a buffer that is written to has one reference")
    }

    #[inline]
    pub(super) fn storage_ref(&self) -> &StorageRef {
        self.storage.as_ref().expect("only a reference that ends has no storage")
    }
}

impl Drop for Reference {
    fn drop(&mut self) {
        let Some(storage_ref) = self.storage.take() else { return };
        let storage = storage_ref.storage();
        let action = match storage.hook.get() {
            Some(hook) => hook.dropped(&storage.group, self.token),
            None => DropAction::GiveBack,
        };
        match action {
            DropAction::GiveBack => {
                if let Some(storage) = storage_ref.release() {
                    ending::end(storage);
                }
            }
            DropAction::Abandon => storage_ref.abandon(),
        }
    }
}

#[cfg(all(test, not(leaktrail_loom)))]
mod tests {
    use std::panic::{AssertUnwindSafe, catch_unwind};

    use super::super::allocator::ByteBufAllocator;
    use super::super::byte_buf::ByteBuf;
    use super::super::byte_buf_mut::ByteBufMut;
    use super::super::test_support::RecordingHook;
    use super::super::unpooled_allocator::UnpooledAllocator;
    use super::*;
    use crate::memory::DirectMemory;

    #[track_caller]
    fn watched(memory: &DirectMemory, hook: &Arc<RecordingHook>) -> ByteBufMut {
        let mut buffer = UnpooledAllocator::new(memory.clone()).allocate(16).unwrap();
        buffer.put_slice(b"0123456789");
        buffer.with_hook(hook, Location::caller())
    }

    fn hook(on_drop: DropAction) -> (DirectMemory, Arc<RecordingHook>) {
        (DirectMemory::with_limit(100), Arc::new(RecordingHook::new(on_drop)))
    }

    #[test]
    fn the_hook_hears_of_each_reference_in_its_turn() {
        let (memory, hook) = hook(DropAction::GiveBack);
        let (mut buffer, created) = (watched(&memory, &hook), line!());
        let touched = line!() + 1;
        buffer.touch();
        buffer.touch_with("writing");
        buffer.try_reserve(20).unwrap();
        buffer.try_reserve(1).unwrap();
        let body = buffer.freeze();
        let (retained, retained_at) = (body.retain(), line!());
        let (cloned, cloned_at) = (retained.clone(), line!());
        let (sliced, sliced_at) = (cloned.slice(2..4), line!());
        sliced.touch_with(String::from("reading"));
        assert!(!cloned.release());
        assert!(!body.release());
        drop(retained);
        assert!(sliced.release());
        assert_eq!(
            hook.take_events(),
            [
                format!("created 1 anew, 16 B, line {created}"),
                format!("touched 1 with nothing, line {touched}"),
                format!("touched 1 with 'writing', line {}", touched + 1),
                "resized 1 to 30 B".to_owned(),
                format!("retained 2 from 1 in 1, 30 B, line {retained_at}"),
                format!("retained 3 from 2 in 1, 30 B, line {cloned_at}"),
                format!("sliced 4 from 3 in 1, 30 B, line {sliced_at}"),
                format!("touched 4 with 'reading', line {}", sliced_at + 1),
                "released 3 in 1".to_owned(),
                "released 1 in 1".to_owned(),
                "dropped 2 in 1".to_owned(),
                "released 4 in 1".to_owned(),
                "freed 1".to_owned(),
            ]
        );
        assert_eq!(memory.used(), 0);
    }

    #[test]
    fn a_buffer_that_is_never_frozen_ends_by_release_or_by_drop() {
        let (memory, hook) = hook(DropAction::GiveBack);
        assert!(watched(&memory, &hook).release());
        assert_eq!(hook.take_events()[1..], ["released 1 in 1", "freed 1"]);
        drop(watched(&memory, &hook));
        assert_eq!(hook.take_events()[1..], ["dropped 2 in 2", "freed 2"]);
        assert_eq!(memory.used(), 0);
    }

    #[test]
    fn an_unwanted_touch_makes_no_hint() {
        struct Costly;
        impl From<Costly> for Hint {
            fn from(_: Costly) -> Hint {
                panic!("made for nobody")
            }
        }
        let (memory, hook) = (DirectMemory::with_limit(100), Arc::new(RecordingHook::untouchable()));
        let mut buffer = watched(&memory, &hook);
        buffer.touch();
        buffer.touch_with(Costly);
        buffer.resize(1, 0);
        let body = buffer.freeze();
        body.touch();
        body.touch_with(Costly);
        let joined = ByteBuf::join([body.retain(), body]);
        joined.touch();
        joined.touch_with(Costly);
        assert!(joined.release());
        assert!(hook.take_events().iter().all(|event| !event.starts_with("touched")));

        let unwatched = UnpooledAllocator::new(memory).allocate(1).unwrap();
        unwatched.touch_with(Costly);
        unwatched.freeze().touch_with(Costly);
    }

    #[test]
    fn a_joined_buffer_touches_its_parts_with_one_hint() {
        let (memory, hook) = hook(DropAction::GiveBack);
        let joined = ByteBuf::join([watched(&memory, &hook).freeze(), watched(&memory, &hook).freeze()]);
        hook.take_events();
        let line = line!() + 1;
        joined.touch_with(Hint::lazy(|| "lazily".to_owned()));
        joined.touch();
        assert_eq!(
            hook.take_events(),
            [
                format!("touched 1 with 'lazily', line {line}"),
                format!("touched 2 with 'lazily', line {line}"),
                format!("touched 1 with nothing, line {}", line + 1),
                format!("touched 2 with nothing, line {}", line + 1),
            ]
        );
        drop(joined);
        assert_eq!(hook.take_events(), ["dropped 1 in 1", "freed 1", "dropped 2 in 2", "freed 2"]);
    }

    #[test]
    fn a_joined_buffer_releases_every_part_whoever_else_has_them() {
        let (memory, hook) = hook(DropAction::GiveBack);
        let parts = [(); 3].map(|()| watched(&memory, &hook).freeze());
        let shared = [parts[0].retain(), parts[1].retain()];
        let joined = ByteBuf::join(parts);
        hook.take_events();
        assert!(!joined.release());
        let mut events = hook.take_events();
        events.sort();
        assert_eq!(events, ["freed 3", "released 1 in 1", "released 2 in 2", "released 3 in 3"]);
        assert!(shared.into_iter().all(ByteBuf::release));
    }

    #[test]
    fn a_second_hook_takes_the_buffer_over() {
        let (memory, first) = hook(DropAction::Abandon);
        let second = Arc::new(RecordingHook::new(DropAction::GiveBack));
        let buffer = watched(&memory, &first).with_hook(&second, Location::caller());
        assert_eq!(first.take_events()[1..], ["released 1 in 1", "freed 1"]);
        drop(buffer);
        assert_eq!(second.take_events()[1..], ["dropped 1 in 1", "freed 1"]);
        assert_eq!((first.take_events().len(), memory.used()), (0, 0));
    }

    /// `DropPolicy::Abandon`, Netty's behaviour: the count keeps the lost reference, so the memory never goes back.
    #[test]
    #[cfg_attr(miri, ignore = "leaks on purpose; run with -Zmiri-ignore-leaks")]
    fn an_abandoned_reference_keeps_the_memory_out() {
        let (memory, hook) = hook(DropAction::Abandon);
        let body = watched(&memory, &hook).freeze();
        let (first, second) = (body.retain(), body.slice(1..3));
        hook.take_events();
        drop(first);
        assert_eq!((body.ref_cnt(), memory.used(), memory.abandoned(), memory.reservations()), (3, 16, 16, 0));
        drop(second);
        assert_eq!((body.ref_cnt(), memory.used(), memory.abandoned(), memory.reservations()), (3, 16, 16, 0));
        assert_eq!(&body[..], b"0123456789");
        assert!(!body.release());
        assert_eq!(hook.take_events(), ["dropped 2 in 1", "dropped 3 in 1", "released 1 in 1"]);
        assert_eq!((memory.used(), memory.abandoned(), memory.reservations()), (16, 16, 0));
    }

    #[test]
    #[cfg_attr(miri, ignore = "leaks on purpose; run with -Zmiri-ignore-leaks")]
    fn an_abandoned_buffer_that_was_never_frozen_stays_out_too() {
        let (memory, hook) = hook(DropAction::Abandon);
        drop(watched(&memory, &hook));
        assert_eq!(hook.take_events()[1..], ["dropped 1 in 1"]);
        assert_eq!((memory.used(), memory.abandoned(), memory.reservations()), (16, 16, 0));
    }

    #[test]
    fn a_hook_hears_of_what_is_lost_while_a_panic_unwinds() {
        let (memory, hook) = hook(DropAction::GiveBack);
        catch_unwind(AssertUnwindSafe(|| {
            let buffer = watched(&memory, &hook);
            let _body = watched(&memory, &hook).freeze();
            std::panic::resume_unwind(Box::new(buffer.len()));
        }))
        .unwrap_err();
        assert_eq!(hook.take_events()[2..], ["dropped 2 in 2", "freed 2", "dropped 1 in 1", "freed 1"]);
        assert_eq!(memory.used(), 0);
    }

    #[test]
    fn a_hook_may_add_to_the_error_of_a_growth() {
        let (memory, hook) = hook(DropAction::GiveBack);
        let mut buffer = watched(&memory, &hook);
        assert!(buffer.try_reserve(1000).is_err());
        assert_eq!(hook.take_events()[1..], ["refused 994 B"]);
        assert_eq!((buffer.capacity(), memory.used()), (16, 16));
    }
}
