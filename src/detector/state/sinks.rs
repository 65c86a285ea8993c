//! The sinks of one detector.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, RwLock, TryLockError};
use std::time::Duration;

use super::survival::survives;
use crate::report::Sink;

/// One attached sink.
pub(in crate::detector) struct Attached {
    number: u64,
    pub(in crate::detector) sink: DroppedQuietly,
    /// It panicked once and is not called again.
    pub(in crate::detector) broken: AtomicBool,
}

/// A sink whose `Drop` may panic. Whoever has it last drops it: often the reporter, which has to go on, or a thread that
/// drops a detector and did not make the sink.
pub(in crate::detector) struct DroppedQuietly(Option<Box<dyn Sink>>);

impl DroppedQuietly {
    /// The sink; there is none only while this is dropped.
    pub(in crate::detector) fn get(&self) -> Option<&dyn Sink> {
        self.0.as_deref()
    }
}

impl Drop for DroppedQuietly {
    fn drop(&mut self) {
        let sink = self.0.take();
        survives(|| drop(sink));
    }
}

/// The sinks, in the order in which they were attached. Called with no lock held.
#[derive(Default)]
pub(in crate::detector) struct Sinks {
    list: RwLock<Vec<Arc<Attached>>>,
    next: AtomicU64,
}

impl Sinks {
    /// Attaches a sink; the number detaches it.
    pub(in crate::detector) fn add(&self, sink: Box<dyn Sink>) -> u64 {
        // Relaxed: each number is given once.
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let attached = Arc::new(Attached { number, sink: DroppedQuietly(Some(sink)), broken: AtomicBool::new(false) });
        self.change(|list| list.push(attached));
        number
    }

    /// Detaches a sink.
    pub(in crate::detector) fn remove(&self, number: u64) {
        let mut removed = None;
        self.change(|list| {
            removed = list.iter().position(|attached| attached.number == number).map(|place| list.remove(place));
        });
        // The sink is dropped with no lock held: its Drop is the user's.
        drop(removed);
    }

    /// The sinks now.
    pub(in crate::detector) fn all(&self) -> Vec<Arc<Attached>> {
        patiently(|| match self.list.try_read() {
            Ok(list) => Some(list.clone()),
            Err(TryLockError::Poisoned(poisoned)) => Some(poisoned.into_inner().clone()),
            Err(TryLockError::WouldBlock) => None,
        })
        .unwrap_or_default()
    }

    fn change(&self, change: impl FnOnce(&mut Vec<Arc<Attached>>)) {
        let list = patiently(|| match self.list.try_write() {
            Ok(list) => Some(list),
            Err(TryLockError::Poisoned(poisoned)) => Some(poisoned.into_inner()),
            Err(TryLockError::WouldBlock) => None,
        });
        if let Some(mut list) = list {
            change(&mut list);
        }
    }
}

/// Tries for a second. The lock is held for a copy of a few pointers, so a longer wait means that its holder is not there:
/// this is a forked child, and the thread was its parent's.
fn patiently<T>(mut attempt: impl FnMut() -> Option<T>) -> Option<T> {
    for _ in 0..1_000 {
        if let Some(done) = attempt() {
            return Some(done);
        }
        std::thread::sleep(Duration::from_millis(1));
    }
    None
}
