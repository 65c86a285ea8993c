//! Where a tree of budgets has its line: one lock for all who wait, and a flag for all who need not ask.

use std::fmt;
use std::sync::{Arc, PoisonError};

use super::call::Call;
use super::line::{Kept, Line, Payer};
use crate::clock::Stamp;
use crate::fork::{self, PerProcess};
use crate::sync::{AtomicBool, Mutex, Ordering};

/// The line, and whether anybody stands in it.
///
/// Nobody misses the bytes that he waits for, without a lock on the way of who gives back while nobody waits:
///
/// ```text
/// who waits:       waiting := true;  used += 0 (a read-modify-write, AcqRel);  look whether it fits
/// who gives back:  used -= bytes (AcqRel);                                     waiting? then serve
/// ```
///
/// The two read-modify-writes of `used` have an order. If the waiter's comes second it sees the bytes. If it comes first,
/// the other one reads what it wrote (or what later read-modify-writes made of it), so the flag is seen.
pub(super) struct Room<P> {
    waiting: AtomicBool,
    /// Each process its own: the lock may be held as another thread forks, and a child has nobody who waits.
    line: PerProcess<Mutex<Line<P>>>,
}

impl<P: Payer> Room<P> {
    pub(super) fn new() -> Room<P> {
        Room { waiting: AtomicBool::new(false), line: PerProcess::new() }
    }

    /// The room of a budget that stands in another one's line: nobody ever waits here, and everybody has to ask there.
    pub(super) fn elsewhere() -> Room<P> {
        Room { waiting: AtomicBool::new(true), line: PerProcess::new() }
    }

    /// False if nobody waits. One load.
    #[inline]
    pub(super) fn is_anybody_waiting(&self) -> bool {
        // Relaxed: ordered by the read-modify-writes of `used`, see above. True in vain costs a lock, as in a forked child.
        self.waiting.load(Ordering::Relaxed)
    }

    /// Puts a request into the line, and serves whoever can be. `look` is the waiter's read-modify-write.
    pub(super) fn enter(&self, payer: &Arc<P>, bytes: u64, call: Arc<Call>, look: impl FnOnce()) -> u64 {
        fork::watch();
        self.with_line(|line, _| {
            let number = line.enter(payer, bytes, Stamp::now(), call);
            self.waiting.store(true, Ordering::Relaxed);
            look();
            number
        })
    }

    /// Bytes came back: serves whoever can be.
    #[cold]
    pub(super) fn serve(&self) {
        self.with_line(|_, _| ());
    }

    /// Does something with the line, in which nobody stands who could be served, and what is kept for those who cannot.
    /// Then serves once more, and wakes everybody who has been served, when the lock is free again.
    pub(super) fn with_line<R>(&self, work: impl FnOnce(&mut Line<P>, Vec<Kept>) -> R) -> R {
        let line = self.line.get_or_init(|| Mutex::new(Line::new()));
        let mut line = line.lock().unwrap_or_else(PoisonError::into_inner);
        let kept = line.serve();
        let result = work(&mut line, kept);
        line.serve();
        let anybody = !line.is_empty();
        if self.waiting.load(Ordering::Relaxed) != anybody {
            self.waiting.store(anybody, Ordering::Relaxed);
        }
        let answered = line.take_answered();
        drop(line);
        answered.iter().for_each(|call| call.ring());
        result
    }
}

impl<P> fmt::Debug for Room<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Room").field("waiting", &self.waiting).finish_non_exhaustive()
    }
}
