//! Stacks that differ: a tree of calls, of which each path is another stack.

use std::hint::black_box;

use crate::bodies::Body;

/// Calls from the root to a leaf.
const LEVELS: u32 = 20;

type Function = fn(u64, u32, &mut dyn FnMut(u64), u64);

/// Sixteen functions with frames that differ.
const FUNCTIONS: [Function; 16] = [
    sized::<1>,
    sized::<2>,
    sized::<3>,
    sized::<5>,
    sized::<8>,
    sized::<9>,
    sized::<11>,
    sized::<13>,
    sized::<16>,
    sized::<17>,
    sized::<19>,
    sized::<23>,
    sized::<29>,
    sized::<32>,
    sized::<48>,
    sized::<64>,
];

#[inline(never)]
fn sized<const WORDS: usize>(path: u64, levels: u32, then: &mut dyn FnMut(u64), number: u64) {
    let room = black_box([path; WORDS]);
    if levels == 0 {
        then(number);
    } else {
        // A step of a small generator, so that few numbers make paths that have little in common.
        let next = path.wrapping_mul(0x5851_F42D_4C95_7F2D).wrapping_add(0x1405_7B7E_F767_814F);
        FUNCTIONS[(next >> 60) as usize](next, levels - 1, then, number);
    }
    black_box(&room);
}

/// Calls `operation` at the leaves of so many paths, one after the other.
pub fn below_paths(paths: u64, mut operation: impl FnMut(u64) + Send + 'static) -> Body {
    Box::new(move |count| {
        for number in 0..count {
            sized::<4>(black_box(number % paths), LEVELS, &mut operation, number);
        }
        count
    })
}
