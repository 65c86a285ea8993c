//! The fields of each kind of data. Every pattern names all fields, so that one that is added cannot be left out.

use super::value::{Hex, Millis, Moment, Object, Shown, Value};
use crate::level::Level;
use crate::report::{
    Access, AccessRecord, Discarded, ExitSummary, Fate, Fingerprint, Form, Frame, LastTouch, LeakReport, Limited,
    Observation, Origin, Pressure, Recent, Reference, ReferenceState, Refusal, Seen, Site, SiteStats, Span, TrailDepth,
    Verdict,
};

pub(super) fn report(line: &mut Object<'_>, report: &LeakReport) {
    let LeakReport {
        verdict,
        resource,
        site,
        fingerprint,
        count,
        created,
        bytes,
        fate,
        level,
        form,
        dropped_at,
        records,
        references,
        references_omitted,
        discarded_records,
        target_records,
        trail,
        promoted,
        unwinding,
        observation,
        at,
    } = report;
    line.field("verdict", verdict).field("resource", resource).field("site", site).field("fingerprint", fingerprint);
    line.field("count", *count).field("created", *created).field("bytes", *bytes).field("fate", fate);
    line.field("level", level).field("form", form).field("dropped_at", dropped_at).field("records", records);
    line.field("references", references).field("references_omitted", *references_omitted);
    line.field("discarded_records", *discarded_records).field("target_records", *target_records).field("trail", trail);
    line.field("promoted", *promoted).field("unwinding", *unwinding);
    if observation.is_some() {
        line.field("observation", observation);
    }
    line.field("at", Moment(*at));
}

pub(super) fn refusal(line: &mut Object<'_>, refusal: &Refusal) {
    let Refusal {
        error,
        requested,
        used,
        limit,
        budget,
        kept,
        site,
        thread,
        waited,
        holders,
        abandoned,
        lost,
        suppressed,
        level,
    } = refusal;
    line.field("error", error).field("requested", *requested).field("used", *used).field("limit", *limit);
    if budget.is_some() {
        line.field("budget", budget);
    }
    if *kept > 0 {
        line.field("kept", *kept);
    }
    line.field("site", site).field("thread", thread).field("waited_ms", Millis(*waited)).field("holders", holders);
    line.field("abandoned", *abandoned).field("lost", lost).field("suppressed", *suppressed).field("level", level);
}

pub(super) fn summary(line: &mut Object<'_>, summary: &ExitSummary) {
    let ExitSummary {
        level,
        uptime,
        created,
        released,
        leaked,
        leaked_bytes,
        live,
        untracked,
        causes,
        live_sites,
        reports_dropped,
        discarded,
        faults,
        resident,
    } = summary;
    line.field("level", level).field("uptime_ms", Millis(*uptime)).field("created", *created);
    line.field("released", *released).field("leaked", *leaked).field("leaked_bytes", *leaked_bytes);
    line.field("live", *live).field("untracked", *untracked).field("causes", causes).field("live_sites", live_sites);
    line.field("reports_dropped", *reports_dropped).field("discarded", discarded).field("faults", *faults);
    line.field("resident", *resident);
}

pub(super) fn pressure(line: &mut Object<'_>, pressure: &Pressure) {
    let Pressure { of, mark, used, limit, holders, resident, level } = pressure;
    line.field("of", of).field("mark", u32::from(*mark)).field("used", *used).field("limit", *limit);
    line.field("holders", holders).field("resident", *resident).field("level", level);
}

/// A value that is an object.
macro_rules! object {
    ($type:ident { $($field:ident),* $(,)? } => |$object:ident| $fields:expr) => {
        impl Value for $type {
            fn write(&self, text: &mut String) {
                let $type { $($field),* } = self;
                let mut $object = Object::begin(text);
                $fields;
                $object.end();
            }
        }
    };
}

object!(Site { file, line, column } => |o| o.field("file", file).field("line", *line).field("column", *column));

object!(AccessRecord { access, hint, thread, span, after, at, unwinding, frames, frames_cut } => |o| {
    o.field("access", access).field("hint", hint).field("thread", thread);
    if span.is_some() {
        o.field("span", span);
    }
    o.field("after_ms", Millis(*after)).field("at", Moment(*at)).field("unwinding", *unwinding);
    o.field("frames", frames).field("frames_cut", *frames_cut);
});

object!(Span { name, id } => |o| o.field("name", name).field("id", Hex(*id)));

object!(Frame { function, file, line, column, address, module, offset, build_id } => |o| {
    o.field("function", function).field("file", file).field("line", *line).field("column", *column);
    o.field("address", Hex(*address)).field("module", module).field("offset", Hex(*offset));
    if build_id.is_some() {
        o.field("build_id", build_id);
    }
});

