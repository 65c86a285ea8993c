//! How reports read. The words here are a contract: people grep for them, and programs parse them.
//!
//! `docs/REPORT-FORMAT.md` is the reader's side of it. One file for each thing that has a text, and `golden/` for
//! whole reports, written out.

mod duration;
mod exit_summary;
#[cfg(test)]
mod golden;
mod leak_report;
mod observation;
mod pressure;
mod refusal;
mod resident;
mod share;
mod snapshot;
mod time;

pub(crate) use duration::Spelled;
pub(crate) use refusal::MoreRefusals;

use share::Share;
use time::{Clock, Rfc3339};

use super::{Discarded, Escaped};

/// `1 more site`, `2 more sites`.
fn plural(count: u64, noun: &str) -> String {
    let ending = if count == 1 { "" } else { "s" };
    format!("{count} {noun}{ending}")
}

/// `12 trails, 1 stack`: what the caps kept out, each figure that is not 0. Empty when there is none.
fn discarded_figures(discarded: &Discarded) -> String {
    let figures: Vec<String> = discarded.figures().map(|(figure, noun)| plural(figure, noun)).collect();
    figures.join(", ")
}

/// What a detector that failed says, after its name.
fn switched_off(faults: u64) -> String {
    let faults = plural(faults, "internal fault");
    format!("switched off by {faults}; what was made after the first is not counted")
}

/// A count of a slice, in the type that all counts have.
fn len<T>(slice: &[T]) -> u64 {
    // No platform has a usize above 64 bits.
    slice.len() as u64
}
