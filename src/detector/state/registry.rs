//! The detectors that have counted a handle, by the number of their ledger.
//!
//! A detector enters with its first site and leaves when its last clone is dropped and no handle of its is alive: so a
//! handle that outlives every clone still finds where to tell that it was lost.

use std::sync::Arc;

use super::core::Core;
use crate::fork::{self, PerProcess};
use crate::hash::BuildIdHasher;
use crate::ledger::{RowId, row};
use crate::shared_map::SharedMap;

static CORES: PerProcess<SharedMap<u64, Arc<Core>, BuildIdHasher>> = PerProcess::new();

/// Enters a detector; once is enough.
pub(in crate::detector) fn enter(core: &Arc<Core>) {
    let cores = CORES.get_or_init(SharedMap::default);
    if !cores.contains_key(&core.ledger().number()) {
        cores.insert(core.ledger().number(), core.clone());
    }
}

fn find(number: u64) -> Option<Arc<Core>> {
    CORES.get()?.get(&number).map(|core| core.clone())
}

/// The detector whose handles a row counts. `None` for a row that a forked child has from its parent.
pub(in crate::detector) fn core_of(id: RowId) -> Option<Arc<Core>> {
    let meta = row(id).meta()?;
    (meta.generation == fork::generation()).then(|| find(meta.ledger)).flatten()
}

/// All detectors, the oldest first.
pub(in crate::detector) fn all() -> Vec<Arc<Core>> {
    let mut cores: Vec<Arc<Core>> =
        CORES.get().map(|cores| cores.iter().map(|entry| entry.value().clone()).collect()).unwrap_or_default();
    cores.sort_by_key(|core| core.ledger().number());
    cores
}

/// Lets go of a detector, if it is done.
pub(in crate::detector) fn let_go(core: &Core) {
    if core.is_done() {
        // Asked again under the entry's lock: a loss that is queued meanwhile finds the entry there, or enters it anew.
        let entry = CORES.get().and_then(|cores| cores.remove_if(&core.ledger().number(), |_, core| core.is_done()));
        // Dropped with no guard held: with it go the sinks, which are the user's.
        drop(entry);
    }
}
