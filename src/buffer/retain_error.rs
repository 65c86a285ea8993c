//! The error of a reference count that is at its end.

use std::fmt;

/// One more reference was asked for where no more can be counted.
///
/// Displayed as Netty's `IllegalReferenceCountException` is: `refCnt: 2147483647, increment: 1`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RetainError {
    pub(super) ref_cnt: u32,
}

impl RetainError {
    /// How many references there were.
    #[must_use]
    pub fn ref_cnt(&self) -> u32 {
        self.ref_cnt
    }
}

impl fmt::Display for RetainError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "refCnt: {}, increment: 1", self.ref_cnt)
    }
}

impl std::error::Error for RetainError {}
