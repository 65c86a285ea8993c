//! A pool against a list of what is out: nothing overlaps, nothing is misaligned, nothing that should be zero is not, and
//! every figure is what the list adds up to.

use proptest::prelude::*;
use proptest::sample::Index;

use super::place::SizeClass;
use super::{ByteBufAllocator, ByteBufMut, ChunkSize, PooledAllocator};
use crate::memory::DirectMemory;

const CHUNK_BYTES: usize = 64 << 10;
const LIMIT_BYTES: u64 = 5 * CHUNK_BYTES as u64 + 1000;

#[derive(Clone, Debug)]
enum Action {
    Allocate(usize),
    AllocateZeroed(usize),
    Grow(Index, usize),
    Release(Index),
    ReleaseElsewhere(Index),
    Trim,
}

fn actions() -> impl Strategy<Value = Vec<Action>> {
    let sizes = || {
        prop_oneof![
            4 => 0..300_usize,
            4 => 0..if cfg!(miri) { 2_000 } else { 20_000_usize },
            // Under Miri each byte that is filled and checked costs a microsecond.
            1 => if cfg!(miri) { 2_000..2_004 } else { CHUNK_BYTES - 2..CHUNK_BYTES + 2 },
            1 => 8190..8195_usize,
            1 => Just(usize::MAX),
        ]
    };
    let action = prop_oneof![
        6 => sizes().prop_map(Action::Allocate),
        2 => sizes().prop_map(Action::AllocateZeroed),
        3 => (any::<Index>(), sizes()).prop_map(|(of, more)| Action::Grow(of, more)),
        6 => any::<Index>().prop_map(Action::Release),
        1 => any::<Index>().prop_map(Action::ReleaseElsewhere),
        1 => Just(Action::Trim),
    ];
    prop::collection::vec(action, 1..if cfg!(miri) { 15 } else { 80 })
}

/// A buffer filled to its capacity with a byte of its own.
struct Out {
    buffer: ByteBufMut,
    value: u8,
    zeroed: bool,
}

impl Out {
    fn new(mut buffer: ByteBufMut, value: u8, zeroed: bool) -> Out {
        assert!(buffer.is_empty());
        assert_eq!(buffer.as_ptr().addr() % 64, 0);
        check_zeroes(&mut buffer, zeroed);
        buffer.resize(buffer.capacity(), value);
        Out { buffer, value, zeroed }
    }

    fn check(&self) {
        assert!(self.buffer.iter().all(|byte| *byte == self.value), "somebody else wrote into {:?}", self.buffer);
    }

    fn grow(&mut self, more: usize) -> bool {
        self.check();
        let len = self.buffer.len();
        if self.buffer.try_reserve(more).is_err() {
            self.check();
            return false;
        }
        assert_eq!(self.buffer.capacity(), len + more);
        assert_eq!(self.buffer.as_ptr().addr() % 64, 0);
        self.check();
        check_zeroes(&mut self.buffer, self.zeroed);
        self.buffer.resize(len + more, self.value);
        true
    }
}

/// What has not been written is zero where that was asked for.
fn check_zeroes(buffer: &mut ByteBufMut, zeroed: bool) {
    assert!(!zeroed || buffer.block_mut().spare_is_zero());
}

struct Model {
    memory: DirectMemory,
    pool: PooledAllocator,
    out: Vec<Out>,
    next: u8,
}

