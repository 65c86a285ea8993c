//! What was lost and is not reported yet.

use std::collections::{HashMap, VecDeque};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::clock::Stamp;
use crate::ledger::{RowId, row};
use crate::level::Level;
use crate::report::Fate;
use crate::trail::{Family, Record, Trail};

/// Lost handles with a trail that wait to be reported; the trails of more are discarded and counted.
pub(in crate::detector) const MAX_QUEUED: usize = 1_024;

/// The circumstances of one loss.
#[derive(Clone, Copy, Debug)]
pub(in crate::detector) struct Facts {
    pub(in crate::detector) fate: Fate,
    pub(in crate::detector) level: Level,
    pub(in crate::detector) unwinding: bool,
    /// How many of the site's next handles get a full trail.
    pub(in crate::detector) promoted: u32,
    pub(in crate::detector) at: Stamp,
}

/// One loss with what is known of it.
#[derive(Debug)]
pub(in crate::detector) struct Loss {
    pub(in crate::detector) row: RowId,
    pub(in crate::detector) facts: Facts,
    pub(in crate::detector) trail: Option<LostTrail>,
}

/// The trail of a lost handle.
#[derive(Debug)]
pub(in crate::detector) struct LostTrail {
    pub(in crate::detector) trail: Trail,
    /// The drop, where drops are recorded.
    pub(in crate::detector) dropped: Option<Record>,
    /// The other references of the buffer.
    pub(in crate::detector) siblings: Family,
}

/// The queue between the threads that lose and the one that reports.
#[derive(Debug, Default)]
pub(in crate::detector) struct Losses {
    queue: Mutex<Queue>,
    /// Something waits: what the reporter asks before it takes the lock.
    pending: AtomicBool,
    discarded: AtomicU64,
}

#[derive(Debug, Default)]
struct Queue {
    traced: VecDeque<Loss>,
    /// The sites that lost a handle, with the latest circumstances. At most as many as there are sites.
    rows: HashMap<RowId, Facts>,
}

impl Losses {
    /// Queues a loss that is counted already. True if whoever reports should be woken.
    ///
    /// # Cost
    /// A short lock; none for a loss without a trail at a site that waits to be reported anyway.
    pub(in crate::detector) fn push(&self, loss: Loss) -> bool {
        let first_of_row = row(loss.row).queue_loss();
        if !first_of_row && loss.trail.is_none() {
            return false;
        }
        // Dropped after the lock: a trail's hints may hold closures of the user's.
        let mut refused = None;
        {
            let mut queue = self.lock();
            queue.rows.insert(loss.row, loss.facts);
            if loss.trail.is_some() {
                if queue.traced.len() < MAX_QUEUED {
                    queue.traced.push_back(loss);
                } else {
                    refused = Some(loss);
                }
            }
        }
        if refused.is_some() {
            // Relaxed: a figure.
            self.discarded.fetch_add(1, Ordering::Relaxed);
        }
        // Release: pairs with the Acquire in `is_pending`; who sees the mark finds the loss.
        !self.pending.swap(true, Ordering::Release)
    }

    /// Takes everything that waits, in the order of the losses; a site whose losses had no trail comes once.
    pub(in crate::detector) fn take(&self) -> Vec<Loss> {
        self.pending.store(false, Ordering::Release);
        let Queue { traced, mut rows } = std::mem::take(&mut *self.lock());
        // The marks go before the counts are read: a loss from here on queues anew.
        for id in rows.keys() {
            row(*id).unqueue_loss();
        }
        for loss in &traced {
            rows.remove(&loss.row);
        }
        let mut untraced: Vec<Loss> = rows.into_iter().map(|(row, facts)| Loss { row, facts, trail: None }).collect();
        untraced.sort_by_key(|loss| (loss.facts.at, loss.row));
        untraced.into_iter().chain(traced).collect()
    }

    /// True if something waits.
    pub(in crate::detector) fn is_pending(&self) -> bool {
        self.pending.load(Ordering::Acquire)
    }

    /// Trails that were not kept since the queue was full.
    pub(in crate::detector) fn discarded(&self) -> u64 {
        self.discarded.load(Ordering::Relaxed)
    }

    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
