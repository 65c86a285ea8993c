//! From the bytes of a log to what is said in it: which causes are mentioned, with which figures, and their trails.
//!
//! Nothing here opens a file or writes a line, and no bytes make it panic. `scanner` finds the lines that matter,
//! `desk` puts together what belongs together, the parsers (`ours`, `netty`, `json`) read one line each.

mod ansi;
mod block;
mod collector;
mod desk;
mod envelope;
mod escape;
mod id;
mod json;
mod kind;
mod moment;
mod netty;
mod ours;
mod refusals;
mod scanner;
mod sighting;
mod tally;
mod words;

pub(crate) use id::CauseId;
pub(crate) use kind::Kind;
pub(crate) use moment::Moment;
pub(crate) use scanner::Scanner;
pub(crate) use sighting::{Figure, Listener, Sighting, Source, Totals, Trail};
pub(crate) use tally::Tally;
