//! Handles on their way through foreign code: a ticket is taken back once, by the process that made it, or refused with a
//! typed error; whatever the number, the counts stay right.

mod observed;

use std::process::Command;

use leaktrail::{Access, LeakDetector, Level, RawTicket, StaleTicket, Tracked};
use observed::{Observed, assert_figures, config, detector, hints, record};
use proptest::prelude::*;

const COUNTING: [Level; 3] = [Level::Simple, Level::Advanced, Level::Paranoid];

/// Offers a number as a ticket; the value comes back from an error, so the number that was refused is seen too.
fn offer(bits: u64) -> Result<Tracked<&'static str>, StaleTicket<&'static str>> {
    Tracked::from_raw("offered", RawTicket::from_bits(bits))
}

/// A handle with a trail and one without: below PARANOID the thread's second at a site is not sampled.
fn with_and_without_trail(level: Level) -> (LeakDetector, [Tracked<&'static str>; 2]) {
    let detector = LeakDetector::new(config(level).sampling_interval(observed::NEVER_AGAIN));
    let make = || detector.resource("Raw").bytes(16).track("a value");
    let handles = [make(), make()];
    (detector, handles)
}

#[test]
fn a_handle_travels_as_a_number_and_comes_back_whole() {
    for level in COUNTING {
        let (detector, handles) = with_and_without_trail(level);
        for handle in handles {
            let (value, ticket) = Tracked::into_raw(handle);
            let bits: u64 = ticket.into_bits();
            assert_ne!(bits, 0);
            assert_eq!(detector.snapshot().live_bytes(), 32, "counted as alive on its way");
            let mut handle = Tracked::from_raw(value, RawTicket::from_bits(bits)).unwrap();
            Tracked::set_bytes(&mut handle, 16);
            // Any number of times.
            for _ in 0..3 {
                let (value, ticket) = Tracked::into_raw(handle);
                handle = Tracked::from_raw(value, ticket).unwrap();
            }
            let released = Tracked::release(handle);
            assert_eq!(released, "a value");
            Tracked::into_untracked(detector.resource("Raw").bytes(16).track("instead of it"), "keeps the bytes at 32");
            std::mem::forget(detector.resource("Filler").bytes(16).watch(()));
        }
        assert_figures!(detector, { created: 6, released: 2, untracked: 2, live: 2 }, "at {level}");
    }
}

#[test]
fn a_ticket_is_taken_back_once() {
    for level in COUNTING {
        let (detector, handles) = with_and_without_trail(level);
        for handle in handles {
            let (value, ticket) = Tracked::into_raw(handle);
            let handle = Tracked::from_raw(value, ticket).unwrap();
            // While the handle is there, after it has gone, and again.
            let stale = Tracked::from_raw(String::from("mine"), ticket).unwrap_err();
            assert_eq!(stale.ticket(), ticket);
            assert_eq!(stale.into_value(), "mine", "the value comes back");
            Tracked::release(handle);
            assert!(offer(ticket.into_bits()).is_err());
            assert!(offer(ticket.into_bits()).is_err());
        }
        assert_figures!(detector, { created: 2, released: 2 }, "at {level}");
    }
}

/// Trails take each other's places in memory, so this is what keeps their numbers apart.
#[test]
fn a_stale_ticket_is_refused_while_another_is_on_its_way_in_its_place() {
    let detector = detector(Level::Paranoid);
    let mut stale: Vec<RawTicket> = Vec::new();
    for n in 0..200 {
        let (value, ticket) = Tracked::into_raw(detector.track(n));
        for old in &stale {
            assert_ne!(*old, ticket);
            assert!(offer(old.into_bits()).is_err());
        }
        assert_figures!(detector, { created: n + 1, released: n, live: 1 });
        Tracked::release(Tracked::from_raw(value, ticket).unwrap());
        stale.push(ticket);
    }
}

#[test]
fn a_stale_ticket_says_what_it_is() {
    let detector = detector(Level::Simple);
    let (value, ticket) = Tracked::into_raw(detector.track(1));
    Tracked::release(Tracked::from_raw(value, ticket).unwrap());
    let stale = Tracked::from_raw(2, ticket).unwrap_err();
    let text = stale.to_string();
    assert!(text.contains(&format!("{:#x}", ticket.into_bits())) && text.contains("is stale"), "{text}");
    assert!(format!("{stale:?}").starts_with("StaleTicket"));
    let as_error: &dyn std::error::Error = &stale;
    assert!(as_error.source().is_none());
}

#[test]
fn a_ticket_of_a_handle_that_never_left_is_refused() {
    for level in COUNTING {
        let (detector, handles) = with_and_without_trail(level);
        // Numbers beside that of one that is on its way.
        let (value, ticket) = Tracked::into_raw(detector.track("out"));
        let bits = ticket.into_bits();
        for near in 1..200 {
            for forged in [bits.wrapping_sub(near), bits.wrapping_add(near), bits ^ near << 32, bits | 1 << 63] {
                if forged != 0 && forged != bits {
                    assert!(offer(forged).is_err(), "{forged:#x} beside {bits:#x}");
                }
            }
        }
        Tracked::release(Tracked::from_raw(value, ticket).unwrap());
        for handle in handles {
            Tracked::release(handle);
        }
        assert_figures!(detector, { created: 3, released: 3 }, "at {level}");
    }
}

/// So many handles on their way that the numbers of two processes would meet, if they were given in order.
fn thousands_out(detector: &LeakDetector) -> Vec<(u32, RawTicket)> {
    (0..4_000).map(|n| Tracked::into_raw(detector.track(n))).collect()
}

#[test]
#[ignore = "the other process of `numbers_of_another_process_are_refused`"]
fn another_process() {
    for (_, ticket) in thousands_out(&detector(Level::Paranoid)) {
        println!("\nticket {}", ticket.into_bits());
    }
}

#[test]
fn numbers_of_another_process_are_refused() {
    let another = std::env::current_exe().unwrap();
    let ended =
        Command::new(another).args(["another_process", "--exact", "--ignored", "--nocapture"]).output().unwrap();
    let printed = String::from_utf8(ended.stdout).unwrap();
    let foreign: Vec<u64> =
        printed.lines().filter_map(|line| line.strip_prefix("ticket ")).map(|bits| bits.parse().unwrap()).collect();
    assert_eq!(foreign.len(), 4_000, "{printed}");

    let detector = detector(Level::Paranoid);
    let out = thousands_out(&detector);
    // Small numbers too: what a caller sends who confuses two integers.
    for bits in foreign.into_iter().chain(1..4_096).chain([1 << 63, u64::MAX, u64::MAX - 1, 0x7f00_0000_0000]) {
        assert!(offer(bits).is_err(), "{bits:#x}");
    }
    assert_figures!(detector, { created: 4_000, live: 4_000 });
    for (value, ticket) in out {
        Tracked::release(Tracked::from_raw(value, ticket).unwrap());
    }
    assert_figures!(detector, { created: 4_000, released: 4_000 });
}

#[test]
fn a_handle_that_is_not_counted_travels_too() {
    let detector = detector(Level::Disabled);
    let (value, ticket) = Tracked::into_raw(detector.track(7));
    assert_eq!(ticket.into_bits(), 0, "nothing is behind it");
    drop(Tracked::from_raw(value, ticket).unwrap());
    drop(Tracked::from_raw(value, ticket).unwrap());
    assert_figures!(detector, {});
}

#[test]
fn a_handle_lost_after_its_way_is_reported_with_its_trail() {
    let detector = detector(Level::Paranoid);
    let observed = Observed::of(&detector);
    let handle = detector.track(1);
    Tracked::touch_with(&handle, "before");
    let (value, ticket) = Tracked::into_raw(handle);
    let handle = Tracked::from_raw(value, ticket).unwrap();
    Tracked::touch_with(&handle, "after");
    drop(handle);
    let report = observed.only();
    assert_eq!(hints(&report), ["after", "before"]);
    assert_eq!(record(&report, Access::Dropped).hint(), None);
}

#[test]
fn a_number_that_never_comes_back_stays_alive() {
    let detector = detector(Level::Simple);
    let _ = Tracked::into_raw(detector.track(1));
    assert_figures!(detector, { created: 1, live: 1 });
}

proptest! {
    /// Any number: never a panic, never a wrong count. 0 is the ticket of what is not counted, and accepted as that.
    #[test]
    fn any_number_is_taken_or_refused_and_no_count_changes(
        bits in prop_oneof![any::<u64>(), 0..4_096_u64, any::<u32>().prop_map(u64::from)],
    ) {
        let (detector, handles) = with_and_without_trail(Level::Simple);
        match offer(bits) {
            Ok(handle) => {
                prop_assert_eq!(bits, 0);
                drop(handle);
            }
            Err(stale) => prop_assert_eq!((stale.ticket().into_bits(), stale.into_value()), (bits, "offered")),
        }
        assert_figures!(detector, { created: 2, live: 2 });
        prop_assert_eq!(detector.snapshot().live_bytes(), 32);
        for handle in handles {
            Tracked::release(handle);
        }
        assert_figures!(detector, { created: 2, released: 2 });
    }
}
