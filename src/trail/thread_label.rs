//! What a thread is called in reports, in one word.

use std::cell::Cell;
use std::collections::HashMap;
use std::panic::catch_unwind;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use crate::fork::{self, PerProcess};

/// Distinct names remembered; threads with yet another one are called [`OTHER_NAME`].
const MAX_NAMES: usize = 4_096;
const OTHER_NAME: &str = "(other threads)";

/// A thread's name, interned.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct ThreadLabel(u32);

/// Set in the label of a thread without a name; the rest is its number.
const UNNAMED: u32 = 1 << 31;
/// The label of threads whose names found no room.
const OTHER: u32 = UNNAMED - 1;

thread_local! {
    // Without drop glue, so that it can be read until the thread is gone: handles die in thread-local destructors.
    static LABEL: Cell<Option<(u32, ThreadLabel)>> = const { Cell::new(None) };
}

#[derive(Debug, Default)]
struct Names {
    by_name: HashMap<Arc<str>, u32>,
    by_number: Vec<Arc<str>>,
}

static NAMES: PerProcess<Mutex<Names>> = PerProcess::new();

impl ThreadLabel {
    /// The calling thread's.
    ///
    /// # Cost
    /// A read of a thread-local; at a thread's first record a lock and a lookup of its name.
    pub(crate) fn current() -> ThreadLabel {
        let generation = fork::generation();
        match LABEL.get() {
            Some((made_in, label)) if made_in == generation => label,
            _ => {
                let label = make();
                LABEL.set(Some((generation, label)));
                label
            }
        }
    }

    /// The name: the thread's own, or `unnamed-7` for the seventh without one that was met.
    pub(crate) fn name(self) -> Arc<str> {
        if self.0 & UNNAMED != 0 {
            return format!("unnamed-{}", self.0 & !UNNAMED).into();
        }
        let names = NAMES.get_or_init(Mutex::default).lock().unwrap_or_else(PoisonError::into_inner);
        names.by_number.get(self.0 as usize).cloned().unwrap_or_else(|| OTHER_NAME.into())
    }
}

fn make() -> ThreadLabel {
    // After the last thread-local of a thread is gone (an exit handler), asking for the current thread panics.
    let name: Option<Arc<str>> = catch_unwind(|| std::thread::current().name().map(Arc::from)).unwrap_or(None);
    let Some(name) = name else {
        static NEXT: AtomicU32 = AtomicU32::new(1);
        // Relaxed: a number to tell threads apart.
        return ThreadLabel(UNNAMED | NEXT.fetch_add(1, Ordering::Relaxed) & !UNNAMED);
    };
    let mut names = NAMES.get_or_init(Mutex::default).lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(&number) = names.by_name.get(&name) {
        return ThreadLabel(number);
    }
    if names.by_number.len() >= MAX_NAMES {
        return ThreadLabel(OTHER);
    }
    let number = names.by_number.len() as u32;
    names.by_name.insert(name.clone(), number);
    names.by_number.push(name);
    ThreadLabel(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn threads_are_called_by_their_names() {
        let label_of = |name: &str| {
            std::thread::Builder::new().name(name.into()).spawn(ThreadLabel::current).unwrap().join().unwrap()
        };
        assert_eq!(&*label_of("worker-3").name(), "worker-3");
        assert_eq!(label_of("worker-3"), label_of("worker-3"));
        let unnamed = std::thread::spawn(|| (ThreadLabel::current(), ThreadLabel::current())).join().unwrap();
        assert!(unnamed.0.name().starts_with("unnamed-") && unnamed.0 == unnamed.1);
        assert_eq!(&*ThreadLabel(OTHER).name(), OTHER_NAME);
    }
}
