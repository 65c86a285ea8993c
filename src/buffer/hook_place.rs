//! A buffer's room for its hook.

use std::ptr;
use std::sync::Arc;

use super::hook::ReferenceHook;

/// The hook that is in force for a buffer, or one that was for the buffer before and lies here still.
///
/// A pool's allocator hands the same hook to one buffer after another. Counting it up and down each time would be two
/// atomic operations, on a word that all threads share; so a header that lies ready keeps it for the next buffer, as long as
/// somebody else has it too.
#[derive(Debug, Default)]
pub(super) struct HookPlace {
    hook: Option<Arc<dyn ReferenceHook>>,
    in_force: bool,
}

impl HookPlace {
    /// The hook that is in force.
    #[inline]
    pub(super) fn get(&self) -> Option<&dyn ReferenceHook> {
        if self.in_force { self.hook.as_deref() } else { None }
    }

    /// Puts a hook in force.
    #[inline]
    pub(super) fn put<H: ReferenceHook + 'static>(&mut self, hook: &Arc<H>) {
        let lies_here = |lying: &Arc<dyn ReferenceHook>| ptr::addr_eq(Arc::as_ptr(lying), Arc::as_ptr(hook));
        if !self.hook.as_ref().is_some_and(lies_here) {
            self.hook = Some(hook.clone());
        }
        self.in_force = true;
    }

    /// Takes out the hook that is in force.
    pub(super) fn take(&mut self) -> Option<Arc<dyn ReferenceHook>> {
        if std::mem::take(&mut self.in_force) { self.hook.take() } else { None }
    }

    /// The buffer's end: the hook is in force no more, and lies here for the next one unless nobody else has it.
    #[inline]
    pub(super) fn rest(&mut self) {
        self.in_force = false;
        if self.hook.as_ref().is_some_and(|hook| Arc::strong_count(hook) == 1) {
            self.hook = None;
        }
    }
}
