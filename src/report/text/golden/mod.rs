//! Whole reports, written out: what stands here is what people grep for and what programs parse.
//!
//! Each sample is built as the detector would build it, and its text is compared with a literal, byte for byte. A
//! change here is a change of the format: it belongs into `docs/REPORT-FORMAT.md` and the changelog too.

mod documented;
mod exit_summary;
mod forgery;
#[cfg(feature = "serde")]
mod json;
#[cfg(feature = "serde")]
mod json_line;
mod leak_report;
mod metrics;
mod observation;
mod pressure;
mod refusal;
mod snapshot;

use std::time::{Duration, SystemTime};

use crate::level::Level;
use crate::report::{
    Access, AccessRecord, Fate, Fingerprint, Form, Frame, LeakReport, Origin, Recent, Reference, ReferenceState, Site,
    SiteStats, TrailDepth, Verdict,
};

const FINGERPRINT: Fingerprint = Fingerprint(0x5b1c_09e2_a4f7_d310);

fn site(file: &str, line: u32, column: u32) -> Site {
    Site { file: file.into(), line, column }
}

/// 2026-11-20T03:12:44Z, and some.
fn at() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_millis(1_795_144_364_200)
}

fn frame(function: &str, line: u32, column: u32) -> Frame {
    Frame {
        function: Some(function.into()),
        file: Some("src/filters.rs".into()),
        line: Some(line),
        column: Some(column),
        address: 0x55d0_c3a4_1f40,
        module: Some("gateway".into()),
        offset: 0x1f40,
        build_id: None,
    }
}

fn record(access: Access, millis: u64, frame: Frame) -> AccessRecord {
    AccessRecord {
        access,
        hint: None,
        thread: "worker-3".into(),
        span: None,
        after: Duration::from_millis(millis),
        at: at() + Duration::from_millis(millis),
        unwinding: false,
        frames: vec![frame],
        frames_cut: false,
    }
}

/// A buffer that a filter kept, touched once and dropped while its thread was unwinding.
fn full() -> LeakReport {
    let mut dropped = record(Access::Dropped, 12, frame("gateway::filters::log_body", 57, 9));
    dropped.unwinding = true;
    let mut touched = record(Access::Touched, 11, frame("gateway::filters::decode", 49, 13));
    touched.hint = Some("'decode' will handle the buffer from this point.".into());
    let created = record(Access::Created, 0, frame("gateway::filters::cache_body", 41, 22));
    LeakReport {
        verdict: Verdict::Unreleased,
        resource: "ByteBuf".into(),
        site: site("src/filters.rs", 41, 22),
        fingerprint: FINGERPRINT,
        count: 1,
        created: 5312,
        bytes: 4096,
        fate: Fate::GivenBack,
        level: Level::Advanced,
        form: Form::Full,
        dropped_at: Some("src/filters.rs:57:9".into()),
        records: vec![dropped, touched, created],
        references: vec![Reference {
            origin: Origin::Created,
            site: site("src/body.rs", 19, 14),
            state: ReferenceState::Released,
        }],
        references_omitted: 0,
        discarded_records: 2,
        target_records: 2,
        trail: TrailDepth::Full,
        promoted: 0,
        unwinding: true,
        observation: None,
        at: at() + Duration::from_millis(12),
    }
}

/// The same loss of a handle that was only counted.
fn untraced() -> LeakReport {
    LeakReport {
        level: Level::Simple,
        dropped_at: None,
        records: Vec::new(),
        references: Vec::new(),
        discarded_records: 0,
        trail: TrailDepth::None,
        promoted: 64,
        unwinding: false,
        ..full()
    }
}

/// One of which the creation alone was recorded.
fn creation_only() -> LeakReport {
    LeakReport { trail: TrailDepth::CreationOnly, records: full().records.split_off(2), ..untraced() }
}

/// The same cause, a minute and 900 losses later.
fn again() -> LeakReport {
    let form = Form::Again { more: 900, window: Duration::from_secs(60), since: at() };
    LeakReport { count: 1000, created: 48_120, bytes: 4_096_000, form, ..full() }
}

/// A row that holds `live` of these.
fn stats(resource: &str, site: Site, live: u64, live_bytes: u64) -> SiteStats {
    SiteStats {
        resource: resource.into(),
        site,
        origin: Origin::Created,
        created: live,
        released: 0,
        leaked: 0,
        untracked: 0,
        live_bytes,
        leaked_bytes: 0,
        recent: None,
        nonzero_for: None,
    }
}

fn last_minute(created: u64, released: u64) -> Option<Recent> {
    Some(Recent { window: Duration::from_secs(60), created, released })
}
