//! All causes of all logs that are read.

use std::collections::HashMap;
use std::mem;

use super::cause::Cause;
use super::row::Row;
use super::run::Counts;
use crate::log::{CauseId, Kind, Listener, Moment, Sighting, Trail};

/// Causes with a row of their own. The rest are counted together: what is read may be anything.
const MOST_CAUSES: usize = 50_000;

/// Process runs told apart, over all causes.
const MOST_RUNS: usize = 200_000;

/// Processes told apart. Those beyond are as those whose prefix tells nothing.
const MOST_PROCESSES: usize = 20_000;

/// What to enter of what is read.
#[derive(Clone, Debug, Default)]
pub(crate) struct Wanted {
    /// All of them when there are none.
    pub(crate) kinds: Vec<Kind>,
    pub(crate) since: Option<Moment>,
}

#[derive(Debug)]
pub(crate) struct Causes {
    wanted: Wanted,
    causes: HashMap<(Kind, CauseId), Cause>,
    processes: HashMap<String, u32>,
    /// What sets the processes of this file apart from those of others.
    file: String,
    room_for_runs: usize,
    /// Figures that found no room.
    pub(crate) dropped: u64,
    /// Reports whose cause has no row.
    others: u64,
    /// Reports without a time, when a time was asked for.
    pub(crate) timeless: u64,
}

impl Causes {
    pub(crate) fn new(wanted: Wanted) -> Causes {
        Causes {
            wanted,
            causes: HashMap::new(),
            processes: HashMap::new(),
            file: String::new(),
            room_for_runs: MOST_RUNS,
            dropped: 0,
            others: 0,
            timeless: 0,
        }
    }

    /// What follows is of this file. Files that were rotated have one name: their processes go on.
    pub(crate) fn begin_file(&mut self, name: &str) {
        name.clone_into(&mut self.file);
    }

    /// The rows, heaviest first; last the one for all that had no room.
    pub(crate) fn rows(&self) -> Vec<Row> {
        let mut rows: Vec<Row> =
            self.causes.iter().filter_map(|((kind, id), cause)| cause.row(*kind, id.to_string())).collect();
        rows.sort_by(Row::by_weight);
        if self.others > 0 {
            rows.push(Row {
                fingerprint: "other".into(),
                verdict: "other".into(),
                resource: "(other causes)".into(),
                site: format!("(past {MOST_CAUSES} causes: reports, not losses)"),
                count: self.others,
                bytes: None,
                source: "other".into(),
                first_seen: None,
                last_seen: None,
            });
        }
        rows
    }

    /// The row of one cause.
    pub(crate) fn row(&self, key: (Kind, CauseId)) -> Option<Row> {
        self.causes.get(&key)?.row(key.0, key.1.to_string())
    }

    fn process(&mut self, label: &str) -> u32 {
        let key = [&self.file, "\0", label].concat();
        let next = self.processes.len();
        if let Some(&process) = self.processes.get(&key) {
            return process;
        }
        if next >= MOST_PROCESSES {
            return u32::MAX;
        }
        // Below the cap, so it fits.
        let process = next as u32;
        self.processes.insert(key, process);
        process
    }
}

impl Listener for Causes {
    fn keeps_trails(&self) -> bool {
        false
    }

    fn sighting(&mut self, sighting: &Sighting<'_>) {
        if !self.wanted.kinds.is_empty() && !self.wanted.kinds.contains(&sighting.kind) {
            return;
        }
        let counts = match (self.wanted.since, sighting.at) {
            (Some(since), Some(at)) if at < since => Counts::Before,
            (Some(_), None) => {
                self.timeless += 1;
                Counts::Yes
            }
            _ => Counts::Yes,
        };
        let key = (sighting.kind, sighting.id);
        if !self.causes.contains_key(&key) {
            if self.causes.len() >= MOST_CAUSES {
                self.others += u64::from(counts == Counts::Yes);
                return;
            }
            self.causes.insert(key, Cause::new(sighting));
        }
        let process = self.process(&sighting.process);
        let mut room = mem::take(&mut self.room_for_runs);
        if let Some(cause) = self.causes.get_mut(&key) {
            self.dropped += u64::from(!cause.enter(sighting, process, counts, &mut room));
        }
        self.room_for_runs = room;
    }

    fn trail(&mut self, trail: Trail) {
        if let (Some(key), Some(at)) = (trail.key, trail.created_at)
            && let Some(cause) = self.causes.get_mut(&key)
        {
            cause.created_at(at);
        }
    }
}
