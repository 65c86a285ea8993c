//! The lines of the report file: the fields that feature `serde` gives, behind those of the line itself.

use serde::Serialize;
use serde_json::{Value, from_str, json, to_value};

use super::*;
use crate::report::{Discarded, ExitSummary, JsonLine, Observation, Refusal, Span};

/// A line as another program reads it, without what every line has, which is checked.
fn fields(line: JsonLine<'_>, kind: &str) -> Value {
    let text = line.text(4711, at());
    assert!(text.ends_with('\n') && text.matches('\n').count() == 1, "{text}");
    let mut value: Value = from_str(&text).unwrap();
    let object = value.as_object_mut().unwrap();
    for (name, expected) in [("schema", json!(1)), ("kind", json!(kind)), ("pid", json!(4711))] {
        assert_eq!(object.remove(name), Some(expected), "{name}");
    }
    if kind != "report" {
        assert_eq!(object.remove("at"), Some(json!("2026-11-20T03:12:44.200Z")));
    }
    value
}

#[track_caller]
fn assert_same(line: JsonLine<'_>, kind: &str, data: &impl Serialize) {
    assert_eq!(fields(line, kind), to_value(data).unwrap());
}

fn holder() -> SiteStats {
    let mut holder = stats("ByteBuf", site("src/filters.rs", 41, 22), 3, 4096);
    (holder.created, holder.released, holder.leaked, holder.untracked, holder.leaked_bytes) = (9, 1, 2, 3, 64);
    holder.recent = last_minute(3, 1);
    holder.nonzero_for = Some(Duration::from_millis(64_001));
    holder
}

#[test]
fn a_line_says_first_what_it_is() {
    let text = JsonLine::Report(&untraced()).text(4711, at());
    assert!(text.starts_with(r#"{"schema":1,"kind":"report","pid":4711,"verdict":"unreleased","#), "{text}");
}

#[test]
fn every_report_has_the_fields_that_serde_gives() {
    for report in [full(), untraced(), creation_only(), again()] {
        assert_same(JsonLine::Report(&report), "report", &report);
    }
    let mut bare = full();
    (bare.form, bare.verdict, bare.fate) = (Form::Line, Verdict::Outstanding, Fate::StillOut);
    let frame = &mut bare.records[0].frames[0];
    (frame.function, frame.file, frame.line, frame.column, frame.module) = (None, None, None, None, None);
    bare.records[1].frames[0].build_id = Some("5b1c".into());
    bare.records[0].span = Some(Span { name: "request".into(), id: 0x11 });
    bare.references[0].state = ReferenceState::Lost;
    bare.references.push(Reference { origin: Origin::Retained, site: site("a", 1, 2), state: ReferenceState::Live });
    assert_same(JsonLine::Report(&bare), "report", &bare);
    (bare.fate, bare.level) = (Fate::DroppedWithHandle, Level::Disabled);
    bare.references[0].origin = Origin::Sliced;
    assert_same(JsonLine::Report(&bare), "report", &bare);
}

#[test]
fn refusals_and_summaries_have_the_fields_that_serde_gives() {
    let refusal = Refusal {
        error: "failed to allocate 1 byte(s) of direct memory (used: 4096, max: 4096)".into(),
        requested: 1,
        used: 4096,
        limit: 4096,
        budget: None,
        kept: 0,
        site: site("src/codec.rs", 73, 18),
        thread: "worker-1".into(),
        waited: Duration::from_millis(511),
        holders: vec![holder(), stats("Permit", site("src/a.rs", 1, 2), 1, 0)],
        abandoned: 64,
        lost: vec![holder()],
        suppressed: 2,
        level: Level::Paranoid,
    };
    assert_same(JsonLine::Refusal(&refusal), "refusal", &refusal);
    let of_a_child = Refusal { budget: Some("tenant \"a\"".into()), kept: 17, ..refusal };
    assert_same(JsonLine::Refusal(&of_a_child), "refusal", &of_a_child);

    let discarded = Discarded { trails: 1, records: 2, stacks: 3, sites: 4, fingerprints: 5, reports: 6, walks: 7 };
    let summary = ExitSummary {
        level: Level::Simple,
        uptime: Duration::from_secs(3_725),
        created: 9,
        released: 1,
        leaked: 2,
        leaked_bytes: 64,
        live: 3,
        untracked: 3,
        causes: vec![(FINGERPRINT, holder())],
        live_sites: vec![holder()],
        reports_dropped: 7,
        discarded,
        faults: 8,
        resident: None,
    };
    assert_same(JsonLine::Summary(&summary), "summary", &summary);
    let in_memory = ExitSummary { resident: Some(851_443_712), ..summary };
    assert_same(JsonLine::Summary(&in_memory), "summary", &in_memory);
}

#[test]
fn what_is_alive_has_the_fields_that_serde_gives() {
    let [grown, grown_on] = observation::growing_on();
    for report in [grown, grown_on, observation::held(), observation::held_sampled(), observation::came_back()] {
        assert_same(JsonLine::Report(&report), "report", &report);
    }
    let mut pinned = observation::pinned();
    assert_same(JsonLine::Report(&pinned), "report", &pinned);
    let Some(Observation::Pinned { whole_site, .. }) = &mut pinned.observation else { unreachable!() };
    *whole_site = None;
    assert_same(JsonLine::Report(&pinned), "report", &pinned);
}

#[test]
fn a_limit_that_comes_near_has_the_fields_that_serde_gives() {
    for pressure in [pressure::near(), pressure::nearly_killed()] {
        assert_same(JsonLine::Pressure(&pressure), "pressure", &pressure);
    }
}

#[test]
fn a_line_is_read_as_a_report() {
    let report = full();
    let line = JsonLine::Report(&report).text(1, at());
    assert_eq!(from_str::<LeakReport>(&line).unwrap(), report);
}

#[test]
fn what_comes_from_outside_stays_within_its_text() {
    let mut report = full();
    report.resource = "x\"},{\"kind\":\"forged\"}\n{\"schema\":1".into();
    report.records[1].hint = Some("\u{0}\u{1b}[2J\u{9b}\u{2028}\\\"\n".into());
    assert_same(JsonLine::Report(&report), "report", &report);
}
