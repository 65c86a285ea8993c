//! Growth: fails on the sites that grow in every round, and on no other.

use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};

use leaktrail::testing::Growth;
use leaktrail::{Tracked, Watched};

#[track_caller]
fn failure(test: impl FnOnce()) -> String {
    let Err(payload) = catch_unwind(AssertUnwindSafe(test)) else { panic!("it passed") };
    *payload.downcast::<String>().expect("a String")
}

#[test]
fn a_cache_that_is_full_after_a_while_is_no_growth_and_one_that_never_is_is() {
    let mut requests = 0_u32;
    let mut bounded = HashMap::new();
    Growth::new().warm_up(0).rounds(10).check(|_| {
        requests += 1;
        bounded.insert(requests % 9, leaktrail::watch(0));
    });

    let mut unbounded = Vec::new();
    let mut bounded = HashMap::new();
    let mut grow = |_: &_| {
        requests += 1;
        bounded.insert(requests % 3, leaktrail::watch(0));
        unbounded.push(leaktrail::LeakDetector::global().resource("Body").bytes(10).watch(1));
    };
    let line = line!() - 2;
    let text = failure(|| Growth::new().warm_up(3).rounds(8).check(&mut grow));
    assert!(text.contains("grows: 1 site in each of 8 rounds, after 3 of warm-up"), "{text}");
    let row = format!("GROW: Body at tests/scopes_growth.rs:{line}:");
    assert!(text.contains(&row), "{text}");
    assert!(text.contains("11 live (110 B), 0 lost (0 B), from 3 (30 B) to 11 (110 B) in 8 rounds"), "{text}");
    assert!(text.contains("LIVE: 11 live, 110 B, Body created") && text.contains("Created at:"), "{text}");
}

#[test]
fn what_is_lost_in_every_round_grows_and_what_is_lost_once_does_not() {
    let mut round = 0;
    Growth::new().rounds(5).check(|_| {
        round += 1;
        let handle = leaktrail::track(1);
        if round == 6 { drop(handle) } else { drop(Tracked::release(handle).to_string()) }
    });
    let text = failure(|| Growth::new().rounds(5).check(|_| drop(leaktrail::track(1))));
    assert!(text.contains("0 live (0 B), 8 lost (0 B), from 3 (0 B) to 8 (0 B) in 5 rounds"), "{text}");
    assert!(text.contains("LEAK: i32.release() was not called"), "{text}");
}

#[test]
fn bytes_grow_too() {
    let mut buffer = None;
    let text = failure(|| {
        Growth::new().check(|scope| {
            let buffer: &mut Watched<Vec<u8>> =
                buffer.get_or_insert_with(|| scope.detector().resource("Buffer").watch(Vec::new()));
            buffer.push(0);
            let bytes = buffer.len() as u64;
            Watched::set_bytes(buffer, bytes);
        });
    });
    assert!(text.contains("1 live (13 B), 0 lost (0 B), from 1 (3 B) to 1 (13 B) in 10 rounds"), "{text}");
}
