//! One access of one handle.

use std::panic::Location;

use super::memory;
use super::thread_label::ThreadLabel;
use crate::clock::Stamp;
use crate::report::Hint;
use crate::stack::{Captured, StackId, depot};

/// Where an access happened.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Place {
    /// The whole stack.
    Stack(StackId),
    /// The calling line alone: the depot is full, or the detector's memory is, or stacks are not walked.
    Line(&'static Location<'static>),
    /// Not known: as above, and a drop has no caller.
    Unknown,
}

impl Place {
    /// The place with that stack, or `location` when the stack cannot be kept.
    #[inline]
    pub(crate) fn of(stack: &Captured, location: Option<&'static Location<'static>>) -> Place {
        // Without a walker there is no frame.
        let kept = if stack.addresses().is_empty() { None } else { depot::intern(stack, memory::has_room) };
        match kept {
            Some(stack) => Place::Stack(stack),
            None => location.map_or(Place::Unknown, Place::Line),
        }
    }
}

/// One access: its place, hint, thread and coarse time.
#[derive(Clone, Debug)]
pub(crate) struct Record {
    pub(crate) place: Place,
    /// Boxed: most records have none, and a trail keeps several.
    pub(crate) hint: Option<Box<Hint>>,
    pub(crate) thread: ThreadLabel,
    pub(crate) at: Stamp,
    pub(crate) unwinding: bool,
}

impl Record {
    /// A record of this moment on this thread.
    #[inline(always)]
    pub(crate) fn now(place: Place, hint: Option<Hint>) -> Record {
        Record {
            place,
            hint: hint.map(Box::new),
            thread: ThreadLabel::current(),
            at: Stamp::now(),
            unwinding: std::thread::panicking(),
        }
    }

    /// A record without a thread or a time, for models that run outside of both.
    #[cfg(all(test, leaktrail_loom))]
    pub(crate) fn for_models(place: Place) -> Record {
        Record { place, hint: None, thread: ThreadLabel::default(), at: Stamp::default(), unwinding: false }
    }

    /// Bytes that the record's hint holds beside it.
    pub(crate) fn hint_bytes(&self) -> u64 {
        self.hint.as_ref().map_or(0, |hint| size_of::<Hint>() + hint.size_bytes()) as u64
    }
}
