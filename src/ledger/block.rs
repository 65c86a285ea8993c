//! The cells of the threads: one block for each thread that counts, reused when the thread is gone.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use once_cell::race::OnceBox;

use super::cell::SiteCell;
use super::counts::Counts;
use super::row_id::RowId;
use super::table::row;
use crate::fork::PerProcess;

/// Cells in one piece of a block: 2 KiB.
const CHUNK_CELLS: usize = 32;

/// One thread's cells. Blocks form a chain that only grows: as many as threads ever counted at the same time.
///
/// ```text
/// block ──next──► block ──next──► …
///   │ taken: a thread counts in it, or it is free for the next thread
///   └─ chunk ──► chunk ──► …    32 cells each; the first `used` are somebody's
/// ```
#[derive(Debug, Default)]
struct Block {
    taken: AtomicBool,
    used: AtomicUsize,
    chunk: Chunk,
    next: OnceBox<Block>,
}

#[derive(Debug, Default)]
struct Chunk {
    cells: [SiteCell; CHUNK_CELLS],
    next: OnceBox<Chunk>,
}

/// A block by its thread: any cell of it at once.
#[derive(Debug)]
pub(super) struct OwnBlock {
    block: &'static Block,
    /// Those that the thread has come to, so that no chain is walked for a cell.
    chunks: Vec<&'static Chunk>,
}

impl OwnBlock {
    /// A block for the calling thread.
    pub(super) fn take() -> OwnBlock {
        OwnBlock { block: Block::take(), chunks: Vec::new() }
    }

    /// A new cell for a row; returns its place.
    pub(super) fn add(&mut self, row: RowId) -> u32 {
        // Relaxed: this thread alone writes it.
        let place = self.block.used.load(Ordering::Relaxed);
        if place / CHUNK_CELLS == self.chunks.len() {
            let next = match self.chunks.last() {
                None => &self.block.chunk,
                Some(last) => last.next.get_or_init(Box::default),
            };
            self.chunks.push(next);
        }
        self.chunks[place / CHUNK_CELLS].cells[place % CHUNK_CELLS].assign(row);
        // Release: pairs with the Acquire in `cells`; whoever sees the cell as used sees whose it is.
        self.block.used.store(place + 1, Ordering::Release);
        // A block has at most a cell for each row, and those have 23 bits.
        place as u32
    }

    /// The cell at a place.
    pub(super) fn cell(&self, place: u32) -> &'static SiteCell {
        let place = place as usize;
        &self.chunks[place / CHUNK_CELLS].cells[place % CHUNK_CELLS]
    }

    /// The thread has ended.
    pub(super) fn give_back(self) {
        self.block.give_back();
    }
}

#[derive(Debug, Default)]
struct Blocks {
    first: OnceBox<Block>,
    /// Held while counts move between cells and rows, and while they are read across cells: a reader would else see what is
    /// moved twice or not at all. Nothing is allocated under it: what an allocator calls could count, and come
    /// here again.
    moving: Mutex<()>,
}

static BLOCKS: PerProcess<Blocks> = PerProcess::new();

fn blocks() -> &'static Blocks {
    BLOCKS.get_or_init(Blocks::default)
}

fn keep_still() -> MutexGuard<'static, ()> {
    blocks().moving.lock().unwrap_or_else(PoisonError::into_inner)
}

fn chain() -> impl Iterator<Item = &'static Block> {
    std::iter::successors(blocks().first.get(), |block| block.next.get())
}

impl Block {
    /// A block for the calling thread: a free one, or a new one at the end of the chain.
    fn take() -> &'static Block {
        let mut block = blocks().first.get_or_init(Box::default);
        loop {
            // Acquire: pairs with the Release in `give_back`; the cells are seen folded and free.
            if !block.taken.swap(true, Ordering::Acquire) {
                return block;
            }
            block = block.next.get_or_init(Box::default);
        }
    }

    /// Moves the counts to the rows and frees the block for another thread.
    fn give_back(&self) {
        {
            let _still = keep_still();
            for cell in self.cells() {
                row(cell.row()).fold(cell);
                cell.reset();
            }
            self.used.store(0, Ordering::Release);
        }
        // Release: pairs with the Acquire in `take`.
        self.taken.store(false, Ordering::Release);
    }

    fn cells(&self) -> impl Iterator<Item = &SiteCell> {
        let used = self.used.load(Ordering::Acquire);
        let chunks = std::iter::successors(Some(&self.chunk), |chunk| chunk.next.get());
        chunks.flat_map(|chunk| &chunk.cells).take(used)
    }
}

/// Reads rows: `place` says which of `counts` a row's go to. No allocation, and what is read at one moment is at most what
/// threads counted while it was read out of step, never more gone than created.
pub(super) fn read(rows: &[RowId], counts: &mut [Counts], place: impl Fn(RowId) -> Option<usize>) {
    let _still = keep_still();
    // Every minus side before any plus side.
    for (id, sum) in rows.iter().zip(counts.iter_mut()) {
        row(*id).add_minus_to(sum);
    }
    for_each_cell(&place, |cell, place| cell.tally.add_minus_to(&mut counts[place]));
    for (id, sum) in rows.iter().zip(counts.iter_mut()) {
        row(*id).add_plus_to(sum);
    }
    for_each_cell(&place, |cell, place| cell.tally.add_plus_to(&mut counts[place]));
}

fn for_each_cell(place: &impl Fn(RowId) -> Option<usize>, mut visit: impl FnMut(&SiteCell, usize)) {
    for cell in chain().flat_map(Block::cells) {
        if let Some(place) = place(cell.row()) {
            visit(cell, place);
        }
    }
}

/// Empties the cells of rows that nobody refers to, so that the rows can be used again.
pub(super) fn forget(is_gone: impl Fn(RowId) -> bool) {
    let _still = keep_still();
    // No thread counts in these cells: no handle of theirs is alive, and their detector is gone.
    chain().flat_map(Block::cells).filter(|cell| is_gone(cell.row())).for_each(SiteCell::reset);
}
