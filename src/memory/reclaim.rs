//! Hooks that are asked to give memory back before somebody is refused.

use std::cell::Cell;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Weak};

use super::broken_hook;
use super::child_lock::ChildLock;

/// What a hook is: told how many bytes are wanted, it answers how many it gave back.
type Hook = dyn Fn(u64) -> u64 + Send + Sync;

thread_local! {
    /// True while this thread is inside a hook. No drop glue: a hook may run while a thread ends.
    static INSIDE: Cell<bool> = const { Cell::new(false) };
}

/// True if the caller is a hook, or was called by one.
pub(super) fn is_inside_a_hook() -> bool {
    INSIDE.try_with(Cell::get).unwrap_or(false)
}

/// The hooks of one budget, in the order in which they were attached.
#[derive(Debug)]
pub(super) struct Hooks {
    attached: ChildLock<Vec<Arc<Attached>>>,
    /// How many there are: who is refused where there are none takes no lock.
    count: AtomicU64,
    given_back_bytes: AtomicU64,
}

struct Attached {
    hook: Box<Hook>,
    /// It panicked once and is not called again.
    broken: AtomicBool,
}

impl Hooks {
    pub(super) fn new() -> Hooks {
        Hooks { attached: ChildLock::new(Vec::new()), count: AtomicU64::new(0), given_back_bytes: AtomicU64::new(0) }
    }

    /// Attaches a hook for as long as what comes back lives.
    pub(super) fn attach(this: &Arc<Hooks>, hook: Box<Hook>) -> ReclaimHook {
        let attached = Arc::new(Attached { hook, broken: AtomicBool::new(false) });
        if let Some(mut hooks) = this.attached.lock() {
            hooks.push(attached.clone());
            this.count.store(hooks.len() as u64, Ordering::Relaxed);
        }
        ReclaimHook { hooks: Arc::downgrade(this), attached }
    }

    /// Asks each hook in turn for as long as `wanted` says that bytes are still missing. No lock is held meanwhile.
    pub(super) fn run(&self, wanted: impl Fn() -> Option<u64>) {
        // Relaxed: a hook that another thread is just attaching may be asked or not.
        if self.count.load(Ordering::Relaxed) == 0 {
            return;
        }
        let Some(hooks) = self.attached.lock().map(|hooks| hooks.clone()) else { return };
        for attached in hooks {
            let Some(bytes) = wanted() else { return };
            self.given_back_bytes.fetch_add(attached.ask(bytes), Ordering::Relaxed);
        }
    }

    /// What the hooks said that they gave back, all together.
    pub(super) fn given_back_bytes(&self) -> u64 {
        self.given_back_bytes.load(Ordering::Relaxed)
    }

    fn detach(&self, attached: &Arc<Attached>) {
        let Some(mut hooks) = self.attached.lock() else { return };
        let found = hooks.iter().position(|other| Arc::ptr_eq(other, attached)).map(|at| hooks.remove(at));
        self.count.store(hooks.len() as u64, Ordering::Relaxed);
        drop(hooks);
        // Out here: what a hook holds is the user's, and so is its drop.
        drop(found);
    }
}

impl Attached {
    /// What the hook gave back; nothing from one that panics or has panicked.
    fn ask(&self, bytes: u64) -> u64 {
        // Relaxed: two threads may both be inside as it panics for the first time; the swap says who tells.
        if self.broken.load(Ordering::Relaxed) {
            return 0;
        }
        let before = INSIDE.try_with(|inside| inside.replace(true)).unwrap_or(true);
        // AssertUnwindSafe: after a panic the hook is never called again.
        let given_back = catch_unwind(AssertUnwindSafe(|| (self.hook)(bytes)));
        let _ = INSIDE.try_with(|inside| inside.set(before));
        given_back.unwrap_or_else(|panic| {
            // Not dropped: its drop may panic once more.
            std::mem::forget(panic);
            if !self.broken.swap(true, Ordering::Relaxed) {
                broken_hook::tell();
            }
            0
        })
    }
}

impl fmt::Debug for Attached {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Attached").field("broken", &self.broken).finish_non_exhaustive()
    }
}

/// Keeps a reclaim hook attached to its budget; dropping it detaches. See
/// [`DirectMemory::on_reclaim`](super::DirectMemory::on_reclaim).
///
/// A call that is under way when it is dropped is finished. It does not keep the budget alive.
#[must_use = "dropping it detaches the hook at once; `detach_never` keeps it for as long as the budget lives"]
pub struct ReclaimHook {
    hooks: Weak<Hooks>,
    attached: Arc<Attached>,
}

impl ReclaimHook {
    /// Keeps the hook for as long as the budget lives.
    pub fn detach_never(mut self) {
        self.hooks = Weak::new();
    }
}

impl Drop for ReclaimHook {
    fn drop(&mut self) {
        if let Some(hooks) = self.hooks.upgrade() {
            hooks.detach(&self.attached);
        }
    }
}

impl fmt::Debug for ReclaimHook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReclaimHook").field("attached", &self.attached).finish()
    }
}
