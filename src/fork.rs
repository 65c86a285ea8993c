//! State that a forked child starts afresh.
//!
//! After `fork` a child has one thread and a copy of every lock as it stood, held or not, by threads that it does not
//! have. Waiting for one of those locks would hang the child for ever, and telling the parent's losses again would be
//! a lie. So whatever is behind a lock here lives in a [`PerProcess`]: the first use in a child makes a new value and
//! never looks into the inherited one.
#![allow(unsafe_code, reason = "pthread_atfork is a C function; listed in docs/SAFETY.md")]

use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::thread;
use std::time::Duration;

use once_cell::race::OnceBox;

/// How many forks lie between this process and the first one that used the crate.
static GENERATION: AtomicU32 = AtomicU32::new(0);

/// The generation of this process: 0, and one more in each forked child.
///
/// # Cost
/// One relaxed load.
#[inline]
pub(crate) fn generation() -> u32 {
    // Relaxed: the only writer is the child handler, which runs before any other code of the child, on its only thread.
    GENERATION.load(Ordering::Relaxed)
}

/// What a forked child does first: called on its only thread, before any code of the program. Stores to thread-locals and
/// atomics, nothing else: it runs between fork and exec.
type ChildHook = fn();

/// Hooks that can be set; each is set once.
static CHILD_HOOKS: [OnceBox<ChildHook>; 2] = [const { OnceBox::new() }; 2];

/// Has `hook` called in each forked child. Once for each hook of the crate: `place` is its own.
pub(crate) fn on_child(place: usize, hook: ChildHook) {
    let _ = CHILD_HOOKS[place].set(Box::new(hook));
    watch();
}

/// Asks the C library to tell this module about forks, once per process tree.
///
/// Without `pthread_atfork` (not Unix, or out of memory) a forked child goes on with the parent's generation.
pub(crate) fn watch() {
    #[cfg(all(unix, not(miri)))]
    {
        static WATCHED: AtomicBool = AtomicBool::new(false);
        extern "C" fn prepare() {
            Unforked::hold();
        }
        extern "C" fn parent() {
            Unforked::let_go();
        }
        extern "C" fn child() {
            // Atomics, thread-locals and nothing else: what runs between fork and exec must be async-signal-safe.
            GENERATION.fetch_add(1, Ordering::Relaxed);
            FORKS_WAITING.store(0, Ordering::Relaxed);
            Unforked::let_go();
            for hook in CHILD_HOOKS.iter().filter_map(OnceBox::get) {
                hook();
            }
        }
        // Relaxed: the flag only keeps the handler from being registered twice; it publishes nothing.
        if !WATCHED.swap(true, Ordering::Relaxed) {
            // SAFETY: the three are plain `extern "C"` functions that live as long as the program and do not unwind; the one
            // that runs in the child, hooks included, touches atomics and thread-local `Cell`s without a destructor alone.
            let _ = unsafe { libc::pthread_atfork(Some(prepare), Some(parent), Some(child)) };
        }
    }
}

/// Somebody does what no fork may come into.
static UNFORKED: AtomicBool = AtomicBool::new(false);
/// Threads that are about to fork and wait for [`UNFORKED`]. They go first: who resolves a thousand addresses gives them up
/// and takes them again a thousand times.
static FORKS_WAITING: AtomicU32 = AtomicU32::new(0);

#[cfg(all(unix, not(miri)))]
thread_local! {
    /// True while this thread forks and keeps others from beginning.
    static HELD: std::cell::Cell<bool> = const { std::cell::Cell::new(false) };
}

/// Held by one thread at a time while it calls foreign code that has locks of its own (the library that resolves symbols):
/// no fork happens meanwhile, or else the child would have those locks held, by a thread that it does not have, for ever.
#[derive(Debug)]
pub(crate) struct Unforked(());

/// How often it is tried, a millisecond apart. Waiting is bounded: whoever holds it may be gone (an exit from within).
const TRIES: u32 = 1_000;

impl Unforked {
    /// Takes it, waiting a second at most.
    pub(crate) fn take() -> Option<Unforked> {
        Unforked::try_often(|| FORKS_WAITING.load(Ordering::Relaxed) == 0)
    }

    fn try_often(may: impl Fn() -> bool) -> Option<Unforked> {
        for _ in 0..TRIES {
            // Acquire: pairs with the Release in `drop` and `let_go`.
            if may() && !UNFORKED.swap(true, Ordering::Acquire) {
                return Some(Unforked(()));
            }
            thread::sleep(Duration::from_millis(1));
        }
        None
    }

    /// Before a fork: nobody begins until it is over. After a second it happens as things are.
    #[cfg(all(unix, not(miri)))]
    fn hold() {
        // Relaxed: a wish of ours to go first; the swap decides.
        FORKS_WAITING.fetch_add(1, Ordering::Relaxed);
        let held = Unforked::try_often(|| true);
        FORKS_WAITING.fetch_sub(1, Ordering::Relaxed);
        HELD.set(held.is_some());
        std::mem::forget(held);
    }

    /// After a fork, on the thread that called it and on its copy in the child.
    #[cfg(all(unix, not(miri)))]
    fn let_go() {
        if HELD.replace(false) {
            drop(Unforked(()));
        }
    }
}

impl Drop for Unforked {
    fn drop(&mut self) {
        // Release: pairs with the Acquire in `try_often`.
        UNFORKED.store(false, Ordering::Release);
    }
}

/// A value of which each process of a process tree has its own.
///
/// ```text
/// first ──► generation 0 ──► generation 1 ──► …      one node per fork between here and the root
///           (the parent's)   (this child's)
/// ```
///
/// Never blocks and never frees: a node that a child inherits may be locked for ever, so nobody touches it again.
pub(crate) struct PerProcess<T> {
    first: OnceBox<Node<T>>,
}

struct Node<T> {
    generation: u32,
    value: T,
    next: OnceBox<Node<T>>,
}

impl<T> PerProcess<T> {
    /// An empty place; nothing is made before the first use.
    pub(crate) const fn new() -> Self {
        PerProcess { first: OnceBox::new() }
    }

    /// This process's value, made by `init` at first use.
    ///
    /// Two threads may run `init` at the same time; one result is kept, the other dropped.
    pub(crate) fn get_or_init(&self, init: impl Fn() -> T) -> &T {
        let generation = generation();
        let make = || Box::new(Node { generation, value: init(), next: OnceBox::new() });
        let mut node = self.first.get_or_init(make);
        while node.generation != generation {
            node = node.next.get_or_init(make);
        }
        &node.value
    }

    /// This process's value, if it has been made.
    pub(crate) fn get(&self) -> Option<&T> {
        let generation = generation();
        let mut node = self.first.get();
        while let Some(found) = node {
            if found.generation == generation {
                return Some(&found.value);
            }
            node = found.next.get();
        }
        None
    }
}

impl<T> fmt::Debug for PerProcess<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PerProcess").field("made", &self.get().is_some()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_value_is_kept() {
        let place = PerProcess::new();
        assert!(place.get().is_none());
        assert_eq!(*place.get_or_init(|| 7), 7);
        assert_eq!(*place.get_or_init(|| 8), 7);
        assert_eq!(place.get(), Some(&7));
    }
}
