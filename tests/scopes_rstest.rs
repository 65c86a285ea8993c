//! Scopes as fixtures of rstest: each case has its own, and a fixture's drop asks what the test did not.

use std::panic::{AssertUnwindSafe, catch_unwind};

use leaktrail::testing::{LeakScope, ScopeGuard};
use leaktrail::{ByteBufAllocator, DirectMemory, LeakAware, Tracked, UnpooledAllocator};
use rstest::{fixture, rstest};

/// A scope that is entered. The guard comes first, so that the scope is left before it is asked.
struct Entered {
    _guard: ScopeGuard,
    scope: LeakScope,
}

#[fixture]
fn entered() -> Entered {
    let scope = LeakScope::new("a case of rstest");
    Entered { _guard: scope.enter(), scope }
}

#[fixture]
fn allocator(#[default(1 << 20)] limit: u64, entered: Entered) -> (LeakAware<UnpooledAllocator>, Entered) {
    (entered.scope.wrap(UnpooledAllocator::new(DirectMemory::with_limit(limit))), entered)
}

#[rstest]
#[case(1)]
#[case(2)]
#[case(3)]
fn each_case_has_its_own(entered: Entered, #[case] handles: u64) {
    for n in 0..handles {
        Tracked::release(leaktrail::track(n));
    }
    assert_eq!(entered.scope.detector().snapshot().released(), handles);
}

#[rstest]
fn a_wrapped_allocator_is_a_fixture_too(
    allocator: (LeakAware<UnpooledAllocator>, Entered),
    #[values(1, 4096)] size: usize,
) {
    allocator.0.allocate(size).unwrap().release();
    assert_eq!(allocator.1.scope.detector().snapshot().released(), 1);
}

#[rstest]
fn a_fixture_that_is_dropped_fails_the_case_that_leaks(entered: Entered) {
    drop(leaktrail::track(1));
    let payload = catch_unwind(AssertUnwindSafe(|| drop(entered))).unwrap_err();
    assert!(payload.downcast::<String>().unwrap().starts_with("leak scope 'a case of rstest' is not clean: 1 lost"));
}
