//! Where the global detector stands for another one: on a thread that has entered a scope.
//!
//! ```text
//! enter A      enter B      drop of A's guard      drop of B's guard
//! [A]          [A, B]       [B]                    []                    the last one is in force
//! ```

use std::cell::RefCell;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use super::core::Core;

/// Who has entered anything, and the detector that stands for others meanwhile. Held for a few stores.
static ENTERED: Mutex<Entered> = Mutex::new(Entered { guards: 0, global: None });

struct Entered {
    /// Guards that exist in the process.
    guards: usize,
    /// The global detector, once there is one. It lives as long as the process.
    global: Option<Arc<Core>>,
}

impl Entered {
    fn change(change: impl FnOnce(&mut Entered)) {
        let mut entered = ENTERED.lock().unwrap_or_else(PoisonError::into_inner);
        change(&mut entered);
        if let Some(global) = &entered.global {
            global.set_redirected(entered.guards > 0);
        }
    }
}

/// Makes `core` the one that stands for others.
pub(in crate::detector) fn set_global(core: &Arc<Core>) {
    Entered::change(|entered| entered.global = Some(core.clone()));
}

thread_local! {
    /// What this thread has entered, the oldest first.
    static STACK: RefCell<Vec<Entry>> = const { RefCell::new(Vec::new()) };
}

struct Entry {
    number: u64,
    core: Arc<Core>,
}

/// The number of one entry, by which it is left: never reused.
#[derive(Debug)]
pub(in crate::detector) struct Entrance(u64);

/// From now on the global detector stands for `core` on this thread.
///
/// The caller keeps `core` owned for as long as the entrance lasts, so that it cannot be let go of between a creation and
/// the moment at which it is counted.
pub(in crate::detector) fn enter(core: &Arc<Core>) -> Entrance {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    // Relaxed: each number is given once, whatever the order.
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    let entry = Entry { number, core: core.clone() };
    // While the thread ends there may be no stack any more: then nothing is redirected.
    let _ = STACK.try_with(|stack| stack.try_borrow_mut().map(|mut stack| stack.push(entry)));
    Entered::change(|entered| entered.guards += 1);
    Entrance(number)
}

/// Ends an entry, wherever it stands.
pub(in crate::detector) fn leave(entrance: &Entrance) {
    let left = STACK.try_with(|stack| {
        let mut stack = stack.try_borrow_mut().ok()?;
        let place = stack.iter().rposition(|entry| entry.number == entrance.0)?;
        Some(stack.remove(place))
    });
    // Dropped with no borrow held: with a core go its sinks, which are the user's.
    drop(left);
    Entered::change(|entered| entered.guards -= 1);
}

/// What `core` stands for on this thread: nothing but the global one stands for another.
///
/// # Cost
/// A relaxed load while nothing is entered anywhere.
#[inline]
pub(in crate::detector) fn target(core: &Core) -> Option<Arc<Core>> {
    if !core.is_redirected() {
        return None;
    }
    entered_here()
}

#[cold]
#[inline(never)]
fn entered_here() -> Option<Arc<Core>> {
    // No stack while the thread ends, and none to be had for who is called by the allocator while the
    // stack grows: then the global detector answers for itself.
    STACK.try_with(|stack| Some(stack.try_borrow().ok()?.last()?.core.clone())).ok().flatten()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;

    fn core() -> Arc<Core> {
        Arc::new(Core::new(Config::new()))
    }

    #[test]
    fn the_newest_entry_that_was_not_left_is_in_force_and_only_for_the_global_one() {
        let (global, one, other) = (core(), core(), core());
        set_global(&global);
        let is = |expected: &Arc<Core>| target(&global).is_some_and(|found| Arc::ptr_eq(&found, expected));

        let first = enter(&one);
        let second = enter(&other);
        assert!(is(&other) && target(&one).is_none());
        leave(&first);
        assert!(is(&other), "the older guard went first and took nothing with it");
        leave(&second);
        assert!(target(&global).is_none());

        let kept = enter(&one);
        std::thread::scope(|scope| {
            scope.spawn(|| assert!(target(&global).is_none(), "another thread")).join().unwrap()
        });
        leave(&kept);
    }
}
