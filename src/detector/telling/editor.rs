//! Makes reports of what was lost: resolves symbols, renders hints, trims stacks. Never on a thread that loses.

use std::hash::{Hash, Hasher};
use std::sync::Arc;
use std::time::SystemTime;

use crate::clock::Stamp;
use crate::config::{self, Symbols};
use crate::detector::state::Core;
use crate::detector::state::bulletin::Notice;
use crate::detector::state::casebook::Entry;
use crate::detector::state::losses::LostTrail;
use crate::hash::IdHasher;
use crate::ledger::row;
use crate::report::{
    Access, AccessRecord, Form, Frame, LeakReport, Reference, Site, Span, TrailDepth, Verdict, relate,
};
use crate::stack::{Symboliser, trim};
use crate::trail::{Family, Place, Record};

/// Bytes that the control group must have left for names: three times what the debug information of a large program takes.
const ENOUGH_FOR_NAMES: u64 = 128 << 20;

/// How many of the innermost user frames of creation and drop make a path.
const PATH_FRAMES: usize = 3;

/// The editor of one pass: a symboliser and the house style.
pub(super) struct Editor<'a> {
    core: &'a Core,
    symboliser: &'a mut Symboliser,
    /// Whether frames get names; asked for when the first one is to have one.
    symbols: Option<Symbols>,
}

impl<'a> Editor<'a> {
    pub(super) fn new(core: &'a Core, symboliser: &'a mut Symboliser) -> Editor<'a> {
        Editor { core, symboliser, symbols: None }
    }

    pub(super) fn core(&self) -> &'a Core {
        self.core
    }

    /// What tells two ways to lose a handle of one site apart: the innermost user frames of its creation and its drop.
    /// Touches and hints never enter.
    pub(super) fn path(&mut self, lost: &LostTrail) -> Option<u64> {
        if !lost.trail.is_full() {
            return None;
        }
        let mut hasher = IdHasher::default();
        for record in [Some(lost.trail.created()), lost.dropped.as_ref()].into_iter().flatten() {
            let frames = self.frames(&record.place);
            for frame in frames.iter().filter(|frame| trim::is_user(frame)).take(PATH_FRAMES) {
                (&frame.function, &frame.file, frame.line).hash(&mut hasher);
            }
            // Without a single name the addresses have to do.
            if let (true, Place::Stack(stack)) = (frames.iter().all(|frame| frame.function.is_none()), &record.place) {
                stack.addresses().hash(&mut hasher);
            }
        }
        Some(hasher.finish())
    }

    /// The report of an entry, with the trail of one loss if there is one.
    pub(super) fn report(&mut self, entry: &Entry, lost: Option<&LostTrail>, in_full: bool) -> Option<LeakReport> {
        let meta = row(entry.row).meta()?;
        let form = match entry.again {
            Some((more, window)) => Form::Again { more, window, since: entry.first_at.to_system_time() },
            None if in_full => Form::Full,
            None => Form::Line,
        };
        let mut records = Vec::new();
        if let Some(lost) = lost {
            let since = lost.trail.created().at;
            records.extend(lost.dropped.iter().map(|record| self.record(Access::Dropped, record, since)));
            let touches = lost.trail.accesses().iter().rev();
            records.extend(touches.map(|record| self.record(Access::Touched, record, since)));
            records.push(self.record(Access::Created, lost.trail.created(), since));
        }
        relate(&mut records, &meta.site);
        let dropped = records.iter().find(|record| record.access() == Access::Dropped);
        let dropped_at = dropped.and_then(|record| trim::nearest_user_frame(record.frames())).map(Frame::place);
        let trail = match lost {
            None => TrailDepth::None,
            Some(lost) if lost.trail.is_full() => TrailDepth::Full,
            Some(_) => TrailDepth::CreationOnly,
        };
        Some(LeakReport {
            verdict: Verdict::Unreleased,
            resource: meta.resource.clone(),
            site: meta.site.clone(),
            fingerprint: entry.fingerprint,
            count: entry.totals.lost,
            created: entry.totals.created,
            bytes: entry.totals.lost_bytes,
            fate: entry.facts.fate,
            level: entry.facts.level,
            form,
            dropped_at,
            records,
            references: lost.map(|lost| references(&lost.siblings)).unwrap_or_default(),
            references_omitted: lost.map_or(0, |lost| lost.siblings.omitted),
            discarded_records: lost.map_or(0, |lost| lost.trail.discarded()),
            target_records: self.core.config().configured_target_records(),
            trail,
            promoted: entry.facts.promoted,
            unwinding: entry.facts.unwinding,
            observation: None,
            at: SystemTime::now(),
        })
    }

    pub(super) fn record(&mut self, access: Access, record: &Record, since: Stamp) -> AccessRecord {
        let frames_cut = matches!(&record.place, Place::Stack(stack) if stack.is_cut());
        AccessRecord {
            access,
            hint: record.hint().map(|hint| Arc::from(hint.render())),
            thread: record.thread.name(),
            span: span(record),
            after: record.at.since(since),
            at: record.at.to_system_time(),
            unwinding: record.unwinding,
            frames: self.frames(&record.place),
            frames_cut,
        }
    }

    /// Whether this pass gives names: where memory is about to be short, what tells of it must not be what uses it up.
    fn symbols(&mut self) -> Symbols {
        *self.symbols.get_or_insert_with(|| {
            let configured = self.core.config().configured_symbols();
            let is_short = || config::memory_left().is_some_and(|left| left < ENOUGH_FOR_NAMES);
            if configured == Symbols::On && is_short() {
                self.core.state().bulletin.post(Notice::WithoutNames);
                Symbols::Off
            } else {
                configured
            }
        })
    }

    fn frames(&mut self, place: &Place) -> Vec<Frame> {
        match place {
            Place::Stack(stack) => {
                let max_frames = usize::from(self.core.config().configured_max_frames().get());
                let frames = match self.symbols() {
                    Symbols::On => self.symboliser.frames(*stack),
                    Symbols::Off => self.symboliser.bare_frames(*stack),
                };
                trim::trim(frames, max_frames)
            }
            Place::Line(location) => {
                let site = Site::from_location(location);
                vec![Frame {
                    function: None,
                    file: Some(site.file),
                    line: Some(site.line),
                    column: Some(site.column),
                    address: 0,
                    module: None,
                    offset: 0,
                    build_id: None,
                }]
            }
            Place::Unknown => Vec::new(),
        }
    }
}

/// The span of crate `tracing` in which an access happened.
#[cfg(feature = "tracing")]
fn span(record: &Record) -> Option<Span> {
    record.span().map(|span| Span { name: span.name.into(), id: span.id })
}

/// No span is known to this build.
#[cfg(not(feature = "tracing"))]
fn span(_record: &Record) -> Option<Span> {
    None
}

/// The siblings with their sites.
fn references(family: &Family) -> Vec<Reference> {
    let reference = |member: &crate::trail::family::Member| {
        let meta = row(member.row).meta().filter(|_| member.has_its_row())?;
        Some(Reference { origin: meta.origin, site: meta.site.clone(), state: member.state })
    };
    family.members.iter().filter_map(reference).collect()
}
