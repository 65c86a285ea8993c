//! What trails and families may take, together with the stacks: what is left of 32 MiB in a process.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::fork::PerProcess;
use crate::stack::depot;

/// Memory of all trails and stacks of a process, in bytes: what is left of 32 MiB when that is taken off which is not
/// counted piece by piece, at its largest: the ledger (8,192 sites at 0.5 KiB), the free list of slots and the queue of
/// losses.
pub(crate) const MAX_BYTES: u64 = (32 << 20) - (8 << 20);

static CHARGED: PerProcess<AtomicU64> = PerProcess::new();

fn charged() -> &'static AtomicU64 {
    // Relaxed throughout: a figure and a cap, which may be passed by as much as threads that race charge at once.
    CHARGED.get_or_init(AtomicU64::default)
}

/// What is taken, in bytes.
pub(crate) fn taken() -> u64 {
    charged().load(Ordering::Relaxed) + depot::bytes()
}

/// True if so many bytes more fit.
pub(crate) fn has_room(bytes: u64) -> bool {
    taken() + bytes <= MAX_BYTES
}

/// Counts bytes as taken.
pub(super) fn charge(bytes: u64) {
    if bytes > 0 {
        charged().fetch_add(bytes, Ordering::Relaxed);
    }
}

/// Counts bytes as free again.
pub(super) fn refund(bytes: u64) {
    if bytes > 0 {
        charged().fetch_sub(bytes, Ordering::Relaxed);
    }
}
