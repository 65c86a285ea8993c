//! Ten thousand cases, a scope each: every one sees what a plain model says, rows are used again, and a handle that outlives
//! its scope never counts in a stranger's row.

use std::cell::RefCell;
use std::collections::VecDeque;

use leaktrail::testing::LeakScope;
use leaktrail::{LeakDetector, Tracked, Watched};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestCaseError, TestRunner};

#[derive(Clone, Copy, Debug)]
enum Act {
    Track,
    Watch,
    Release,
    Lose,
    Drop,
    /// Kept beyond the end of the case.
    Outlive,
}

fn acts() -> impl Strategy<Value = Vec<Act>> {
    let act = prop_oneof![
        4 => Just(Act::Track),
        2 => Just(Act::Watch),
        2 => Just(Act::Release),
        1 => Just(Act::Lose),
        1 => Just(Act::Drop),
        1 => Just(Act::Outlive),
    ];
    proptest::collection::vec(act, 0..24)
}

/// What should be seen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Model {
    created: u64,
    released: u64,
    leaked: u64,
    live: u64,
}

fn seen(detector: &LeakDetector) -> Model {
    let seen = detector.snapshot();
    Model { created: seen.created(), released: seen.released(), leaked: seen.leaked(), live: seen.live() }
}

/// A handle that outlived its scope, or may.
struct Stray {
    handle: Tracked<u8>,
    case: u64,
    /// For some the detector of their scope is kept, so that it can be asked; for the others their handle alone keeps it.
    home: Option<LeakDetector>,
}

#[derive(Default)]
struct Strays {
    out: VecDeque<Stray>,
    cases: u64,
    came_home: u64,
}

/// How many handles are out at a time.
const MOST_OUT: usize = 40;

/// One case, held against the model.
fn run(acts: &[Act], strays: &mut Strays) -> Result<(), TestCaseError> {
    let scope = LeakScope::new("a case");
    let entered = scope.enter();
    let mut model = Model::default();
    let (mut tracked, mut watched): (Vec<Tracked<u8>>, Vec<Watched<u8>>) = Default::default();
    strays.cases += 1;
    let case = strays.cases;
    for act in acts {
        let Model { created, released, leaked, live } = &mut model;
        match act {
            Act::Track | Act::Watch => (*created, *live) = (*created + 1, *live + 1),
            Act::Release if !tracked.is_empty() => (*released, *live) = (*released + 1, *live - 1),
            Act::Lose if !tracked.is_empty() => (*leaked, *live) = (*leaked + 1, *live - 1),
            Act::Drop if !watched.is_empty() => (*released, *live) = (*released + 1, *live - 1),
            _ => {}
        }
        match act {
            Act::Track => tracked.push(leaktrail::track(1)),
            Act::Watch => watched.push(leaktrail::watch(1)),
            Act::Release => drop(tracked.pop().map(Tracked::release)),
            Act::Lose => drop(tracked.pop()),
            Act::Drop => drop(watched.pop()),
            Act::Outlive => strays.out.extend(tracked.pop().map(|handle| {
                let home = case.is_multiple_of(2).then(|| scope.detector().clone());
                Stray { handle, case, home }
            })),
        }
        while strays.out.len() > MOST_OUT {
            let Some(stray) = strays.out.pop_front() else { break };
            let before = stray.home.as_ref().map(seen);
            // A few are lost, which is printed.
            let is_lost = stray.case.is_multiple_of(2_000);
            if is_lost {
                drop(stray.handle);
            } else {
                Tracked::release(stray.handle);
            }
            prop_assert_ne!(stray.case, case, "it is out for longer than a case");
            if let (Some(home), Some(before)) = (stray.home, before) {
                let [released, leaked] = [!is_lost, is_lost].map(u64::from);
                let after = Model {
                    created: before.created,
                    released: before.released + released,
                    leaked: before.leaked + leaked,
                    live: before.live - 1,
                };
                prop_assert_eq!(seen(&home), after);
                strays.came_home += 1;
            }
        }
        if case.is_multiple_of(10) {
            prop_assert_eq!(seen(scope.detector()), model, "after {:?} of {:?}", act, acts);
        }
    }
    prop_assert_eq!(seen(scope.detector()), model, "after {:?}", acts);
    drop(entered);
    drop((tracked, watched));
    // What the case left is allowed, so that the scope's own drop does not fail it.
    scope.ignore_resource("u8", "part of the case");
    scope.assert_clean();
    Ok(())
}

#[test]
fn ten_thousand_cases_have_a_scope_each() {
    let cases = if cfg!(miri) { 5 } else { 10_000 };
    let strays = RefCell::new(Strays::default());
    let config = Config { cases, failure_persistence: None, ..Config::default() };
    TestRunner::new(config).run(&acts(), |acts| run(&acts, &mut strays.borrow_mut())).unwrap();
    let strays = strays.into_inner();
    assert!(strays.cases >= u64::from(cases));
    assert!(cfg!(miri) || strays.came_home > 1_000, "{}", strays.came_home);
}