object!(Reference { origin, site, state } => |o| {
    o.field("origin", origin).field("site", site).field("state", state)
});

object!(Recent { window, created, released } => |o| {
    o.field("window_ms", Millis(*window)).field("created", *created).field("released", *released)
});

object!(Discarded { trails, records, stacks, sites, fingerprints, reports, walks } => |o| {
    o.field("trails", *trails).field("records", *records).field("stacks", *stacks).field("sites", *sites);
    o.field("fingerprints", *fingerprints).field("reports", *reports).field("walks", *walks)
});

object!(LastTouch { place, ago } => |o| o.field("place", place).field("ago_ms", Millis(*ago)));

object!(Seen { trails, live } => |o| o.field("trails", *trails).field("live", *live));

impl Value for SiteStats {
    fn write(&self, text: &mut String) {
        let SiteStats {
            resource,
            site,
            origin,
            created,
            released,
            leaked,
            untracked,
            live_bytes,
            leaked_bytes,
            recent,
            nonzero_for,
        } = self;
        let mut object = Object::begin(text);
        object.field("resource", resource).field("site", site).field("origin", origin).field("created", *created);
        object.field("released", *released).field("leaked", *leaked).field("untracked", *untracked);
        // Computed, and what every reader wants.
        object.field("live", self.live()).field("live_bytes", *live_bytes).field("leaked_bytes", *leaked_bytes);
        object.field("recent", recent).field("nonzero_for_ms", nonzero_for.map(Millis));
        object.end();
    }
}

impl Value for Form {
    fn write(&self, text: &mut String) {
        match self {
            Form::Full => "full".write(text),
            Form::Line => "line".write(text),
            Form::Again { more, window, since } => variant(text, "again", |o| {
                o.field("more", *more).field("window_ms", Millis(*window)).field("since", Moment(*since));
            }),
        }
    }
}

impl Value for Observation {
    fn write(&self, text: &mut String) {
        match self {
            Observation::Growth { windows, window, created, released } => variant(text, "growth", |o| {
                o.field("windows", *windows).field("window_ms", Millis(*window));
                o.field("created", *created).field("released", *released);
            }),
            Observation::Held { age, threshold, last_touch, seen } => variant(text, "held", |o| {
                o.field("age_ms", Millis(*age)).field("threshold_ms", Millis(*threshold));
                o.field("last_touch", last_touch).field("seen", seen);
            }),
            Observation::CameBack { age } => variant(text, "came_back", |o| {
                o.field("age_ms", Millis(*age));
            }),
            Observation::Pinned { age, origin, part_bytes, whole_bytes, whole_site, seen } => {
                variant(text, "pinned", |o| {
                    o.field("age_ms", Millis(*age)).field("origin", origin).field("part_bytes", *part_bytes);
                    o.field("whole_bytes", *whole_bytes).field("whole_site", whole_site).field("seen", seen);
                });
            }
        }
    }
}

/// An object with one field, the name of a variant, which has the variant's fields.
fn variant(text: &mut String, name: &'static str, fields: impl FnOnce(&mut Object<'_>)) {
    let mut inner = String::new();
    let mut object = Object::begin(&mut inner);
    fields(&mut object);
    object.end();
    let mut object = Object::begin(text);
    object.field(name, Raw(&inner));
    object.end();
}

/// What is JSON already.
struct Raw<'a>(&'a str);

impl Value for Raw<'_> {
    fn write(&self, text: &mut String) {
        text.push_str(self.0);
    }
}

impl Value for Fingerprint {
    fn write(&self, text: &mut String) {
        Shown(self).write(text);
    }
}

impl Value for Level {
    fn write(&self, text: &mut String) {
        self.name().write(text);
    }
}

/// A value that is one of some words.
macro_rules! words {
    ($($type:ident { $($variant:ident => $word:literal),* $(,)? })*) => {
        $(impl Value for $type {
            fn write(&self, text: &mut String) {
                match self { $($type::$variant => $word),* }.write(text);
            }
        })*
    };
}

words! {
    Verdict {
        Unreleased => "unreleased",
        Outstanding => "outstanding",
        Growing => "growing",
        HeldTooLong => "held_too_long",
        Pinned => "pinned",
    }
    Limited { Budget => "budget", ControlGroup => "control_group" }
    Fate { GivenBack => "given_back", StillOut => "still_out", DroppedWithHandle => "dropped_with_handle" }
    TrailDepth { None => "none", CreationOnly => "creation_only", Full => "full" }
    Access { Created => "created", Touched => "touched", Dropped => "dropped" }
    Origin { Created => "created", Retained => "retained", Sliced => "sliced" }
    ReferenceState { Live => "live", Released => "released", Lost => "lost" }
}
