//! Call trees by chance: some functions of differing frames call each other in any order.

use std::hint::black_box;
use std::panic::{AssertUnwindSafe, catch_unwind};

use proptest::prelude::*;

use super::agrees;

/// The rest of a path: which functions are called next.
type Path<'a> = &'a [u8];

fn follow(path: Path<'_>) -> usize {
    match path.split_first() {
        None => agrees(),
        Some((&next, rest)) => FUNCTIONS[usize::from(next) % FUNCTIONS.len()](rest),
    }
}

#[inline(never)]
fn plain(rest: Path<'_>) -> usize {
    black_box(follow(rest)) + 1
}

/// Words of room that the optimiser cannot do without.
#[inline(never)]
fn sized<const WORDS: usize>(rest: Path<'_>) -> usize {
    let room = black_box([WORDS; WORDS]);
    let found = follow(rest);
    black_box(&room);
    found
}

/// Many values that live across the call, so that registers are saved.
#[inline(never)]
fn busy(rest: Path<'_>) -> usize {
    let [a, b, c, d, e, f, g] = black_box([1_usize, 2, 3, 4, 5, 6, 7]);
    let found = follow(rest);
    black_box(a * b + c * d + e * f + g);
    found
}

/// More arguments than there are registers.
#[inline(never)]
#[expect(clippy::too_many_arguments, reason = "that is what it is for")]
fn crowded(a: usize, b: usize, c: usize, d: usize, e: usize, f: usize, g: usize, rest: Path<'_>) -> usize {
    let found = follow(rest);
    black_box(a + b + c + d + e + f + g);
    found
}

fn through_crowded(rest: Path<'_>) -> usize {
    crowded(1, 2, 3, 4, 5, 6, black_box(7), rest)
}

#[inline(never)]
fn boxed(rest: Path<'_>) -> usize {
    let call: Box<dyn Fn(Path<'_>) -> usize> = Box::new(|rest| black_box(follow(rest)));
    black_box(call)(rest)
}

#[inline(never)]
fn caught(rest: Path<'_>) -> usize {
    catch_unwind(AssertUnwindSafe(|| follow(rest))).expect("nothing panics")
}

#[inline(never)]
fn dropped(rest: Path<'_>) -> usize {
    struct Later<'a>(Path<'a>, &'a mut usize);
    impl Drop for Later<'_> {
        fn drop(&mut self) {
            *self.1 = follow(self.0);
        }
    }
    let mut found = 0;
    drop(black_box(Later(rest, &mut found)));
    found
}

#[inline(never)]
fn branching(rest: Path<'_>) -> usize {
    if rest.len().is_multiple_of(2) {
        let room = black_box([0_u64; 40]);
        let found = follow(rest);
        black_box(room);
        found
    } else {
        black_box(follow(rest))
    }
}

#[inline(never)]
fn aligned(rest: Path<'_>) -> usize {
    #[repr(align(64))]
    struct Line([u8; 64]);
    let line = black_box(Line([1; 64]));
    let found = follow(rest);
    black_box(&line.0);
    found
}

const FUNCTIONS: [fn(Path<'_>) -> usize; 12] = [
    plain,
    sized::<1>,
    sized::<3>,
    sized::<31>,
    sized::<700>,
    busy,
    through_crowded,
    boxed,
    caught,
    dropped,
    branching,
    aligned,
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(if cfg!(debug_assertions) { 3_000 } else { 10_000 }))]

    #[test]
    fn every_tree_is_walked_as_the_unwinder_does(path in prop::collection::vec(any::<u8>(), 0..60)) {
        prop_assert!(follow(&path) > 1);
    }
}
