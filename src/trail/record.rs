//! One access of one handle.

use std::panic::Location;

use super::memory;
#[cfg(feature = "tracing")]
use super::span::SpanLabel;
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
    aside: Option<Box<Aside>>,
    pub(crate) thread: ThreadLabel,
    pub(crate) at: Stamp,
    pub(crate) unwinding: bool,
}

/// What few records have.
#[derive(Clone, Debug)]
struct Aside {
    hint: Option<Hint>,
    #[cfg(feature = "tracing")]
    span: Option<SpanLabel>,
}

impl Aside {
    /// What stands beside a record of this moment; nothing if there is nothing.
    fn now(hint: Option<Hint>) -> Option<Box<Aside>> {
        #[cfg(feature = "tracing")]
        let span = SpanLabel::current();
        #[cfg(feature = "tracing")]
        let has_span = span.is_some();
        #[cfg(not(feature = "tracing"))]
        let has_span = false;
        (hint.is_some() || has_span).then(|| {
            Box::new(Aside {
                hint,
                #[cfg(feature = "tracing")]
                span,
            })
        })
    }
}

impl Record {
    /// True if nothing stands beside it: its end frees nothing and calls nobody.
    pub(super) fn is_plain(&self) -> bool {
        self.aside.is_none()
    }

    /// A record of this moment on this thread.
    #[inline(always)]
    pub(crate) fn now(place: Place, hint: Option<Hint>) -> Record {
        Record {
            place,
            aside: Aside::now(hint),
            thread: ThreadLabel::current(),
            at: Stamp::now(),
            unwinding: std::thread::panicking(),
        }
    }

    /// A record without a thread or a time, for models that run outside of both.
    #[cfg(all(test, leaktrail_loom))]
    pub(crate) fn for_models(place: Place) -> Record {
        Record { place, aside: None, thread: ThreadLabel::default(), at: Stamp::default(), unwinding: false }
    }

    /// What the program said about it.
    pub(crate) fn hint(&self) -> Option<&Hint> {
        self.aside.as_ref()?.hint.as_ref()
    }

    /// The span in which it happened.
    #[cfg(feature = "tracing")]
    pub(crate) fn span(&self) -> Option<SpanLabel> {
        self.aside.as_ref()?.span
    }

    /// Bytes that the record holds beside it.
    pub(crate) fn hint_bytes(&self) -> u64 {
        let hint = self.hint().map_or(0, Hint::size_bytes);
        self.aside.as_ref().map_or(0, |_| size_of::<Aside>() + hint) as u64
    }
}
