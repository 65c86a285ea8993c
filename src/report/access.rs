//! One access to a resource, as it is shown.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use super::{Frame, Span};

/// What kind of access a record is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "snake_case"))]
#[non_exhaustive]
pub enum Access {
    /// The handle was made.
    Created,
    /// The program said that it was here, with `touch` or `touch_with`.
    Touched,
    /// The handle was dropped without release.
    Dropped,
}

impl Access {
    /// The word that reports use: `created`, `touched`, `dropped`.
    pub fn word(self) -> &'static str {
        match self {
            Access::Created => "created",
            Access::Touched => "touched",
            Access::Dropped => "dropped",
        }
    }
}

/// One access to a resource: what, where, on which thread and when.
///
/// Times come from a coarse clock and are good to some milliseconds.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct AccessRecord {
    pub(crate) access: Access,
    pub(crate) hint: Option<Arc<str>>,
    pub(crate) thread: Arc<str>,
    #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "Option::is_none"))]
    pub(crate) span: Option<Span>,
    /// Since the creation; zero for the creation itself.
    #[cfg_attr(feature = "serde", serde(rename = "after_ms", with = "crate::report::json::millis"))]
    pub(crate) after: Duration,
    #[cfg_attr(feature = "serde", serde(with = "crate::report::json::rfc3339"))]
    pub(crate) at: SystemTime,
    pub(crate) unwinding: bool,
    /// The user's own line first.
    pub(crate) frames: Vec<Frame>,
    pub(crate) frames_cut: bool,
}

impl AccessRecord {
    /// What kind of access it was.
    pub fn access(&self) -> Access {
        self.access
    }

    /// What the program said about it, as it said it: at most 256 bytes, not escaped.
    pub fn hint(&self) -> Option<&str> {
        self.hint.as_deref()
    }

    /// The name of the thread. Not escaped.
    pub fn thread(&self) -> &str {
        &self.thread
    }

    /// The span of crate `tracing` that the thread was in, with feature `tracing`.
    pub fn span(&self) -> Option<&Span> {
        self.span.as_ref()
    }

    /// How long after the creation of the handle.
    pub fn after(&self) -> Duration {
        self.after
    }

    /// When, by the clock on the wall.
    pub fn at(&self) -> SystemTime {
        self.at
    }

    /// Where: the stack, innermost frame first. Frames of leaktrail, drop glue, start-up and unwinder are left out.
    pub fn frames(&self) -> &[Frame] {
        &self.frames
    }

    /// Whether the thread was unwinding from a panic.
    pub fn is_unwinding(&self) -> bool {
        self.unwinding
    }

    /// Whether the stack goes deeper than [`frames`](AccessRecord::frames) shows.
    pub fn is_truncated(&self) -> bool {
        self.frames_cut
    }
}
