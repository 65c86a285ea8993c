//! State that a forked child starts afresh.
//!
//! After `fork` a child has one thread and a copy of every lock as it stood, held or not, by threads that it does not
//! have. Waiting for one of those locks would hang the child for ever, and telling the parent's losses again would be
//! a lie. So whatever is behind a lock here lives in a [`PerProcess`]: the first use in a child makes a new value and
//! never looks into the inherited one.
#![allow(unsafe_code, reason = "pthread_atfork is a C function; listed in docs/SAFETY.md")]

use std::cell::Cell;
use std::fmt;
use std::marker::PhantomData;
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
            // Still held: by a thread that is not here. One that is within its own turn is, and ends it here too.
            LEFT_BEHIND.store(UNFORKED.load(Ordering::Relaxed) && !MINE.get(), Ordering::Relaxed);
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
/// A child that was forked all the same, while somebody of its parent's did: what that one held is held for ever here.
static LEFT_BEHIND: AtomicBool = AtomicBool::new(false);
/// How often [`UNFORKED`] was given back: whoever waits sees by it that others get on.
static TURNS: AtomicU32 = AtomicU32::new(0);
/// Threads that are about to fork and wait for [`UNFORKED`]. They go first: who resolves a thousand addresses gives them up
/// and takes them again a thousand times.
static FORKS_WAITING: AtomicU32 = AtomicU32::new(0);

thread_local! {
    /// True while this thread has it: foreign code that calls back into us must not wait for itself.
    static MINE: Cell<bool> = const { Cell::new(false) };
    /// True while this thread forks and keeps others from beginning.
    #[cfg(all(unix, not(miri)))]
    static HELD: Cell<bool> = const { Cell::new(false) };
}

/// Held by one thread at a time while it calls foreign code that has locks of its own (the library that resolves symbols):
/// no fork happens meanwhile, or else the child would have those locks held, by a thread that it does not have, for ever.
#[derive(Debug)]
pub(crate) struct Unforked {
    /// It is given back on the thread that took it.
    _not_send: PhantomData<*const ()>,
}

/// What a wait sleeps between two looks.
const PAUSE: Duration = Duration::from_millis(1);
/// Pauses of a fork: about a second, then it happens as things are.
const FORK_PAUSES: u32 = 1_000;

/// How long a wait for a turn goes on while no turn ends: about that many milliseconds. Others that get on are waited for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Patience(u32);

impl Patience {
    /// About 20 s. The first turn of a process reads all debug information of the program: on a machine with other work
    /// that takes seconds, and a report without names is worth far less. Only a holder that hangs takes longer.
    pub(crate) const LONG: Patience = Patience(20_000);
    /// About a second: for the end of a process.
    pub(crate) const SHORT: Patience = Patience(1_000);
}

impl Unforked {
    /// Takes it, waiting while those before get on. `None` where it can't be had: on a thread that has it already, in a child
    /// that was forked amid somebody's turn, or behind a holder that hangs.
    pub(crate) fn take(patience: Patience) -> Option<Unforked> {
        if MINE.get() {
            return None;
        }
        let mut turns = TURNS.load(Ordering::Relaxed);
        let mut stalled = 0;
        loop {
            // Relaxed, all three: written before this thread began (in a child), a wish of others to go first, and a hint
            // that somebody gets on. The swap decides.
            if LEFT_BEHIND.load(Ordering::Relaxed) {
                return None;
            }
            if FORKS_WAITING.load(Ordering::Relaxed) == 0
                && let Some(taken) = Unforked::try_take()
            {
                return Some(taken);
            }
            if stalled >= patience.0 {
                return None;
            }
            let now = TURNS.load(Ordering::Relaxed);
            stalled = if now == turns { stalled + 1 } else { 0 };
            turns = now;
            thread::sleep(PAUSE);
        }
    }

    fn try_take() -> Option<Unforked> {
        // Acquire: pairs with the Release in `drop`.
        let taken = !UNFORKED.swap(true, Ordering::Acquire);
        taken.then(|| {
            MINE.set(true);
            Unforked { _not_send: PhantomData }
        })
    }

    /// Before a fork: nobody begins until it is over. After a second it happens as things are.
    #[cfg(all(unix, not(miri)))]
    fn hold() {
        // Relaxed: a wish of ours to go first; the swap decides.
        FORKS_WAITING.fetch_add(1, Ordering::Relaxed);
        // A thread that forks within its own turn (foreign code that does) has nobody to wait for.
        let pauses = if MINE.get() { 0 } else { FORK_PAUSES };
        let held = (0..pauses).find_map(|_| {
            let taken = Unforked::try_take();
            if taken.is_none() {
                thread::sleep(PAUSE);
            }
            taken
        });
        FORKS_WAITING.fetch_sub(1, Ordering::Relaxed);
        HELD.set(held.is_some());
        std::mem::forget(held);
    }

    /// After a fork, on the thread that called it and on its copy in the child.
    #[cfg(all(unix, not(miri)))]
    fn let_go() {
        if HELD.replace(false) {
            drop(Unforked { _not_send: PhantomData });
        }
    }
}

impl Drop for Unforked {
    fn drop(&mut self) {
        MINE.set(false);
        // Relaxed: only a hint for those who wait.
        TURNS.fetch_add(1, Ordering::Relaxed);
        // Release: pairs with the Acquire in `try_take`.
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
    fn a_turn_is_waited_for_while_others_get_on_and_never_by_the_thread_that_has_it() {
        const PAUSES: u32 = 5;
        let turn = Unforked::take(Patience::LONG).unwrap();
        assert!(Unforked::take(Patience::LONG).is_none(), "it would wait for itself");
        let waits = thread::spawn(|| Unforked::take(Patience::LONG).is_some());
        thread::sleep(PAUSE * PAUSES);
        drop(turn);
        assert!(waits.join().unwrap());
    }

    #[test]
    fn the_first_value_is_kept() {
        let place = PerProcess::new();
        assert!(place.get().is_none());
        assert_eq!(*place.get_or_init(|| 7), 7);
        assert_eq!(*place.get_or_init(|| 8), 7);
        assert_eq!(place.get(), Some(&7));
    }
}
