//! Where reports end: the log, file descriptor 2, a file, a closure.
//!
//! The trait is [`Sink`](crate::report::Sink), one floor below. [`Outlet`] is the one that every detector has: the log, or
//! standard error when no logger would show anything.

mod closure;
mod directory;
mod logger;
mod outlet;
#[cfg(feature = "metrics")]
mod recorder;
mod report_file;
mod setting_warning;
mod standard_error;
mod target;
mod test_output;

pub(crate) use closure::ClosureSink;
pub(crate) use outlet::Outlet;
pub(crate) use setting_warning::{echo, warn_about};
pub(crate) use target::TARGET;
pub(crate) use test_output::print;
