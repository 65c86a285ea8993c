//! The text of a [`LeakReport`].

use std::fmt;

use super::observation::write_observation;
use super::{Clock, Escaped, Rfc3339, Spelled, len};
use crate::report::{Access, AccessRecord, Fate, Form, LeakReport, Reference, Span, TrailDepth, Verdict};

impl LeakReport {
    /// The first line alone. It tells who, where and how many without the rest.
    pub fn first_line(&self) -> String {
        FirstLine(self).to_string()
    }
}

impl fmt::Display for LeakReport {
    /// The report as it is logged, in its [`form`](LeakReport::form), without a newline at the end.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", FirstLine(self))?;
        match self.form {
            Form::Full => self.write_trail(f),
            Form::Line | Form::Again { .. } => Ok(()),
        }
    }
}

struct FirstLine<'a>(&'a LeakReport);

impl fmt::Display for FirstLine<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.0.verdict, self.0.form) {
            (Verdict::Outstanding, _) => self.write_live(f),
            (Verdict::Unreleased, Form::Again { .. }) => self.write_again(f),
            (Verdict::Unreleased, Form::Full | Form::Line) => self.write_leak(f),
            (Verdict::Growing | Verdict::HeldTooLong | Verdict::Pinned, _) => write_observation(self.0, f),
        }
    }
}

impl FirstLine<'_> {
    fn write_leak(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let report = self.0;
        write!(
            f,
            "LEAK: {}.release() was not called before it was dropped. created {}, dropped {}, {} of {} lost, {}, \
             level {}, fp={}",
            Escaped(&report.resource),
            report.site,
            Escaped(report.dropped_at.as_deref().unwrap_or("unknown")),
            report.count,
            report.created,
            Became(report.fate, report.bytes),
            report.level,
            report.fingerprint,
        )?;
        // No full stop before it: `fp=` and its digits are one word in every line.
        match (report.trail, report.promoted) {
            (TrailDepth::None, more @ 1..) => {
                write!(f, " No trail for this one; the next {more} from this site will have one.")
            }
            (TrailDepth::CreationOnly, more @ 1..) => {
                write!(f, " Only its creation was recorded; the next {more} from this site will have a full trail.")
            }
            (TrailDepth::None | TrailDepth::CreationOnly, 0) | (TrailDepth::Full, _) => Ok(()),
        }
    }

    fn write_again(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let report = self.0;
        write!(
            f,
            "LEAK: {} again: created {}, {} of {} lost",
            Escaped(&report.resource),
            report.site,
            report.count,
            report.created
        )?;
        if let Form::Again { more, window, since } = report.form {
            write!(f, " (+{more} in {}), {}", Spelled(window), Became(report.fate, report.bytes))?;
            write!(f, ", since {}", Clock(since))?;
        }
        write!(f, ", fp={}", report.fingerprint)
    }

    fn write_live(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let report = self.0;
        write!(
            f,
            "LIVE: {} live, {} B, {} created {}, level {}, fp={}",
            report.count,
            report.bytes,
            Escaped(&report.resource),
            report.site,
            report.level,
            report.fingerprint
        )
    }
}

/// `4096 B given back`, or the words alone for what has no size.
struct Became(Fate, u64);

impl fmt::Display for Became {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.1 {
            0 => f.write_str(self.0.words()),
            bytes => write!(f, "{bytes} B {}", self.0.words()),
        }
    }
}

impl LeakReport {
    /// What follows the first line. Each piece begins with its own newline.
    fn write_trail(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.records.is_empty() {
            // Netty's text has this head even when nothing follows, and its parsers wait for it.
            f.write_str("\nRecent access records:")?;
        }
        let is_creation = |record: &&AccessRecord| record.access == Access::Created;
        for (index, record) in self.records.iter().filter(|record| !is_creation(record)).enumerate() {
            write!(f, "\n#{}:", index + 1)?;
            write_record(record, f)?;
        }
        for record in self.records.iter().filter(is_creation) {
            f.write_str("\nCreated at:")?;
            write_record(record, f)?;
        }
        self.write_references(f)?;
        self.write_modules(f)?;
        if self.discarded_records > 0 {
            write!(
                f,
                "\n: {} leak records were discarded because the leak record count is targeted to {}. \
                 Use LEAK_DETECTION_TARGET_RECORDS to increase the limit.",
                self.discarded_records, self.target_records
            )?;
        }
        Ok(())
    }

    fn write_references(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if len(&self.references) + self.references_omitted == 0 {
            return Ok(());
        }
        f.write_str("\nOther references:")?;
        for Reference { origin, site, state } in &self.references {
            write!(f, "\n\t{} {site}, {}", origin.word(), state.words())?;
        }
        match self.references_omitted {
            0 => Ok(()),
            more => write!(f, "\n\tand {more} more"),
        }
    }
}

impl LeakReport {
    /// The modules whose frames have no names, each once, for who looks for the names elsewhere.
    fn write_modules(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let frames = self.records.iter().flat_map(|record| &record.frames).filter(|frame| frame.function.is_none());
        let mut modules: Vec<(&str, &str)> = Vec::new();
        for module in frames.filter_map(|frame| Some((frame.module()?, frame.build_id()?))) {
            if !modules.contains(&module) {
                modules.push(module);
            }
        }
        f.write_str(if modules.is_empty() { "" } else { "\nModules:" })?;
        modules.iter().try_for_each(|(name, id)| write!(f, "\n\t{}, build id {}", Escaped(name), Escaped(id)))
    }
}

fn write_record(record: &AccessRecord, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    if let Some(hint) = &record.hint {
        write!(f, "\n\tHint: {}", Escaped(hint))?;
    }
    match record.access {
        Access::Created => write!(f, "\n\t({}", Rfc3339(record.at))?,
        Access::Touched | Access::Dropped => write!(f, "\n\t({} +{}", record.access.word(), Spelled(record.after))?,
    }
    write!(f, ", thread {}", Escaped(&record.thread))?;
    if let Some(Span { name, id }) = &record.span {
        write!(f, ", span {} {id:#x}", Escaped(name))?;
    }
    f.write_str(if record.unwinding { ", unwinding)" } else { ")" })?;
    for frame in &record.frames {
        write!(f, "\n\t{frame}")?;
    }
    if record.frames_cut { f.write_str("\n\t... (deeper frames were not recorded)") } else { Ok(()) }
}
