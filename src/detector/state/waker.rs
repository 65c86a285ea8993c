//! How the reporter is woken: by any thread, without a lock.

use std::cell::Cell;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::Thread;

use crate::fork::PerProcess;

#[derive(Debug, Default)]
struct Reporter {
    claimed: AtomicBool,
    /// Nothing if the thread could not be started: then reports are made by `flush`.
    thread: OnceLock<Option<Thread>>,
}

static REPORTER: PerProcess<Reporter> = PerProcess::new();

thread_local! {
    // No drop glue: an exit handler asks for it when other thread-locals are gone.
    static IS_REPORTER: Cell<bool> = const { Cell::new(false) };
}

/// True for the one caller in a process that is to start the thread.
pub(in crate::detector) fn claim() -> bool {
    // AcqRel: only one thread goes on, and it starts the thread after everything before.
    !REPORTER.get_or_init(Reporter::default).claimed.swap(true, Ordering::AcqRel)
}

/// Notes the thread that was started, or that none could be.
pub(in crate::detector) fn set_thread(thread: Option<Thread>) {
    let _ = REPORTER.get_or_init(Reporter::default).thread.set(thread);
}

/// Wakes the thread: something waits to be told.
pub(in crate::detector) fn wake() {
    if let Some(thread) = thread() {
        thread.unpark();
    }
}

/// True if the thread runs.
pub(in crate::detector) fn is_running() -> bool {
    thread().is_some()
}

/// Says that the calling thread is the reporter.
pub(in crate::detector) fn enter() {
    IS_REPORTER.set(true);
}

/// True on the reporter's own thread.
pub(in crate::detector) fn is_this_thread() -> bool {
    IS_REPORTER.get()
}

fn thread() -> Option<&'static Thread> {
    REPORTER.get()?.thread.get()?.as_ref()
}
