//! The report of one cause.

use std::sync::Arc;
use std::time::SystemTime;

use super::{AccessRecord, Fate, Fingerprint, Form, Observation, Reference, Severity, Site, TrailDepth, Verdict};
use crate::level::Level;

/// The report of one cause: who was lost, where it was made, how often, and the trail of the newest one. Or who is alive and
/// looks as if it would stay: then there is an [`observation`](LeakReport::observation), and the figures and the trail are of
/// what is alive.
///
/// A cause is a resource, a verdict and a site; all losses of one cause have one [`fingerprint`](LeakReport::fingerprint)
/// and one running [`count`](LeakReport::count). `Display` is the text of the log, as `docs/REPORT-FORMAT.md` has it,
/// without a newline at its end. With feature `serde` it is also JSON.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct LeakReport {
    pub(crate) verdict: Verdict,
    pub(crate) resource: Arc<str>,
    pub(crate) site: Site,
    pub(crate) fingerprint: Fingerprint,
    /// Lost so far.
    pub(crate) count: u64,
    /// Created at this site so far.
    pub(crate) created: u64,
    /// Bytes of what was lost so far.
    pub(crate) bytes: u64,
    pub(crate) fate: Fate,
    pub(crate) level: Level,
    pub(crate) form: Form,
    /// `src/filters.rs:57:9`, or the name of a function; see `Frame::place`. Not escaped.
    pub(crate) dropped_at: Option<Arc<str>>,
    /// Newest first: the drop, the touches, the creation.
    pub(crate) records: Vec<AccessRecord>,
    pub(crate) references: Vec<Reference>,
    /// References that are not listed.
    pub(crate) references_omitted: u64,
    pub(crate) discarded_records: u64,
    pub(crate) target_records: u32,
    pub(crate) trail: TrailDepth,
    /// How many of the site's next handles get a full trail because of this one; 0 for none.
    pub(crate) promoted: u32,
    pub(crate) unwinding: bool,
    /// For the verdicts about what is alive. Absent in reports of a loss.
    #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "Option::is_none"))]
    pub(crate) observation: Option<Observation>,
    #[cfg_attr(feature = "serde", serde(with = "crate::report::json::rfc3339"))]
    pub(crate) at: SystemTime,
}

impl LeakReport {
    /// What is held against the handle.
    pub fn verdict(&self) -> Verdict {
        self.verdict
    }

    /// The name of the resource. Not escaped.
    pub fn resource(&self) -> &str {
        &self.resource
    }

    /// Where the lost handles were made.
    pub fn site(&self) -> &Site {
        &self.site
    }

    /// The stable id of the cause.
    pub fn fingerprint(&self) -> Fingerprint {
        self.fingerprint
    }

    /// How many of this cause there were up to this report. Exact. Of what is alive: how many are now; below PARANOID the
    /// count of those held too long or pinning is of those that have a trail.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// How many handles the site had made up to this report. Exact.
    pub fn created(&self) -> u64 {
        self.created
    }

    /// The bytes of all of this cause up to this report; 0 when the handles were not given a size.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// What became of the resource.
    pub fn fate(&self) -> Fate {
        self.fate
    }

    /// The level that decided what was recorded: in force when the newest loss was created if it has a trail, else when it was
    /// lost.
    pub fn level(&self) -> Level {
        self.level
    }

    /// How much of it is written to the log.
    pub fn form(&self) -> Form {
        self.form
    }

    /// Where the handle was dropped: a place or the name of a function. `None` without a record of the drop. Not escaped.
    pub fn dropped_at(&self) -> Option<&str> {
        self.dropped_at.as_deref()
    }

    /// What was recorded of the newest loss, newest record first, the drop and the creation included.
    pub fn records(&self) -> &[AccessRecord] {
        &self.records
    }

    /// How many accesses happened that [`records`](LeakReport::records) does not have.
    pub fn discarded_records(&self) -> u64 {
        self.discarded_records
    }

    /// How much was recorded of the newest loss.
    pub fn trail(&self) -> TrailDepth {
        self.trail
    }

    /// The other references to the same buffer, up to a bound.
    pub fn references(&self) -> &[Reference] {
        &self.references
    }

    /// How many other references there are that [`references`](LeakReport::references) does not have.
    pub fn references_omitted(&self) -> u64 {
        self.references_omitted
    }

    /// Whether the newest loss happened while its thread was unwinding from a panic.
    pub fn is_unwinding(&self) -> bool {
        self.unwinding
    }

    /// What was seen, where the report is about handles that are alive.
    pub fn observation(&self) -> Option<&Observation> {
        self.observation.as_ref()
    }

    /// When the report was made. When the newest loss happened is in [`records`](LeakReport::records), if its drop was recorded.
    pub fn at(&self) -> SystemTime {
        self.at
    }

    /// How loudly it is said: a loss is an error, one while unwinding a warning; what looks as if it were kept is a warning, what
    /// is only alive or has come back information.
    pub fn severity(&self) -> Severity {
        match self.verdict {
            Verdict::Unreleased if self.unwinding => Severity::Warn,
            Verdict::Unreleased => Severity::Error,
            Verdict::Outstanding => Severity::Info,
            Verdict::HeldTooLong if matches!(self.observation, Some(Observation::CameBack { .. })) => Severity::Info,
            Verdict::Growing | Verdict::HeldTooLong | Verdict::Pinned => Severity::Warn,
        }
    }
}
