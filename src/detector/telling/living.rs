//! What is alive, told with the trails that it has: for the end of a scope.

use std::time::SystemTime;

use super::editor::Editor;
use crate::detector::state::Core;
use crate::ledger::{self, RowId, row};
use crate::level::Level;
use crate::report::{Access, AccessRecord, Fate, Fingerprint, Form, LeakReport, TrailDepth, Verdict, relate};
use crate::stack::Symboliser;
use crate::trail::{Place, Record, Trail, TrailId, registry};

/// A copy of a live trail.
pub(super) struct Living {
    row: RowId,
    level: Level,
    full: bool,
    created: Record,
    /// The accesses since that are kept, oldest first.
    accesses: Vec<Record>,
    discarded: u64,
}

impl Living {
    /// The trail with that number, if it lives.
    pub(super) fn of(trail: TrailId) -> Option<Living> {
        registry::with(trail, |trail| Living::copy(trail))
    }

    /// Nothing is dropped while a lock is held: a hint may hold a user's closure.
    fn copy(trail: &Trail) -> Living {
        Living {
            row: trail.row(),
            level: trail.level(),
            full: trail.is_full(),
            created: trail.created().clone(),
            accesses: trail.accesses().to_vec(),
            discarded: trail.discarded(),
        }
    }

    pub(super) fn level(&self) -> Level {
        self.level
    }

    pub(super) fn discarded(&self) -> u64 {
        self.discarded
    }

    /// How much was recorded of it.
    pub(super) fn depth(&self) -> TrailDepth {
        if self.full { TrailDepth::Full } else { TrailDepth::CreationOnly }
    }
}

impl Editor<'_> {
    /// The records of a handle that is alive, the newest first.
    pub(super) fn living_records(&mut self, living: &Living) -> Vec<AccessRecord> {
        let since = living.created.at;
        let touches = living.accesses.iter().rev();
        let mut records: Vec<AccessRecord> =
            touches.map(|record| self.record(Access::Touched, record, since)).collect();
        records.push(self.record(Access::Created, &living.created, since));
        records
    }
}

impl Core {
    /// Reports of what is alive, by site: one for each of the first `paths` ways to create it that have a trail, the oldest
    /// handle of each; for a site without trails one without records.
    ///
    /// # Cost
    /// A walk over all live trails of the process; symbols are resolved on this thread.
    pub(crate) fn living(&self, paths: usize) -> Vec<LeakReport> {
        let rows = self.ledger().rows();
        let mut living = copies(&rows);
        living.sort_by_key(|living| (living.row, living.created.at));
        let mut symboliser = Symboliser::default();
        let mut editor = Editor::new(self, &mut symboliser);
        let mut reports = Vec::new();
        for id in rows {
            let of_row = living.iter().filter(|living| living.row == id);
            let mut chosen: Vec<&Living> = Vec::new();
            for candidate in of_row {
                let is_new = !chosen.iter().any(|known| is_same(&known.created.place, &candidate.created.place));
                if is_new && chosen.len() < paths {
                    chosen.push(candidate);
                }
            }
            if chosen.is_empty() {
                reports.extend(self.living_report(id, None, &mut editor));
            }
            for one in chosen {
                reports.extend(self.living_report(id, Some(one), &mut editor));
            }
        }
        reports
    }

    /// Nothing for a row without a live handle.
    fn living_report(&self, id: RowId, living: Option<&Living>, editor: &mut Editor<'_>) -> Option<LeakReport> {
        let meta = row(id).meta()?;
        let counts = ledger::totals(&[id]);
        if counts.live() == 0 {
            return None;
        }
        let mut records = living.map(|living| editor.living_records(living)).unwrap_or_default();
        relate(&mut records, &meta.site);
        Some(LeakReport {
            verdict: Verdict::Outstanding,
            resource: meta.resource.clone(),
            site: meta.site.clone(),
            fingerprint: Fingerprint::of(&meta.resource, Verdict::Outstanding, &meta.site),
            count: counts.live(),
            created: counts.created,
            bytes: counts.live_bytes(),
            fate: Fate::StillOut,
            level: living.map_or_else(|| self.level(), |living| living.level),
            form: Form::Full,
            dropped_at: None,
            records,
            references: Vec::new(),
            references_omitted: 0,
            discarded_records: living.map_or(0, |living| living.discarded),
            target_records: self.config().configured_target_records(),
            trail: living.map_or(TrailDepth::None, Living::depth),
            promoted: 0,
            unwinding: false,
            observation: None,
            at: SystemTime::now(),
        })
    }
}

/// Copies of all live trails of these rows.
fn copies(rows: &[RowId]) -> Vec<Living> {
    let mut wanted = rows.to_vec();
    wanted.sort_unstable();
    let mut copies = Vec::new();
    registry::for_each(|_, trail| {
        if wanted.binary_search(&trail.row()).is_ok() {
            copies.push(Living::copy(trail));
        }
    });
    copies
}

fn is_same(one: &Place, other: &Place) -> bool {
    match (one, other) {
        (Place::Stack(one), Place::Stack(other)) => one.addresses() == other.addresses(),
        (Place::Line(one), Place::Line(other)) => one == other,
        (Place::Unknown, Place::Unknown) => true,
        _ => false,
    }
}
