//! The seam between the buffers and whoever watches them.

use std::fmt;
use std::panic::Location;

use crate::memory::{Fill, OutOfDirectMemory};
use crate::report::{Hint, Origin};
use crate::sync::AtomicU64;

/// What becomes of a reference that was dropped without release.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum DropAction {
    /// It counts down as if it had been released.
    GiveBack,
    /// It stays counted, so the memory never goes back, and its reservation is abandoned.
    Abandon,
}

/// How much of a buffer a reference looks at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Extent {
    /// What it can read.
    pub(crate) view_bytes: u64,
    /// What the whole buffer holds, also for a slice.
    pub(crate) capacity_bytes: u64,
}

/// Is told what happens to the references of the buffers that it was put into.
///
/// Each reference keeps a *token* for the hook, 0 at first; each buffer keeps one word for it, its *group*, 0 at first,
/// which ties the references of the buffer together. The buffers never look into either. The calls of one reference
/// come one after another, those of different references of one buffer at once from any threads.
///
/// Contract, upheld by [`Reference`](super::reference::Reference) alone: every `opened` is followed by exactly one
/// `released` or `dropped` of its token, unless the reference is forgotten; after that its token is not used again.
/// `freed` comes at most once, last, and never for a buffer of which a reference was abandoned. A hook that leaves a token
/// or a group at 0 has nothing to follow: of such a token no `allocated` and no `released` is told, of such a group no `freed`.
///
/// An implementation must not panic: most calls are made while something is dropped, perhaps during a panic.
pub(crate) trait ReferenceHook: fmt::Debug + Send + Sync {
    /// A reference came to be; the answer is its token. `parent` is the token of the reference that it was made from,
    /// and `None` for a buffer's first.
    fn opened(
        &self,
        group: &AtomicU64,
        parent: Option<u64>,
        origin: Origin,
        extent: Extent,
        location: &'static Location<'static>,
    ) -> u64;

    /// A buffer was allocated, and its budget is as full as this. After its `opened`: who is told of the budget finds the
    /// buffer counted.
    fn allocated(&self, fill: Fill) {
        let _ = fill;
    }

    /// The buffer, of which this is the only reference, now holds so many bytes; the answer is its token from now on.
    fn resized(&self, token: u64, capacity_bytes: u64) -> u64;

    /// Whether `touched` would do anything; asked before a hint is made.
    fn wants_touch(&self, token: u64) -> bool;

    /// The reference was touched.
    fn touched(&self, token: u64, hint: Option<Hint>, location: &'static Location<'static>);

    /// The reference is being released. It still counts, so the buffer is still there.
    fn released(&self, group: &AtomicU64, token: u64);

    /// The reference is being dropped without release. It still counts, so the buffer is still there.
    fn dropped(&self, group: &AtomicU64, token: u64) -> DropAction;

    /// The last reference is gone, and the memory and its reservation went back.
    fn freed(&self, group: &AtomicU64);

    /// A buffer could not grow within its budget; the answer is the error that its owner gets.
    fn refused(&self, error: OutOfDirectMemory) -> OutOfDirectMemory {
        error
    }
}
