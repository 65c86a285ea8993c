//! One request that waits, from its place in the line to its end.

use std::sync::Arc;
use std::task::Waker;
use std::time::{Duration, Instant};

use super::budget::Budget;
use super::call::{Answer, Call};
use crate::fork;

/// A place in the line. However it ends (served, refused, dropped by a panic or with its future), nobody stays in the line
/// and no bytes stay out: what was taken on its behalf and not handed over goes back, to the next one first.
#[derive(Debug)]
pub(super) struct Waiter {
    budget: Arc<Budget>,
    bytes: u64,
    number: u64,
    call: Arc<Call>,
    began: Instant,
    /// Bytes that were taken on its behalf have been handed over, or it has left the line.
    settled: bool,
    /// The fork generation that has the line.
    generation: u32,
}

impl Waiter {
    /// Gets into the line, where it may be served at once.
    pub(super) fn enter(budget: &Arc<Budget>, bytes: u64) -> Waiter {
        let call = Arc::new(Call::new());
        let began = Instant::now();
        let number = budget.enter(bytes, call.clone());
        Waiter { budget: budget.clone(), bytes, number, call, began, settled: false, generation: fork::generation() }
    }

    /// Waits for the answer, at most so long.
    pub(super) fn wait_for(&self, pause: Duration) -> Option<Answer> {
        self.call.wait_for(pause)
    }

    /// The answer, or else `waker` is woken when there is one.
    pub(super) fn poll(&self, waker: &Waker) -> Option<Answer> {
        if self.is_inherited() {
            // Nobody in this process will ever call: it is not in this line.
            return Some(Answer::Never);
        }
        self.call.poll(waker)
    }

    /// The answer, if it is known by now.
    #[cfg(all(test, not(leaktrail_loom)))]
    pub(super) fn answered(&self) -> Option<Answer> {
        self.call.answered()
    }

    /// True if it is the first of those who asked this budget.
    pub(super) fn is_first(&self) -> bool {
        self.budget.is_first_in_line(self.number)
    }

    /// How long it has waited.
    pub(super) fn waited(&self) -> Duration {
        self.began.elapsed()
    }

    /// Gets out of the line, and says whether the bytes were taken on its behalf: they are the caller's then.
    pub(super) fn leave(mut self) -> bool {
        self.settle()
    }

    /// True in a forked child, for one who waited in the parent. Its line is not the child's, and its lock may be held by a
    /// thread that the child does not have. Bytes that had been taken on its behalf stay out, and count.
    fn is_inherited(&self) -> bool {
        fork::generation() != self.generation
    }

    fn settle(&mut self) -> bool {
        if std::mem::replace(&mut self.settled, true) {
            return false;
        }
        if self.is_inherited() {
            return false;
        }
        self.budget.leave_line(self.number);
        self.budget.note_wait(self.began.elapsed());
        self.call.answered() == Some(Answer::Served)
    }
}

impl Drop for Waiter {
    fn drop(&mut self) {
        if self.settle() {
            self.budget.give_back(self.bytes);
        }
    }
}
