//! Where reports end: the log, file descriptor 2, a closure.
//!
//! The trait is [`Sink`](crate::report::Sink), one floor below. [`Outlet`] is the one that every detector has: the log, or
//! standard error when no logger would show anything.

mod closure;
mod outlet;
mod setting_warning;
mod standard_error;
mod test_output;

pub(crate) use closure::ClosureSink;
pub(crate) use outlet::{Outlet, TARGET};
pub(crate) use setting_warning::{echo, warn_about};
pub(crate) use test_output::print;
