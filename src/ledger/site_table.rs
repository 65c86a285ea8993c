//! One detector's sites.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use super::block;
use super::counts::Counts;
use super::key::SiteKey;
use super::marks::Marks;
use super::row::RowMeta;
use super::row_id::RowId;
use super::table::{self, row};
use crate::clock::Stamp;
use crate::fork::{self, PerProcess};
use crate::report::{Origin, Site, SiteStats};
use crate::shared_map::SharedMap;

/// Sites that a ledger tells apart. Those past it share one row, named [`OTHER_SITES`], so totals stay exact.
pub(super) const MAX_SITES: usize = 8_192;

/// What stands in place of the file of the row that is shared past the cap.
const OTHER_SITES: &str = "(other sites)";

/// Exact counts by site for one detector.
#[derive(Debug)]
pub(crate) struct Ledger {
    /// Never reused.
    /// Kept as keys need it: a creation has no instruction to spare.
    mark: u64,
    sites: PerProcess<Sites>,
}

#[derive(Debug, Default)]
struct Sites {
    /// Rare writes and rare reads (each thread remembers its own sites): what a sharded map is good at.
    index: SharedMap<SiteKey, RowId>,
    rows: Mutex<Vec<RowId>>,
    other: OnceLock<Option<RowId>>,
    over_cap: AtomicU64,
}

impl Ledger {
    /// An empty ledger.
    pub(crate) fn new() -> Ledger {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        // Relaxed: each number is given once, whatever the order.
        Ledger { mark: NEXT.fetch_add(1, Ordering::Relaxed) << 32, sites: PerProcess::new() }
    }

    /// The ledger's number, unique in the process.
    pub(crate) fn number(&self) -> u64 {
        self.mark >> 32
    }

    /// The ledger's part of the last word of a key: its number, unique in the process, above 32 free bits.
    #[inline]
    pub(super) fn mark(&self) -> u64 {
        self.mark
    }

    /// The row of a site, made at its first use. `None` only when the process has no row left.
    ///
    /// # Cost
    /// A lookup in a sharded map; at a site's first use two allocations. Threads remember the answer.
    pub(crate) fn row_of(&self, key: SiteKey) -> Option<RowId> {
        let sites = self.sites.get_or_init(Sites::default);
        if let Some(found) = sites.index.get(&key) {
            return Some(*found);
        }
        let mut rows = sites.rows.lock().unwrap_or_else(PoisonError::into_inner);
        // Looked up again under the lock: another thread may have made the row meanwhile.
        if let Some(found) = sites.index.get(&key) {
            return Some(*found);
        }
        if rows.len() < MAX_SITES {
            let id = table::take(self.meta(key.name(), Site::from_location(key.location), key.origin))?;
            rows.push(id);
            sites.index.insert(key, id);
            return Some(id);
        }
        // Relaxed: a figure for the summary.
        sites.over_cap.fetch_add(1, Ordering::Relaxed);
        *sites.other.get_or_init(|| {
            let site = Site { file: OTHER_SITES.into(), line: 0, column: 0 };
            let id = table::take(self.meta("(other resources)", site, Origin::Created))?;
            rows.push(id);
            Some(id)
        })
    }

    fn meta(&self, resource: &str, site: Site, origin: Origin) -> Arc<RowMeta> {
        let marks = Marks::new(Stamp::now());
        Arc::new(RowMeta {
            ledger: self.number(),
            generation: fork::generation(),
            resource: resource.into(),
            site,
            origin,
            marks,
        })
    }

    /// The rows in use, in the order of their first use.
    pub(crate) fn rows(&self) -> Vec<RowId> {
        match self.sites.get() {
            Some(sites) => sites.rows.lock().unwrap_or_else(PoisonError::into_inner).clone(),
            None => Vec::new(),
        }
    }

    /// Creations whose site was past the cap when a thread first met it.
    pub(crate) fn sites_over_cap(&self) -> u64 {
        self.sites.get().map_or(0, |sites| sites.over_cap.load(Ordering::Relaxed))
    }

