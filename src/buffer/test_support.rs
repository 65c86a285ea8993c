//! A hook for tests that writes down what it is told.

use std::panic::Location;
use std::sync::Mutex;

use super::hook::{DropAction, Extent, ReferenceHook};
use crate::memory::OutOfDirectMemory;
use crate::report::{Hint, Origin};
use crate::sync::{AtomicU64, Ordering};

/// Numbers the references of all its buffers from 1, and marks each buffer's group with 1000 plus the first of them.
#[derive(Debug)]
pub(super) struct RecordingHook {
    on_drop: DropAction,
    wants_touches: bool,
    // Std's own, not the seam's: what is written down is no part of any model.
    events: Mutex<Vec<String>>,
    opened: std::sync::atomic::AtomicU64,
}

impl RecordingHook {
    pub(super) fn new(on_drop: DropAction) -> RecordingHook {
        RecordingHook { on_drop, wants_touches: true, events: Mutex::default(), opened: 0.into() }
    }

    /// One whose answer to every offer of a touch is no.
    pub(super) fn untouchable() -> RecordingHook {
        RecordingHook { wants_touches: false, ..RecordingHook::new(DropAction::GiveBack) }
    }

    /// What happened since this was asked before, one line each.
    pub(super) fn take_events(&self) -> Vec<String> {
        std::mem::take(&mut self.events.lock().unwrap())
    }

    fn note(&self, event: String) {
        self.events.lock().unwrap().push(event);
    }
}

/// What the hook wrote into the buffer's word, relative to 1000.
fn group_of(group: &AtomicU64) -> u64 {
    group.load(Ordering::Relaxed) - 1000
}

impl ReferenceHook for RecordingHook {
    fn opened(
        &self,
        group: &AtomicU64,
        parent: Option<u64>,
        origin: Origin,
        extent: Extent,
        location: &'static Location<'static>,
    ) -> u64 {
        let token = 1 + self.opened.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        let from = match parent {
            Some(parent) => format!("from {parent} in {}", group_of(group)),
            None => {
                assert_eq!(group.swap(1000 + token, Ordering::Relaxed), 0, "a new buffer's group is 0");
                "anew".to_owned()
            }
        };
        let bytes = extent.capacity_bytes;
        assert!(extent.view_bytes <= bytes, "{extent:?}");
        self.note(format!("{} {token} {from}, {bytes} B, line {}", origin.word(), location.line()));
        token
    }

    fn resized(&self, token: u64, capacity_bytes: u64) -> u64 {
        self.note(format!("resized {token} to {capacity_bytes} B"));
        token
    }

    fn wants_touch(&self, _token: u64) -> bool {
        self.wants_touches
    }

    fn touched(&self, token: u64, hint: Option<Hint>, location: &'static Location<'static>) {
        let hint = hint.map_or("nothing".to_owned(), |hint| format!("'{}'", hint.render()));
        self.note(format!("touched {token} with {hint}, line {}", location.line()));
    }

    fn released(&self, group: &AtomicU64, token: u64) {
        self.note(format!("released {token} in {}", group_of(group)));
    }

    fn dropped(&self, group: &AtomicU64, token: u64) -> DropAction {
        self.note(format!("dropped {token} in {}", group_of(group)));
        self.on_drop
    }

    fn freed(&self, group: &AtomicU64) {
        self.note(format!("freed {}", group_of(group)));
    }

    fn refused(&self, error: OutOfDirectMemory) -> OutOfDirectMemory {
        self.note(format!("refused {} B", error.requested()));
        error
    }
}

/// What a panic said.
pub(super) fn panic_text(payload: &(dyn std::any::Any + Send)) -> &str {
    match payload.downcast_ref::<String>() {
        Some(text) => text,
        None => payload.downcast_ref::<&str>().copied().unwrap_or("(no text)"),
    }
}
