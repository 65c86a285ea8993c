//! How somebody who waits for bytes is told that they are there.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::PoisonError;
use std::task::Waker;
use std::time::Duration;

use crate::sync::{Condvar, Mutex, MutexGuard};

/// What becomes of a request that waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Answer {
    /// The bytes were taken on its behalf.
    Served,
    /// They can never fit: more than the limit leaves beside what was abandoned.
    Never,
}

/// One who waits: a thread in `wait_for`, or a task by its waker.
#[derive(Debug)]
pub(super) struct Call {
    state: Mutex<State>,
    rung: Condvar,
}

#[derive(Debug)]
struct State {
    answer: Option<Answer>,
    waker: Option<Waker>,
}

impl Call {
    pub(super) fn new() -> Call {
        Call { state: Mutex::new(State { answer: None, waker: None }), rung: Condvar::new() }
    }

    /// Says what became of it. Wakes nobody: that is for when no lock is held.
    pub(super) fn answer(&self, answer: Answer) {
        self.lock().answer = Some(answer);
    }

    /// Wakes whoever waits. A waker is code of the user's: called without a lock, and if it panics that goes no further,
    /// since the caller may be in a drop.
    pub(super) fn ring(&self) {
        let waker = self.lock().waker.take();
        self.rung.notify_all();
        if let Some(waker) = waker
            && let Err(panic) = catch_unwind(AssertUnwindSafe(|| waker.wake()))
        {
            // Not dropped: its drop may panic once more.
            std::mem::forget(panic);
        }
    }

    /// The answer, if it is known by now.
    pub(super) fn answered(&self) -> Option<Answer> {
        self.lock().answer
    }

    /// Waits for the answer, at most so long.
    pub(super) fn wait_for(&self, pause: Duration) -> Option<Answer> {
        // Loom has no time: there a wait ends by its answer.
        let end = (!cfg!(leaktrail_loom)).then(|| std::time::Instant::now() + pause);
        let mut state = self.lock();
        loop {
            let left = end.map_or(pause, |end| end.saturating_duration_since(std::time::Instant::now()));
            if state.answer.is_some() || left.is_zero() {
                return state.answer;
            }
            state = self.rung.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// The answer, or else `waker` is woken when there is one.
    pub(super) fn poll(&self, waker: &Waker) -> Option<Answer> {
        let is_known = |state: &State| state.waker.as_ref().is_some_and(|known| known.will_wake(waker));
        {
            let state = self.lock();
            if state.answer.is_some() || is_known(&state) {
                return state.answer;
            }
        }
        // A waker's clone and drop are code of the user's too: outside of the lock.
        let mut waker = Some(waker.clone());
        let mut state = self.lock();
        std::mem::swap(&mut state.waker, &mut waker);
        let answer = state.answer;
        drop(state);
        drop(waker);
        answer
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