    /// Every row as a line of a snapshot, unsorted.
    pub(crate) fn stats(&self) -> Vec<SiteStats> {
        let now = Stamp::now();
        let rows = self.rows();
        let counts = read(&rows);
        rows.iter().zip(counts).filter_map(|(&id, counts)| stats_of(id, &counts, now)).collect()
    }

    /// Looks at every row, so that "recent" and "not at 0 for" are known when they are asked for.
    pub(crate) fn look(&self, now: Stamp) {
        let rows = self.rows();
        for (id, counts) in rows.iter().zip(read(&rows)) {
            if let Some(meta) = row(*id).meta() {
                meta.marks.look(now, &counts);
            }
        }
    }

    /// Handles alive.
    pub(crate) fn live(&self) -> u64 {
        read(&self.rows()).iter().map(Counts::live).sum()
    }
}

/// The counts of some rows together.
pub(crate) fn totals(rows: &[RowId]) -> Counts {
    let mut sorted = rows.to_vec();
    sorted.sort_unstable();
    read(&sorted).into_iter().fold(Counts::default(), |sum, counts| sum.plus(&counts))
}

/// Reads rows, each exactly once, in the order given.
fn read(rows: &[RowId]) -> Vec<Counts> {
    // Allocated before the lock is taken (see `block`).
    let mut counts = vec![Counts::default(); rows.len()];
    let mut places: Vec<(RowId, usize)> = rows.iter().enumerate().map(|(place, &id)| (id, place)).collect();
    places.sort_unstable();
    block::read(rows, &mut counts, |id| {
        places.binary_search_by_key(&id, |&(row, _)| row).ok().map(|found| places[found].1)
    });
    counts
}

fn stats_of(id: RowId, counts: &Counts, now: Stamp) -> Option<SiteStats> {
    let meta = row(id).meta()?;
    let (recent, nonzero_for) = meta.marks.look(now, counts);
    Some(SiteStats {
        resource: meta.resource.clone(),
        site: meta.site.clone(),
        origin: meta.origin,
        created: counts.created,
        released: counts.released,
        leaked: counts.leaked,
        untracked: counts.untracked,
        live_bytes: counts.live_bytes(),
        leaked_bytes: counts.leaked_bytes,
        recent: Some(recent),
        nonzero_for,
    })
}

impl Drop for Ledger {
    /// Whoever drops a ledger has made sure that no handle refers to its rows: they are reused.
    fn drop(&mut self) {
        let mut rows = self.rows();
        rows.sort_unstable();
        block::forget(|id| rows.binary_search(&id).is_ok());
        table::give_back(&rows);
    }
}

#[cfg(test)]
mod tests {
    use std::panic::Location;

    use super::*;

    #[test]
    fn one_place_is_one_row_and_two_resources_are_two() {
        let ledger = Ledger::new();
        let location = Location::caller();
        let key = |resource| SiteKey { resource, is_type: false, location, origin: Origin::Created };
        let first = ledger.row_of(key("A")).unwrap();
        assert_eq!(ledger.row_of(key("A")), Some(first));
        assert_ne!(ledger.row_of(key("B")), Some(first));
        row(first).create_shared(10);
        let stats = ledger.stats();
        assert_eq!(stats.len(), 2);
        assert_eq!((stats[0].live(), stats[0].live_bytes()), (1, 10));
        crate::ledger::release(first, 10);
        assert_eq!(ledger.live(), 0);
    }

    #[test]
    fn a_new_ledger_reuses_the_rows_of_one_that_is_gone() {
        let key = SiteKey { resource: "A", is_type: false, location: Location::caller(), origin: Origin::Created };
        let ledger = Ledger::new();
        let id = ledger.row_of(key).unwrap();
        crate::ledger::meet(&ledger, key, || {}).unwrap().create(1);
        crate::ledger::release(id, 1);
        drop(ledger);
        // Another test's ledger may have it already; this one's counts are gone from it.
        assert!(row(id).meta().is_none_or(|meta| meta.resource.as_ref() != "A"));
    }
}
