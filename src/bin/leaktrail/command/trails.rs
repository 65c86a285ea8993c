//! The trails of one cause, kept while its log is read.

use std::collections::BTreeMap;

use crate::causes::{Causes, Row, Wanted};
use crate::input::Reader;
use crate::log::{CauseId, Kind, Listener, Sighting, Trail};

/// Different trails of one cause. The library writes no more in full either.
const MOST_TRAILS: usize = 8;

/// Causes that one prefix may begin before there are too many to tell apart anyway.
const MOST_CAUSES: usize = 64;

/// A trail and where it stood.
#[derive(Debug)]
pub(super) struct Kept {
    pub(super) trail: Trail,
    pub(super) file: String,
}

/// Adds up all causes, and keeps the trails of those whose fingerprint begins so.
#[derive(Debug)]
pub(super) struct Trails {
    causes: Causes,
    begin: String,
    file: String,
    kept: BTreeMap<(Kind, CauseId), Vec<Kept>>,
}

impl Trails {
    pub(super) fn new(wanted: Wanted, begin: &str) -> Trails {
        let causes = Causes::new(wanted);
        Trails { causes, begin: begin.to_owned(), file: String::new(), kept: BTreeMap::new() }
    }

    fn is_asked_for(&self, id: CauseId) -> bool {
        id.to_string().starts_with(&self.begin)
    }

    /// The causes that were asked for, with their trails, in the order of fingerprints.
    pub(super) fn causes(&self) -> Vec<(Row, &[Kept])> {
        let rows = self.kept.iter().filter_map(|(key, trails)| Some((self.causes.row(*key)?, trails.as_slice())));
        let mut rows: Vec<_> = rows.collect();
        rows.sort_by(|one, other| one.0.fingerprint.cmp(&other.0.fingerprint));
        rows
    }
}

impl Listener for Trails {
    fn keeps_trails(&self) -> bool {
        true
    }

    fn sighting(&mut self, sighting: &Sighting<'_>) {
        if self.is_asked_for(sighting.id) && self.kept.len() < MOST_CAUSES {
            self.kept.entry((sighting.kind, sighting.id)).or_default();
        }
        self.causes.sighting(sighting);
    }

    fn trail(&mut self, trail: Trail) {
        let Some(kept) = trail.key.and_then(|key| self.kept.get_mut(&key)) else { return self.causes.trail(trail) };
        if !trail.text.is_empty() {
            let trail = Kept { trail: trail.clone(), file: self.file.clone() };
            // Of one path the newest that is whole: what was cut off is worth less than what is old.
            match kept.iter().position(|known| path(&known.trail) == path(&trail.trail)) {
                Some(index) if trail.trail.is_cut_off && !kept[index].trail.is_cut_off => {}
                Some(index) => kept[index] = trail,
                None if kept.len() < MOST_TRAILS => kept.push(trail),
                None => {}
            }
        }
        self.causes.trail(trail);
    }
}

impl Reader for Trails {
    fn begin_file(&mut self, name: &str, family: &str) {
        name.clone_into(&mut self.file);
        self.causes.begin_file(family);
    }
}

/// What makes a trail another one: its frames, and not its times, threads and hints.
fn path(trail: &Trail) -> Vec<&str> {
    let is_detail = |line: &&str| line.starts_with("\t(") || line.starts_with("\tHint: ");
    trail.text.lines().filter(|line| !is_detail(line)).collect()
}
