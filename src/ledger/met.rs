//! Everything that one thread has met: which of its cells is a site's, or a row's.
//!
//! A cell knows its row and its site, so the tables hold the cells' places alone: 4 bytes an entry. Beside the 64 bytes of a
//! cell a thread keeps two entries for each site that it uses.

use std::collections::HashMap;
use std::hash::BuildHasher;

use hashbrown::HashTable;

use super::block::OwnBlock;
use super::cell::SiteCell;
use super::key::AddressKey;
use super::row_id::RowId;
use super::site_table::MAX_SITES;
use crate::fork;
use crate::hash::BuildIdHasher;

/// A thread's cells, and where each one is.
#[derive(Debug, Default)]
pub(super) struct Met {
    /// The process that the cells belong to.
    pub(super) generation: u32,
    block: Option<OwnBlock>,
    by_site: HashTable<u32>,
    by_row: HashTable<u32>,
    /// Further addresses of sites that are in `by_site` already: the compiler puts equal places into the program twice.
    by_other_address: HashMap<AddressKey, u32, BuildIdHasher>,
}

fn hash_of(key: impl std::hash::Hash) -> u64 {
    BuildIdHasher::default().hash_one(key)
}

impl Met {
    /// The cell of a site, if the thread has met it.
    pub(super) fn cell_of_site(&self, address: AddressKey) -> Option<&'static SiteCell> {
        let block = self.block.as_ref()?;
        let place = self.by_site.find(hash_of(address), |&place| block.cell(place).address() == address);
        place.or_else(|| self.by_other_address.get(&address)).map(|&place| block.cell(place))
    }

    /// The cell of a row: the thread's, or a new one.
    pub(super) fn cell_of_row(&mut self, row: RowId, on_first: fn()) -> &'static SiteCell {
        let (block, place) = self.place_of_row(row, on_first);
        block.cell(place)
    }

    /// Notes that a row's cell is a site's.
    pub(super) fn add_site(&mut self, address: AddressKey, row: RowId, on_first: fn()) -> &'static SiteCell {
        if self.by_site.len() + self.by_other_address.len() >= MAX_SITES {
            // Mostly sites of detectors that are gone. The living ones are found again at their next use.
            self.by_site.clear();
            self.by_other_address.clear();
        }
        let (block, place) = self.place_of_row(row, on_first);
        let cell = block.cell(place);
        if cell.address().is_of_same_ledger(address) && cell.address() != address {
            self.by_other_address.insert(address, place);
        } else {
            // What the cell was before, of a ledger that is gone, is asked for by nobody.
            cell.set_address(address);
            let Met { block, by_site, .. } = self;
            let hash_at = |&place: &u32| block.as_ref().map_or(0, |block| hash_of(block.cell(place).address()));
            by_site.insert_unique(hash_of(address), place, hash_at);
        }
        cell
    }

    fn place_of_row(&mut self, row: RowId, on_first: fn()) -> (&OwnBlock, u32) {
        let Met { block, by_row, .. } = self;
        let block = block.get_or_insert_with(|| {
            fork::on_child(0, on_first);
            OwnBlock::take()
        });
        let hash = hash_of(row);
        let known = by_row.find(hash, |&place| block.cell(place).row() == row).copied();
        let place = known.unwrap_or_else(|| {
            let place = block.add(row);
            by_row.insert_unique(hash, place, |&place| hash_of(block.cell(place).row()));
            place
        });
        (block, place)
    }

    /// The thread ends: what its cells have counted is the rows'.
    pub(super) fn give_back(&mut self) {
        if let Some(block) = self.block.take() {
            block.give_back();
        }
    }
}
