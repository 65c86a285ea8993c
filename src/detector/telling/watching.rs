//! Reports of what ticks have found: of handles that are alive, each with the trail of one.

use std::time::SystemTime;

use super::editor::Editor;
use super::living::Living;
use crate::clock::Stamp;
use crate::detector::state::Core;
use crate::detector::state::watchlist::{Due, Figures, Finding};
use crate::ledger::{self, row};
use crate::report::{
    Access, AccessRecord, Fate, Form, LastTouch, LeakReport, Observation, TrailDepth, Verdict, Watched, relate,
};
use crate::stack::trim;

impl Core {
    /// What the last tick has found, as figures.
    pub(in crate::detector) fn watched(&self) -> Watched {
        let watchlist = &self.state().watchlist;
        Watched {
            growing_sites: watchlist.going_on(Verdict::Growing).0,
            held_too_long: watchlist.going_on(Verdict::HeldTooLong).1,
            pinning: watchlist.going_on(Verdict::Pinned).1,
        }
    }
}

impl Editor<'_> {
    /// The report of a finding; with `in_full` its records are shown.
    pub(super) fn observed(&mut self, due: &Due, in_full: bool, now: Stamp) -> Option<LeakReport> {
        let Finding { row: id, count, bytes, shown, figures } = due.finding;
        let meta = row(id).meta()?;
        // Gone meanwhile: then the figures are told alone.
        let living = shown.and_then(|shown| Living::of(shown.trail));
        let mut records = living.as_ref().map(|living| self.living_records(living)).unwrap_or_default();
        relate(&mut records, &meta.site);
        let form = match due.again {
            Some((more, window)) => Form::Again { more, window, since: due.first_at.to_system_time() },
            None if in_full => Form::Full,
            None => Form::Line,
        };
        let trail = living.as_ref().map_or(TrailDepth::None, Living::depth);
        let promoted = match figures {
            Figures::Growth { promoted, .. } if trail < TrailDepth::Full => promoted,
            _ => 0,
        };
        Some(LeakReport {
            verdict: figures.verdict(),
            resource: meta.resource.clone(),
            site: meta.site.clone(),
            fingerprint: due.fingerprint,
            count,
            created: ledger::totals(&[id]).created,
            bytes,
            fate: Fate::StillOut,
            level: living.as_ref().map_or_else(|| self.core().level(), Living::level),
            form,
            dropped_at: None,
            references: Vec::new(),
            references_omitted: 0,
            discarded_records: living.as_ref().map_or(0, Living::discarded),
            target_records: self.core().config().configured_target_records(),
            trail,
            promoted,
            unwinding: false,
            observation: Some(observation(&due.finding, &records, now)),
            records,
            at: SystemTime::now(),
        })
    }
}

fn observation(finding: &Finding, records: &[AccessRecord], now: Stamp) -> Observation {
    match finding.figures {
        Figures::Growth { growing, .. } => Observation::Growth {
            windows: growing.windows,
            window: growing.window,
            created: growing.created,
            released: growing.released,
        },
        Figures::Held { threshold, seen } => {
            let age = finding.shown.map_or(threshold, |shown| now.since(shown.created_at));
            let touch = records.iter().find(|record| record.access() == Access::Touched);
            let last_touch = touch.and_then(|record| {
                let place = trim::nearest_user_frame(record.frames())?.place();
                Some(LastTouch { place, ago: age.saturating_sub(record.after()) })
            });
            Observation::Held { age, threshold, last_touch, seen }
        }
        Figures::CameBack { age } => Observation::CameBack { age },
        Figures::Pinned { since, part_bytes, whole_bytes, whole_row, seen } => Observation::Pinned {
            age: now.since(since),
            origin: row(finding.row).meta().map(|meta| meta.origin).unwrap_or_default(),
            part_bytes,
            whole_bytes,
            whole_site: whole_row.and_then(|id| Some(row(id).meta()?.site.clone())),
            seen,
        },
    }
}
