//! Chunks that share a lock, and which of their slots are free.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use range_alloc::RangeAllocator;

use super::books::SharedBooks;
use super::chunk::Chunk;
use super::run::Run;
use super::size_class::{PAGE_BYTES, SizeClass};
use crate::memory::{ChildLock, DirectMemory};

/// A place for a buffer: where, and what keeps it.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) chunk: Arc<Chunk>,
    pub(super) at: At,
}

/// Which slot of an arena.
#[derive(Clone, Copy, Debug)]
pub(super) struct At {
    pub(super) chunk: u32,
    pub(super) page: u32,
    pub(super) index: u32,
}

/// What becomes of chunks that are idle.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Keep {
    /// Some of them lie ready.
    Some,
    /// All of them go: somebody waits for memory.
    Nothing,
}

/// Chunks, their runs and their slots, behind one lock.
///
/// No chunk is made, freed, reserved or given back under the lock: what is to go is handed out of it first. So a reclaim
/// hook or a destructor that comes back here meets no lock of its own thread's.
#[derive(Debug)]
pub(super) struct Arena {
    state: ChildLock<State>,
    /// How many threads allocate here.
    pub(super) threads: AtomicUsize,
    pub(super) books: SharedBooks,
    chunk_bytes: usize,
}

#[derive(Debug, Default)]
struct State {
    /// By number, the oldest first: they are filled in this order, so that the newest come free.
    chunks: BTreeMap<u32, Filling>,
    next: u32,
    /// How many of them have no run.
    idle: usize,
    /// For each class the runs that have a free slot, as chunk and page; the lowest is used first.
    with_room: BTreeMap<SizeClass, BTreeSet<(u32, u32)>>,
    /// No idle chunk is kept.
    closed: bool,
}

/// A chunk and what is in it.
#[derive(Debug)]
struct Filling {
    chunk: Arc<Chunk>,
    /// Which pages are no run's: best fit, neighbours merged.
    pages: RangeAllocator<u32>,
    /// The runs by their first page.
    runs: BTreeMap<u32, Run>,
    busy_pages: u32,
    /// So many pages in a row were not found since a run was last given back.
    too_many: u32,
}

/// What is in an arena.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct ArenaFigures {
    /// Threads that allocate here.
    pub(crate) threads: usize,
    /// Of each chunk the pages in runs, of so many.
    pub(crate) busy_pages: Vec<u32>,
    pub(crate) chunk_pages: u32,
}

impl Arena {
    pub(super) fn new(memory: &DirectMemory, chunk_bytes: usize) -> Arena {
        Arena {
            state: ChildLock::new(State::default()),
            threads: AtomicUsize::new(0),
            books: SharedBooks::new(memory),
            chunk_bytes,
        }
    }

    /// Takes a slot, and up to `at_most` in all if the same run has them; nothing where no chunk has room.
    pub(super) fn take(&self, class: SizeClass, at_most: usize) -> Vec<Found> {
        let mut found = Vec::with_capacity(at_most);
        if let Some(mut state) = self.state.lock() {
            state.take(class, at_most, &mut found);
        }
        found
    }

    /// Adds a chunk and takes from it.
    pub(super) fn take_from_new(&self, chunk: Chunk, class: SizeClass, at_most: usize) -> Vec<Found> {
        let (chunk, mut found) = (Arc::new(chunk), Vec::with_capacity(at_most));
        self.books.add_chunk(self.chunk_bytes as u64);
        let Some(mut state) = self.state.lock() else {
            self.books.sub_chunks(self.chunk_bytes as u64);
            return found;
        };
        state.add(chunk, (self.chunk_bytes / PAGE_BYTES) as u32);
        state.take(class, at_most, &mut found);
        found
    }

    /// A slot is free again. Of the chunks that are idle then, as many are kept as are busy, and one.
    ///
    /// In a forked child whose parent's thread holds the lock the slot stays taken.
    pub(super) fn give_back(&self, at: At, keep: Keep) {
        let Some(mut state) = self.state.lock() else { return };
        state.give_back(at);
        let busy = state.chunks.len() - state.idle;
        let most = if state.closed || keep == Keep::Nothing { 0 } else { busy.max(1) };
        let surplus = state.idle.saturating_sub(most);
        let surplus = state.remove_idle(surplus);
        drop(state);
        self.write_off(&surplus);
    }

