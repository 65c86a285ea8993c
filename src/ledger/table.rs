//! The process-wide table of rows.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use once_cell::race::OnceBox;

use super::row::{Row, RowMeta};
use super::row_id::RowId;
use crate::fork::PerProcess;

/// Rows in a page: 48 KiB, made when its first row is needed.
const PAGE_ROWS: usize = 512;
/// Pages in the table.
const PAGES: usize = RowId::COUNT as usize / PAGE_ROWS;

static TABLE: [OnceBox<Box<[Row]>>; PAGES] = [const { OnceBox::new() }; PAGES];
/// The lowest row that was never used.
static NEXT: AtomicU32 = AtomicU32::new(0);
/// Rows that were used and are free again. A child never reuses its parent's.
static FREE: PerProcess<Mutex<Vec<RowId>>> = PerProcess::new();

/// The row with that number. Rows live as long as the process.
#[inline]
pub(crate) fn row(id: RowId) -> &'static Row {
    let page = TABLE[id.bits() as usize / PAGE_ROWS]
        .get_or_init(|| Box::new((0..PAGE_ROWS).map(|_| Row::default()).collect::<Vec<_>>().into_boxed_slice()));
    &page[id.bits() as usize % PAGE_ROWS]
}

/// Takes a free row for `meta`; nothing when all 8,388,608 are in use.
pub(super) fn take(meta: Arc<RowMeta>) -> Option<RowId> {
    let free = FREE.get_or_init(Mutex::default).lock().unwrap_or_else(PoisonError::into_inner).pop();
    let id = match free {
        Some(id) => id,
        // Relaxed: each number is given once, whatever the order.
        None => NEXT
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |n| (n < RowId::COUNT).then_some(n + 1))
            .ok()
            .map(RowId::from_bits)?,
    };
    row(id).assign(meta);
    Some(id)
}

/// Gives rows back for reuse. Their detector is gone and no handle refers to them.
pub(super) fn give_back(rows: &[RowId]) {
    for &id in rows {
        row(id).clear();
    }
    FREE.get_or_init(Mutex::default).lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(rows);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pages_cover_every_row() {
        assert_eq!(PAGES * PAGE_ROWS, RowId::COUNT as usize);
        assert_eq!(RowId::from_bits(RowId::COUNT - 1).bits(), RowId::COUNT - 1);
    }
}
