//! Every walk against the system's unwinder, address by address.

mod calls;
mod foreign;
mod trees;

use super::*;

/// The fast walker that this system has.
fn walker() -> Walker {
    let walker = best();
    assert_ne!(walker, Walker::Backtrace, "there is a fast walker here");
    walker
}

/// Walks by the fast walker alone, without falling back.
#[inline(never)]
fn walk_alone(start: Start, stack: &mut Captured) -> bool {
    match walker() {
        #[cfg(all(target_os = "linux", target_arch = "x86_64"))]
        Walker::Rules => RULES.walk(start, stack),
        _ => {
            // The first one on a thread may learn where its chains end.
            walk_along_frames(start, stack);
            CHAINS.walk(start, stack) == Walked::Whole
        }
    }
}

/// Asserts that the fast walk of the calling stack is the unwinder's; answers its depth.
#[inline(never)]
fn agrees() -> usize {
    let start = Start::here();
    let (mut stack, mut expected) = (Captured::empty(), Captured::empty());
    assert!(walk_alone(start, &mut stack), "the walk was given up");
    by_reference(start, &mut expected);
    assert_eq!(stack.addresses(), expected.addresses());
    assert_eq!((stack.is_cut(), stack.hash()), (expected.is_cut(), expected.hash()));
    stack.addresses().len()
}

/// Asserts that the fast walk of the calling stack is given up, and that the walk as a whole is the unwinder's all the same.
#[inline(never)]
fn is_handed_over() -> usize {
    let start = Start::here();
    let (mut stack, mut expected) = (Captured::empty(), Captured::empty());
    assert!(!walk_alone(start, &mut stack), "no rule holds here");
    assert!(walk(walker(), start, &mut stack));
    by_reference(start, &mut expected);
    assert_eq!(stack.addresses(), expected.addresses());
    assert!(!stack.is_cut());
    stack.addresses().len()
}

/// The reference itself leaves out its own frames, and none of the others.
#[test]
fn the_reference_begins_at_the_caller() {
    let start = Start::here();
    let (mut whole, mut outer) = (Captured::empty(), Captured::empty());
    reference::walk(None, &mut whole);
    by_reference(start, &mut outer);
    let (whole, outer) = (whole.addresses(), &outer.addresses()[1..]);
    assert!(whole.ends_with(outer) && whole.len() > outer.len(), "{whole:x?} {outer:x?}");
    // What lies between is the unwinder and this very function.
    assert!(whole.len() - outer.len() <= 8, "{whole:x?} {outer:x?}");
}
