//! What leaktrail has to say, as plain data, and how it reads.
//!
//! Every type here owns what it shows: no address, no lock, nothing of the detector that made it. So a report can be
//! kept, sent, stored as JSON (feature `serde`) and read again by a program that tracks nothing. [`Sink`] is where
//! reports go. The texts are the `Display` of the types, made in `text/` alone; what comes from outside (hints, names,
//! files) is escaped there, so that nothing can forge a line.

mod access;
mod discarded;
mod escape;
mod exit_summary;
mod fate;
mod fingerprint;
mod form;
mod frame;
mod hint;
#[cfg(feature = "serde")]
mod json;
mod json_line;
mod leak_report;
mod metrics;
mod moment;
mod observation;
mod origin;
mod path;
mod pressure;
mod reference;
mod refusal;
mod severity;
mod sink;
mod site;
mod site_stats;
mod snapshot;
mod source_root;
mod span;
mod text;
mod verdict;

pub use access::{Access, AccessRecord};
pub use discarded::Discarded;
pub use exit_summary::ExitSummary;
pub use fate::Fate;
pub use fingerprint::{Fingerprint, ParseFingerprintError};
pub use form::{Form, TrailDepth};
pub use frame::Frame;
pub use hint::Hint;
pub use leak_report::LeakReport;
pub use metrics::Metrics;
pub use observation::{LastTouch, Observation, Seen};
pub use origin::Origin;
pub use pressure::{Limited, Pressure};
pub use reference::{Reference, ReferenceState};
pub use refusal::Refusal;
pub use severity::Severity;
pub use sink::Sink;
pub use site::Site;
pub use site_stats::{Recent, SiteStats};
pub use snapshot::Snapshot;
pub(crate) use snapshot::Watched;
pub use span::Span;
pub use verdict::Verdict;

pub(crate) use escape::Escaped;
pub(crate) use json_line::JsonLine;
pub(crate) use metrics::BudgetFigures;
#[cfg(feature = "metrics")]
pub(crate) use metrics::Kind;
pub(crate) use path::normalise_foreign;
pub(crate) use source_root::relate;
pub(crate) use text::{MoreRefusals, Spelled};
