//! Stands for the fast walkers where there are none: every walk is the reference's.

use super::ground::captured::Captured;
use super::ground::reference;
use crate::config::Walker;

/// The walker that is the fastest here.
pub(super) const FASTEST: Walker = Walker::Backtrace;

/// Where a walk begins: where `backtrace` wants.
#[derive(Clone, Copy, Debug)]
pub(super) struct Start;

impl Start {
    pub(super) fn here() -> Start {
        Start
    }
}

/// Walks by the reference.
pub(super) fn walk(_walker: Walker, start: Start, stack: &mut Captured) -> bool {
    by_reference(start, stack);
    true
}

/// Walks by the reference.
pub(super) fn by_reference(_start: Start, stack: &mut Captured) {
    reference::walk(None, stack);
}

/// The fastest walker that can be had here.
pub(super) fn best() -> Walker {
    Walker::Backtrace
}

/// Whether that walker can be had.
pub(super) fn can(_walker: Walker) -> bool {
    false
}

/// Walks that were found to be wrong.
pub(super) fn wrong_walks() -> u64 {
    0
}
