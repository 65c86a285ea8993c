//! Which slots are free: a short list in each thread, and a pool for all.
//!
//! A thread takes and gives without asking anybody; when its list is empty or full, half of it is exchanged with the pool
//! at once. So a slot that is taken on one thread and given on another costs a share of one lock in 64.

use std::cell::Cell;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::fork::{self, PerProcess};

/// Slots of a process: its live trails at most.
pub(crate) const MAX_TRAILS: usize = 65_536;
/// Free slots that a thread keeps.
const KEPT: usize = 128;
/// Slots exchanged with the pool at once.
const BATCH: usize = KEPT / 2;

/// The number of a slot.
pub(super) type SlotNumber = u16;

struct Kept {
    /// The process whose slots these are: a forked child starts anew.
    generation: Cell<u32>,
    /// The thread's list was given back; from now on every slot goes to the pool.
    ended: Cell<bool>,
    len: Cell<usize>,
    numbers: [Cell<SlotNumber>; KEPT],
}

thread_local! {
    // Without drop glue: handles end in other thread-locals' destructors.
    static MINE: Kept = const {
        Kept {
            generation: Cell::new(0),
            ended: Cell::new(false),
            len: Cell::new(0),
            numbers: [const { Cell::new(0) }; KEPT],
        }
    };
    static AT_EXIT: GiveBack = const { GiveBack };
}

/// Gives the thread's list back when the thread ends.
struct GiveBack;

impl Drop for GiveBack {
    fn drop(&mut self) {
        let _ = MINE.try_with(|mine| {
            mine.ended.set(true);
            if mine.generation.get() == fork::generation() {
                pool().put(mine, mine.len.get());
            }
        });
    }
}

/// The free slots that are no thread's.
#[derive(Debug)]
struct Pool {
    free: Mutex<Free>,
    /// How many there are, those never used included; for who asks without the lock.
    available: AtomicUsize,
}

#[derive(Debug)]
struct Free {
    /// Room for every slot from the start: nothing is allocated under the lock.
    returned: Box<[SlotNumber]>,
    len: usize,
    /// Slots from here on were never used.
    fresh: usize,
}

static POOL: PerProcess<Pool> = PerProcess::new();

fn pool() -> &'static Pool {
    POOL.get_or_init(|| Pool {
        free: Mutex::new(Free { returned: vec![0; MAX_TRAILS].into_boxed_slice(), len: 0, fresh: 0 }),
        available: AtomicUsize::new(MAX_TRAILS),
    })
}

impl Pool {
    fn lock(&self) -> MutexGuard<'_, Free> {
        self.free.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Moves up to `count` free slots into a thread's list.
    fn get(&self, mine: &Kept, count: usize) {
        let mut free = self.lock();
        for _ in 0..count {
            let number = if free.len > 0 {
                free.len -= 1;
                free.returned[free.len]
            } else if free.fresh < MAX_TRAILS {
                free.fresh += 1;
                (free.fresh - 1) as SlotNumber
            } else {
                break;
            };
            mine.push(number);
        }
        self.available.store(free.len + MAX_TRAILS - free.fresh, Ordering::Relaxed);
    }

    /// Moves `count` slots from a thread's list to the free ones.
    fn put(&self, mine: &Kept, count: usize) {
        let mut free = self.lock();
        for _ in 0..count {
            let Some(number) = mine.pop() else { break };
            free.push(number);
        }
        self.available.store(free.len + MAX_TRAILS - free.fresh, Ordering::Relaxed);
    }
}

impl Free {
    fn push(&mut self, number: SlotNumber) {
        self.returned[self.len] = number;
        self.len += 1;
    }
}

impl Kept {
    fn push(&self, number: SlotNumber) {
        let len = self.len.get();
        self.numbers[len].set(number);
        self.len.set(len + 1);
    }

    fn pop(&self) -> Option<SlotNumber> {
        let len = self.len.get().checked_sub(1)?;
        self.len.set(len);
        Some(self.numbers[len].get())
    }

    /// Forgets slots of the parent of a fork.
    fn refresh(&self) {
        let generation = fork::generation();
        if self.generation.get() != generation {
            self.len.set(0);
            self.generation.set(generation);
        }
    }
}

/// Takes a free slot; `None` when all are in use or kept by other threads.
///
/// # Cost
/// A few plain loads and stores; one time in 64 a short lock.
pub(super) fn take() -> Option<SlotNumber> {
    MINE.try_with(|mine| {
        mine.refresh();
        if mine.len.get() == 0 {
            // Registers the destructor of a thread that has something to give back.
            let _ = AT_EXIT.try_with(|_| ());
            pool().get(mine, if mine.ended.get() { 1 } else { BATCH });
        }
        mine.pop()
    })
    .ok()
    .flatten()
}

/// Gives a slot back. It must be free: its trail is out.
pub(super) fn give(number: SlotNumber) {
    let _ = MINE.try_with(|mine| {
        mine.refresh();
        if mine.len.get() == KEPT {
            pool().put(mine, BATCH);
        }
        mine.push(number);
        if mine.ended.get() {
            pool().put(mine, 1);
        } else if mine.len.get() == 1 {
            let _ = AT_EXIT.try_with(|_| ());
        }
    });
}

/// True if at least half of all slots are free, those that threads keep not counted.
pub(crate) fn is_half_free() -> bool {
    POOL.get().is_none_or(|pool| pool.available.load(Ordering::Relaxed) >= MAX_TRAILS / 2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slots_come_back_from_threads_that_are_gone() {
        let rounds = if cfg!(miri) { 20 } else { 2_000 };
        for _ in 0..rounds {
            let taken: Vec<SlotNumber> =
                std::thread::spawn(|| (0..70).filter_map(|_| take()).collect()).join().unwrap();
            assert_eq!(taken.len(), 70, "threads that ended keep nothing");
            taken.into_iter().for_each(give);
        }
    }
}
