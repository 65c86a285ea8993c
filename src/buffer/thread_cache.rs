//! Slots that one thread has at hand.

use std::sync::Arc;

use super::place::{Arenas, Books, Ledger, SizeClass};
use super::storage::Storage;
use super::try_lock::TryLock;

/// The slots of one pool that a thread keeps ready, each with the header that its last buffer had: allocating and
/// releasing touches neither an arena's lock nor the system.
///
/// The thread is the only one that comes here often. Who trims, and who reads figures, comes too, so it stands behind a
/// lock that nobody waits for: the thread goes to the arena meanwhile.
#[derive(Debug)]
pub(super) struct ThreadCache {
    pool: u64,
    arena: usize,
    arenas: Arc<Arenas>,
    shelves: TryLock<Shelves>,
}

#[derive(Debug)]
struct Shelves {
    /// One for each class that is kept, the smallest first.
    shelves: Vec<Shelf>,
    books: Books,
    /// Buffers to be lent before it is looked what was not needed.
    until_sweep: u32,
    /// False once the pool or the thread is gone: nothing is kept.
    open: bool,
}

/// The slots of one class. It has room for its most from the start, so lending and taking back allocates nothing.
#[derive(Debug)]
struct Shelf {
    #[allow(clippy::vec_box, reason = "a header is what references point to; it stays where it is")]
    storages: Vec<Box<Storage>>,
    slot_bytes: usize,
    /// The fewest that there were since the last sweep: so many were not needed.
    fewest: usize,
}

/// Headers on their way out of a cache, to be dropped where no lock is held.
#[allow(clippy::vec_box, reason = "they were boxed where they come from")]
pub(super) type Surplus = Vec<Box<Storage>>;

/// What a cache is asked for when it has nothing for a size.
#[derive(Clone, Copy, Debug)]
pub(super) struct Wanted {
    /// The thread's arena.
    pub(super) arena: usize,
    /// How many slots are worth fetching at once.
    pub(super) at_most: usize,
}

/// What a thread keeps of one class, in bytes; but a few of each, and of small ones not many.
const SHELF_BYTES: usize = 256 << 10;
const FEWEST_ON_A_SHELF: usize = 4;
const MOST_ON_A_SHELF: usize = 64;
/// After so many buffers what was not needed goes back: Netty's `cacheTrimInterval`.
const SWEEP_INTERVAL: u32 = 8_192;

fn room(class_bytes: usize) -> usize {
    (SHELF_BYTES / class_bytes).clamp(FEWEST_ON_A_SHELF, MOST_ON_A_SHELF)
}

impl ThreadCache {
    /// An empty one for buffers of up to so many bytes.
    pub(super) fn new(arenas: Arc<Arenas>, up_to_bytes: usize) -> ThreadCache {
        let classes = if up_to_bytes == 0 { 0 } else { SizeClass::count_up_to(up_to_bytes) };
        let shelf = |index| {
            let slot_bytes = SizeClass::at(index).bytes();
            Shelf { storages: Vec::with_capacity(room(slot_bytes)), slot_bytes, fewest: 0 }
        };
        let shelves = Shelves {
            shelves: (0..classes).map(shelf).collect(),
            books: Books::new(arenas.memory()),
            until_sweep: SWEEP_INTERVAL,
            open: true,
        };
        ThreadCache { pool: arenas.id(), arena: arenas.join(), arenas, shelves: TryLock::new(shelves) }
    }

    /// The number of its pool.
    #[inline]
    pub(super) fn pool(&self) -> u64 {
        self.pool
    }

    /// Takes a header of that class and enters a buffer of that capacity; `None` where there is none, and once in a while
    /// when it is time to sweep.
    #[inline]
    pub(super) fn take(&self, class: SizeClass, capacity: usize) -> Option<Box<Storage>> {
        self.shelves.try_with(|shelves| shelves.take(class, capacity)).flatten()
    }

    /// Enters that a buffer of that capacity came back, and takes its header. One that is left there is the caller's to drop.
    /// False if nothing could be entered now.
    #[inline]
    pub(super) fn put_back(&self, storage: &mut Option<Box<Storage>>, class: SizeClass, capacity: usize) -> bool {
        self.shelves.try_with(|shelves| shelves.put_back(storage, class, capacity)).is_some()
    }

    /// Keeps headers that nobody has had yet. Those that there is no room for are left.
    pub(super) fn stock_up(&self, surplus: &mut Surplus) {
        self.shelves.try_with(|shelves| {
            while let Some(storage) = surplus.pop() {
                if let Err(storage) = shelves.keep(storage) {
                    surplus.push(storage);
                    return;
                }
            }
        });
    }

    /// Enters a buffer whose slot came from the arena; false if that could not be done now.
    pub(super) fn lend(&self, slot_bytes: usize, capacity: usize) -> bool {
        self.shelves.try_with(|shelves| shelves.books.lend(slot_bytes, capacity)).is_some()
    }

