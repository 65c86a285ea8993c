//! How deep a recorded stack may be.

use std::fmt;

/// How many frames of a stack are kept: 1 to 128, by default 32.
///
/// # Examples
///
/// ```
/// use leaktrail::FrameLimit;
///
/// assert_eq!(FrameLimit::new(64).map(FrameLimit::get), Some(64));
/// assert_eq!(FrameLimit::new(0), None);
/// assert_eq!(FrameLimit::new(129), None);
/// assert_eq!(FrameLimit::default().get(), 32);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FrameLimit(u8);

impl FrameLimit {
    /// One frame: the caller itself.
    pub const MIN: FrameLimit = FrameLimit(1);

    /// The deepest stack that is ever captured.
    ///
    /// Captured into an array on the thread's own stack, 8 bytes a frame: 1 KiB, which every thread can spare.
    pub const MAX: FrameLimit = FrameLimit(128);

    /// Enough to leave a framework's frames and reach the user's, at 256 bytes a stack.
    pub const DEFAULT: FrameLimit = FrameLimit(32);

    /// The limit of `frames` frames; `None` unless it is 1 to 128.
    #[must_use]
    pub const fn new(frames: u8) -> Option<FrameLimit> {
        if FrameLimit::MIN.0 <= frames && frames <= FrameLimit::MAX.0 { Some(FrameLimit(frames)) } else { None }
    }

    /// The number of frames.
    #[must_use]
    pub const fn get(self) -> u8 {
        self.0
    }
}

impl Default for FrameLimit {
    fn default() -> FrameLimit {
        FrameLimit::DEFAULT
    }
}

impl fmt::Display for FrameLimit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