    /// Gives idle chunks back until so many bytes are; answers how many are.
    pub(super) fn trim(&self, bytes: u64) -> u64 {
        let Some(mut state) = self.state.lock() else { return 0 };
        let wanted = bytes.div_ceil(self.chunk_bytes as u64);
        let idle = state.remove_idle(usize::try_from(wanted).unwrap_or(usize::MAX));
        drop(state);
        self.write_off(&idle)
    }

    /// Keeps no idle chunk from now on.
    pub(super) fn close(&self) {
        if let Some(mut state) = self.state.lock() {
            state.closed = true;
        }
        self.trim(u64::MAX);
    }

    pub(super) fn figures(&self) -> ArenaFigures {
        let chunk_pages = (self.chunk_bytes / PAGE_BYTES) as u32;
        let busy_pages =
            self.state.lock().map(|state| state.chunks.values().map(|filling| filling.busy_pages).collect());
        // Relaxed: a figure for display.
        ArenaFigures {
            threads: self.threads.load(Ordering::Relaxed),
            busy_pages: busy_pages.unwrap_or_default(),
            chunk_pages,
        }
    }

    /// Takes chunks off the books that are about to be dropped, out of the lock; answers their bytes.
    fn write_off(&self, chunks: &[Arc<Chunk>]) -> u64 {
        let bytes = chunks.len() as u64 * self.chunk_bytes as u64;
        if bytes > 0 {
            self.books.sub_chunks(bytes);
        }
        bytes
    }
}

impl State {
    fn add(&mut self, chunk: Arc<Chunk>, pages: u32) {
        let filling = Filling {
            chunk,
            pages: RangeAllocator::new(0..pages),
            runs: BTreeMap::new(),
            busy_pages: 0,
            too_many: u32::MAX,
        };
        self.chunks.insert(self.next, filling);
        self.next = self.next.wrapping_add(1);
        self.idle += 1;
    }

    fn take(&mut self, class: SizeClass, at_most: usize, found: &mut Vec<Found>) {
        let Some((number, page)) = self.run_with_room(class) else { return };
        let Some(filling) = self.chunks.get_mut(&number) else { return };
        let Some(run) = filling.runs.get_mut(&page) else { return };
        let slots = std::iter::from_fn(|| run.take()).take(at_most);
        found.extend(slots.map(|index| Found { chunk: filling.chunk.clone(), at: At { chunk: number, page, index } }));
        if run.is_full()
            && let Some(runs) = self.with_room.get_mut(&class)
        {
            runs.remove(&(number, page));
        }
    }

    /// The lowest run of that class with a free slot, or a new one.
    fn run_with_room(&mut self, class: SizeClass) -> Option<(u32, u32)> {
        let runs = self.with_room.entry(class).or_default();
        if let Some(run) = runs.first() {
            return Some(*run);
        }
        let needed = class.run_pages();
        for (number, filling) in &mut self.chunks {
            if filling.too_many <= needed {
                continue;
            }
            let Ok(pages) = filling.pages.allocate_range(needed) else {
                filling.too_many = needed;
                continue;
            };
            if filling.busy_pages == 0 {
                self.idle -= 1;
            }
            filling.busy_pages += needed;
            filling.runs.insert(pages.start, Run::new(class));
            runs.insert((*number, pages.start));
            return Some((*number, pages.start));
        }
        None
    }

    fn give_back(&mut self, at: At) {
        let Some(filling) = self.chunks.get_mut(&at.chunk) else { return };
        let Some(run) = filling.runs.get_mut(&at.page) else { return };
        let class = run.class;
        run.give_back(at.index);
        let runs = self.with_room.entry(class).or_default();
        if !run.is_empty() {
            runs.insert((at.chunk, at.page));
            return;
        }
        runs.remove(&(at.chunk, at.page));
        filling.runs.remove(&at.page);
        filling.pages.free_range(at.page..at.page + class.run_pages());
        filling.busy_pages -= class.run_pages();
        filling.too_many = u32::MAX;
        if filling.busy_pages == 0 {
            self.idle += 1;
        }
    }

    /// Takes up to so many idle chunks out, the newest first.
    fn remove_idle(&mut self, at_most: usize) -> Vec<Arc<Chunk>> {
        if at_most == 0 {
            return Vec::new();
        }
        let idle = self.chunks.iter().rev().filter(|(_, filling)| filling.busy_pages == 0);
        let numbers: Vec<u32> = idle.map(|(number, _)| *number).take(at_most).collect();
        self.idle -= numbers.len();
        numbers.iter().filter_map(|number| self.chunks.remove(number)).map(|filling| filling.chunk).collect()
    }
}