    /// Enters that a buffer grew within its slot; false if that could not be done now.
    pub(super) fn grow(&self, more: usize) -> bool {
        self.shelves.try_with(|shelves| shelves.books.grow(more)).is_some()
    }

    /// What to fetch from the arena for a size that there is nothing of.
    pub(super) fn wanted(&self, class: SizeClass) -> Wanted {
        let room = self.shelves.try_with(|shelves| shelves.shelves.get(class.index()).map(Shelf::room));
        // A quarter: who only lends and never takes back fetches this often.
        Wanted { arena: self.arena, at_most: room.flatten().map_or(1, |room| (room / 4).max(1)) }
    }

    /// Half of a class that has no room left.
    pub(super) fn halve(&self, class: SizeClass) -> Surplus {
        let mut surplus = Vec::with_capacity(MOST_ON_A_SHELF);
        self.shelves.try_with(|shelves| shelves.halve(class, &mut surplus));
        surplus
    }

    /// Of all classes what was not needed since this was done before, if it is time for it.
    pub(super) fn sweep(&self) -> Surplus {
        let mut surplus = Surplus::new();
        self.shelves.try_with(|shelves| shelves.sweep(&mut surplus));
        surplus
    }

    /// Everything that lies here.
    pub(super) fn drain(&self) -> Surplus {
        let mut all = Surplus::new();
        self.shelves.with_patience(|shelves| shelves.drain(&mut all));
        all
    }

    /// The same, for the last time: from now on nothing is kept.
    pub(super) fn close(&self) -> Surplus {
        let mut all = Surplus::new();
        self.shelves.with_patience(|shelves| {
            shelves.open = false;
            shelves.drain(&mut all);
        });
        all
    }

    /// The thread ends. What it counted goes on in its arena's books.
    pub(super) fn retire(&self) -> Surplus {
        let surplus = self.close();
        let ledger = self.shelves.with_patience(|shelves| shelves.books.close());
        self.arenas.leave(self.arena, ledger.unwrap_or_default());
        surplus
    }

    /// Whether its pool lives.
    pub(super) fn is_open(&self) -> bool {
        self.shelves.try_with(|shelves| shelves.open).unwrap_or(true)
    }

    /// What was counted here, and how many bytes lie here.
    pub(super) fn figures(&self) -> Option<(Ledger, u64)> {
        self.shelves.with_patience(|shelves| {
            let bytes = |shelf: &Shelf| shelf.storages.len() * shelf.slot_bytes;
            (shelves.books.ledger(), shelves.shelves.iter().map(bytes).sum::<usize>() as u64)
        })
    }
}

impl Shelves {
    #[inline]
    fn take(&mut self, class: SizeClass, capacity: usize) -> Option<Box<Storage>> {
        let shelf = self.shelves.get_mut(class.index())?;
        self.until_sweep = self.until_sweep.checked_sub(1)?;
        let storage = shelf.storages.pop()?;
        shelf.fewest = shelf.fewest.min(shelf.storages.len());
        self.books.lend(shelf.slot_bytes, capacity);
        Some(storage)
    }

    #[inline]
    fn put_back(&mut self, storage: &mut Option<Box<Storage>>, class: SizeClass, capacity: usize) {
        let Some(shelf) = self.shelves.get_mut(class.index()) else {
            self.books.take_back(class.bytes(), capacity);
            return;
        };
        self.books.take_back(shelf.slot_bytes, capacity);
        if shelf.storages.len() < shelf.room()
            && self.open
            && let Some(storage) = storage.take()
        {
            shelf.storages.push(storage);
        }
    }

    fn keep(&mut self, storage: Box<Storage>) -> Result<(), Box<Storage>> {
        let shelf = storage.class().and_then(|class| self.shelves.get_mut(class.index()));
        match shelf {
            Some(shelf) if self.open && shelf.storages.len() < shelf.room() => {
                shelf.storages.push(storage);
                Ok(())
            }
            _ => Err(storage),
        }
    }

    fn sweep(&mut self, surplus: &mut Surplus) {
        if self.until_sweep > 0 {
            return;
        }
        self.until_sweep = SWEEP_INTERVAL;
        for shelf in &mut self.shelves {
            surplus.extend(shelf.storages.drain(..shelf.fewest.min(shelf.storages.len())));
            shelf.fewest = shelf.storages.len();
        }
    }

    /// From below, here and above: what was used last is the likeliest to be in the processor's cache.
    fn halve(&mut self, class: SizeClass, surplus: &mut Surplus) {
        if let Some(shelf) = self.shelves.get_mut(class.index())
            && shelf.storages.len() == shelf.room()
        {
            surplus.extend(shelf.storages.drain(..shelf.room() / 2));
        }
    }

    fn drain(&mut self, all: &mut Surplus) {
        for shelf in &mut self.shelves {
            all.append(&mut shelf.storages);
            shelf.fewest = 0;
        }
    }
}

impl Shelf {
    #[inline]
    fn room(&self) -> usize {
        self.storages.capacity()
    }
}
