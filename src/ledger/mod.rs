//! The ledger: exact counts and bytes of what was created, released, lost and is alive, by site and resource.
//!
//! A [`Ledger`] belongs to one detector. Its sites are found by *text* (file, line, column, resource, origin): the
//! compiler puts one `Location` into the binary several times, once for each codegen unit that needs it, so an address is
//! only good for a cache. Each site has a [`Row`](row::Row) in a process-wide table, so that a handle can carry its row in
//! 23 bits and find it without its detector.
//!
//! ```text
//! thread 1   block ─► cell (site A)   cell (site B)     each written by its thread alone: plain stores
//! thread 2   block ─► cell (site A)
//!                       │ the thread ends: its cells are folded into the rows, the block waits for another thread
//!                       ▼
//! table      row A  row B                               losses, and what threads without a cell count: atomic additions
//! ```
//!
//! A site's counts are the sum over its cells and its row, read under the lock under which cells are folded ([`block`]).
//! They never lie in one direction: whoever reads takes every minus side (released, leaked, untracked) before any plus side
//! (created), and whoever takes a handle away has seen its creation, so `released + leaked + untracked <= created` in every
//! snapshot ([`tally`]).

mod block;
mod cell;
mod counts;
mod growth;
mod key;
mod marks;
mod met;
mod row;
mod row_id;
mod short_name;
mod site_table;
mod table;
mod tally;
mod thread;

pub(crate) use cell::SiteCell;
pub(crate) use counts::Counts;
pub(crate) use growth::{Course, Growing};
pub(crate) use key::SiteKey;
pub(crate) use row::is_any_promoted;
pub(crate) use row_id::RowId;
pub(crate) use site_table::{Ledger, totals};
pub(crate) use table::row;
pub(crate) use thread::{cell_at_hand, meet, release, release_with, resize};