impl Model {
    fn act(&mut self, action: Action) {
        match action {
            Action::Allocate(capacity) => self.allocate(capacity, false),
            Action::AllocateZeroed(capacity) => self.allocate(capacity, true),
            Action::Grow(of, more) if !self.out.is_empty() => {
                let at = of.index(self.out.len());
                let fits = self.out[at].buffer.len().saturating_add(more) <= 300;
                let grown = self.out[at].grow(more);
                // Small ones have room in what there is, or in one more reservation.
                assert!(grown || !fits || self.memory.used() > LIMIT_BYTES - 1000, "{more} more were refused");
            }
            Action::Release(of) if !self.out.is_empty() => {
                let out = self.out.swap_remove(of.index(self.out.len()));
                out.check();
                assert!(out.buffer.release());
            }
            Action::ReleaseElsewhere(of) if !self.out.is_empty() => {
                let out = self.out.swap_remove(of.index(self.out.len()));
                out.check();
                std::thread::spawn(move || out.buffer.freeze().release()).join().unwrap();
            }
            Action::Trim => {
                let used = self.memory.used();
                assert_eq!(self.pool.trim(), used - self.memory.used());
                assert_eq!(self.pool.stats().cached_by_threads(), 0);
            }
            Action::Grow(..) | Action::Release(_) | Action::ReleaseElsewhere(_) => {}
        }
    }

    fn allocate(&mut self, capacity: usize, zeroed: bool) {
        let allocator = if zeroed { self.pool.clone().zeroed() } else { self.pool.clone() };
        match allocator.allocate(capacity) {
            Ok(buffer) => {
                assert_eq!(buffer.capacity(), capacity);
                self.next = self.next % 250 + 1;
                self.out.push(Out::new(buffer, self.next, zeroed));
            }
            // Nothing is refused that fits: neither in the budget, nor in a chunk that is there.
            Err(error) => assert!(self.memory.used().saturating_add(capacity as u64) > LIMIT_BYTES, "{error}"),
        }
    }

    fn check(&self) {
        let mut ranges: Vec<_> = self.out.iter().map(|out| out.buffer.as_ptr_range()).collect();
        ranges.retain(|range| !range.is_empty());
        ranges.sort_by_key(|range| range.start);
        assert!(ranges.is_sorted_by(|one, next| one.end <= next.start), "two buffers overlap: {ranges:?}");

        let sum = |of: fn(usize) -> usize| self.out.iter().map(|out| of(out.buffer.capacity()) as u64).sum::<u64>();
        let (stats, figures) = (self.pool.stats(), self.memory.figures());
        assert_eq!((stats.buffers(), stats.by_buffers()), (self.out.len() as u64, sum(|capacity| capacity)));
        assert_eq!((figures.by_buffers(), figures.overhead()), (stats.by_buffers(), stats.overhead()));
        assert_eq!((figures.cached(), figures.reserved()), (stats.cached(), stats.used()));
        assert_eq!(self.memory.used(), stats.used());
        assert!(stats.by_buffers() <= stats.pinned() && stats.pinned() <= stats.used());
        if stats.direct_buffers() == 0 {
            // Growth within a slot does not make the slot smaller, so at least this much.
            assert!(stats.pinned() >= sum(|capacity| SizeClass::of(capacity).bytes()));
        }
        let chunks = stats.arenas().iter().map(|arena| arena.chunks() as u64).sum::<u64>();
        assert_eq!(stats.used(), chunks * CHUNK_BYTES as u64 + stats.direct_bytes());
        assert!(stats.cached_by_threads() <= stats.cached());
    }
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: if cfg!(miri) { 2 } else { 256 }, failure_persistence: None, ..ProptestConfig::default()
    })]

    #[test]
    fn a_pool_is_a_list_of_buffers_that_is_paid_for(actions in actions(), cached in any::<bool>()) {
        let memory = DirectMemory::with_limit(LIMIT_BYTES);
        let builder = PooledAllocator::builder(memory.clone()).chunk_size(ChunkSize::new(CHUNK_BYTES).unwrap());
        let pool = if cached { builder.build() } else { builder.cached_up_to(0).build() };
        let mut model = Model { memory: memory.clone(), pool, out: Vec::new(), next: 0 };
        for action in actions {
            model.act(action);
            model.check();
        }
        let Model { pool, out, .. } = model;
        for out in out {
            out.check();
            out.buffer.release();
        }
        prop_assert_eq!((pool.stats().buffers(), pool.stats().pinned()), (0, 0));
        pool.trim();
        prop_assert_eq!((memory.used(), memory.reservations(), memory.figures().cached()), (0, 0, 0));
    }
}
