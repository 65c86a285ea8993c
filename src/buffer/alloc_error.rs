//! The error of an allocation.

use std::fmt;

use crate::memory::OutOfDirectMemory;

/// A buffer could not be made, or could not grow.
///
/// Displayed, it is the error of whoever refused, so that a log shows Netty's text for a budget that is used up.
#[derive(Clone, Debug)]
pub enum AllocError {
    /// The budget refused. Memory may be there; what was agreed upon is used up.
    Budget(OutOfDirectMemory),
    /// The system refused, or no address space could hold so much. What was reserved has been given back.
    System {
        /// The bytes that the system was asked for; for a buffer that was to grow, all of them.
        requested: usize,
    },
}

impl AllocError {
    /// What a reservation for `requested` bytes of memory failed with. A budget without a limit refuses only what no
    /// address space holds, so then it is not the budget that is too small.
    pub(super) fn refused(error: OutOfDirectMemory, requested: usize) -> AllocError {
        match error.limit() {
            Some(_) => AllocError::Budget(error),
            None => AllocError::System { requested },
        }
    }
}

impl fmt::Display for AllocError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            AllocError::Budget(error) => error.fmt(f),
            AllocError::System { requested } => {
                write!(f, "failed to allocate {requested} byte(s): the system has no such memory")
            }
        }
    }
}

/// No source: what a budget's error says, this one says already.
impl std::error::Error for AllocError {}

impl From<OutOfDirectMemory> for AllocError {
    fn from(error: OutOfDirectMemory) -> AllocError {
        AllocError::Budget(error)
    }
}
