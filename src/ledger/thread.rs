//! What a thread keeps at hand to count without asking anybody.
//!
//! ```text
//! alive:   two small caches (site → cell, row → cell) in a thread-local without drop glue, before
//!          the tables of everything the thread has met, in one with drop glue
//! ending:  the tables are dropped: the block is folded into the rows, the caches are emptied
//! ended:   other thread-locals may still create and release: they count in the rows, by atomic addition
//! ```

use std::cell::{Cell, RefCell};

use super::cell::SiteCell;
use super::key::{AddressKey, SiteKey};
use super::met::Met;
use super::row_id::RowId;
use super::site_table::Ledger;
use super::table::row;
use crate::fork;

/// Places in each cache; sites that fall on the same one take turns.
const PLACES: usize = 64;

/// The caches. Const-initialised and without drop glue: usable until the thread is gone.
struct AtHand {
    /// The tables are gone: the thread is ending.
    ended: Cell<bool>,
    by_site: [Cell<Option<(AddressKey, &'static SiteCell)>>; PLACES],
    by_row: [Cell<Option<(RowId, &'static SiteCell)>>; PLACES],
}

impl AtHand {
    fn forget(&self) {
        self.by_site.iter().for_each(|place| place.set(None));
        self.by_row.iter().for_each(|place| place.set(None));
    }
}

thread_local! {
    static AT_HAND: AtHand = const {
        AtHand {
            ended: Cell::new(false),
            by_site: [const { Cell::new(None) }; PLACES],
            by_row: [const { Cell::new(None) }; PLACES],
        }
    };
    static MET: RefCell<Met> = RefCell::new(Met::default());
}

impl Drop for Met {
    fn drop(&mut self) {
        let _ = AT_HAND.try_with(|at_hand| {
            at_hand.ended.set(true);
            at_hand.forget();
        });
        self.give_back();
    }
}

/// This thread's cell of a site, if it has met the site and has it at hand.
///
/// # Cost
/// A hash of the site's address and a comparison.
#[inline]
pub(crate) fn cell_at_hand(ledger: &Ledger, key: impl FnOnce() -> SiteKey) -> Option<&'static SiteCell> {
    // The key is put together inside: before the thread-local's address is known it would have to be saved over the call
    // that finds it.
    AT_HAND
        .try_with(|at_hand| {
            let address = AddressKey::new(ledger.mark(), key());
            match at_hand.by_site[address.place(PLACES)].get() {
                Some((known, cell)) if known.is(address) => Some(cell),
                _ => None,
            }
        })
        .ok()
        .flatten()
}

/// This thread's cell of a site that it has not at hand, made when the thread first meets it; `met` is called then.
///
/// `None` when there is none to be had: the thread is ending, or its tables are in use (this is a re-entry from the
/// allocator), or the process is out of rows. Then the row counts.
///
/// # Cost
/// A table; the first time the ledger.
#[cold]
#[inline(never)]
pub(crate) fn meet(ledger: &Ledger, key: SiteKey, met_now: impl FnOnce()) -> Option<&'static SiteCell> {
    let address = AddressKey::new(ledger.mark(), key);
    let cell = match with_met(|met| met.cell_of_site(address))? {
        Some(cell) => cell,
        None => {
            met_now();
            let id = ledger.row_of(key)?;
            with_met(|met| met.add_site(address, id, forget_in_child))?
        }
    };
    let _ = AT_HAND.try_with(|at_hand| at_hand.by_site[address.place(PLACES)].set(Some((address, cell))));
    Some(cell)
}

/// Counts a release in a row.
pub(crate) fn release(id: RowId, bytes: u64) {
    release_with(|| (id, bytes));
}

/// Counts a release of so many bytes in a row. `what` is asked again where the thread has not the row at hand.
///
/// # Cost
/// A hit in the cache and two plain stores.
#[inline]
pub(crate) fn release_with(what: impl Fn() -> (RowId, u64)) {
    // Taken apart inside, as in `cell_at_hand`.
    let done = AT_HAND.try_with(|at_hand| {
        let (id, bytes) = what();
        match at_hand.by_row[id.bits() as usize % PLACES].get() {
            Some((known, cell)) if known == id => {
                cell.tally.release_alone(bytes);
                true
            }
            _ => false,
        }
    });
    if done != Ok(true) {
        let (id, bytes) = what();
        release_unmet(id, bytes);
    }
}

#[cold]
#[inline(never)]
fn release_unmet(id: RowId, bytes: u64) {
    match meet_row(id) {
        Some(cell) => cell.tally.release_alone(bytes),
        None => row(id).release_shared(bytes),
    }
}

/// Counts a change of a live handle's size.
pub(crate) fn resize(id: RowId, from: u64, to: u64) {
    match row_at_hand(id).or_else(|| meet_row(id)) {
        Some(cell) => cell.tally.resize_alone(from, to),
        None => row(id).resize_shared(from, to),
    }
}

#[inline]
fn row_at_hand(id: RowId) -> Option<&'static SiteCell> {
    AT_HAND
        .try_with(|at_hand| match at_hand.by_row[id.bits() as usize % PLACES].get() {
            Some((known, cell)) if known == id => Some(cell),
            _ => None,
        })
        .ok()
        .flatten()
}

#[cold]
fn meet_row(id: RowId) -> Option<&'static SiteCell> {
    let cell = with_met(|met| met.cell_of_row(id, forget_in_child))?;
    let _ = AT_HAND.try_with(|at_hand| at_hand.by_row[id.bits() as usize % PLACES].set(Some((id, cell))));
    Some(cell)
}

/// The thread's tables, if they can be had: not while the thread is ending, nor from within themselves.
fn with_met<R>(visit: impl FnOnce(&mut Met) -> R) -> Option<R> {
    if AT_HAND.try_with(|at_hand| at_hand.ended.get()).unwrap_or(true) {
        return None;
    }
    MET.try_with(|met| {
        let mut met = met.try_borrow_mut().ok()?;
        let generation = fork::generation();
        if met.generation != generation {
            // A forked child: the cells are the parent's. Not dropped: what that would give back is not ours.
            std::mem::forget(std::mem::take(&mut *met));
            met.generation = generation;
        }
        Some(visit(&mut met))
    })
    .ok()
    .flatten()
}

/// What a forked child does first: the cells that its thread has at hand are its parent's.
fn forget_in_child() {
    let _ = AT_HAND.try_with(AtHand::forget);
}
