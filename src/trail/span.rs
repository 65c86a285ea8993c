//! The span of crate `tracing` in which an access happens.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// A span as a record keeps it: nothing is formatted and nothing allocated on the thread that is in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct SpanLabel {
    pub(crate) name: &'static str,
    pub(crate) id: u64,
}

thread_local! {
    /// A subscriber that tracks what it uses must not be asked by its own handles.
    static ASKING: Cell<bool> = const { Cell::new(false) };
}

impl SpanLabel {
    /// The span that this thread is in, if its subscriber knows one.
    ///
    /// The subscriber is the program's: it is asked with no lock of ours held, and if it panics there is no span.
    pub(crate) fn current() -> Option<SpanLabel> {
        if !tracing::dispatcher::has_been_set() || ASKING.try_with(|asking| asking.replace(true)).unwrap_or(true) {
            return None;
        }
        let answer = catch_unwind(AssertUnwindSafe(|| {
            let span = tracing::Span::current();
            Some(SpanLabel { name: span.metadata()?.name(), id: span.id()?.into_u64() })
        }));
        let _ = ASKING.try_with(|asking| asking.set(false));
        answer.unwrap_or_else(|payload| {
            // A payload's own Drop may panic; it is not ours to run.
            std::mem::forget(payload);
            None
        })
    }
}
