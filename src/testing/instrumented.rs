//! A future that takes its scope along.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};

use super::scope_handle::ScopeHandle;

/// A future that has entered a scope whenever it is polled, and when it is dropped.
///
/// Made by [`LeakScope::instrument`](super::LeakScope::instrument). It is `Send` if the future is, so it can be spawned on
/// any runtime, and it goes from thread to thread with its task.
///
/// # Cost
/// An allocation, and an entrance for each poll.
#[must_use = "a future does nothing unless it is polled"]
pub struct Instrumented<F> {
    scope: ScopeHandle,
    /// Nothing once it is done. Boxed, so that it is pinned without unsafe code and can be dropped inside the scope.
    future: Option<Pin<Box<F>>>,
}

impl ScopeHandle {
    /// Wraps a future so that it has entered the scope whenever it is polled, on whatever thread, and when it is dropped.
    pub fn instrument<F: Future>(&self, future: F) -> Instrumented<F> {
        Instrumented { scope: self.clone(), future: Some(Box::pin(future)) }
    }
}

impl<F: Future> Future for Instrumented<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<F::Output> {
        let this = self.get_mut();
        let _entered = this.scope.enter();
        let future = this.future.as_mut().expect("an instrumented future is not polled after it was ready");
        let polled = future.as_mut().poll(context);
        if polled.is_ready() {
            this.future = None;
        }
        polled
    }
}

impl<F> Drop for Instrumented<F> {
    fn drop(&mut self) {
        if self.future.is_some() {
            let _entered = self.scope.enter();
            self.future = None;
        }
    }
}

impl<F> fmt::Debug for Instrumented<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Instrumented").field("scope", &self.scope).finish_non_exhaustive()
    }
}
