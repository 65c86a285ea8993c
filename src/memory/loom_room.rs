//! Loom models of waiting: nobody who could be served sleeps on, and nobody is overtaken whose bytes are kept.
//!
//! Loom has no time: a wait ends by its answer, and bytes are kept from the beginning. A model in which somebody sleeps for
//! ever is a deadlock, which loom reports.

use std::sync::Arc;
use std::time::Duration;

use loom::thread;

use super::budget::{Budget, Turn};
use super::call::Answer;
use super::reservation::Reservation;
use super::waiter::Waiter;

fn taken(budget: &Arc<Budget>, bytes: u64) -> Reservation {
    Reservation::take(budget, bytes, Turn::AtOnce).unwrap()
}

/// Waits for ever; what is taken is given back.
fn wait_and_give_back(budget: &Arc<Budget>, bytes: u64) {
    let waiter = Waiter::enter(budget, bytes);
    assert_eq!(waiter.wait_for(Duration::MAX), Some(Answer::Served));
    assert!(waiter.leave());
    drop(Reservation::of_taken(budget, bytes));
}

fn assert_nothing_is_out(budget: &Budget) {
    assert_eq!((budget.account.used_bytes(), budget.account.live_reservations()), (0, 0));
    assert!(!budget.is_waited_for());
}

/// The flag and the counter: whatever the order, the bytes that come back are seen by who waits.
#[test]
fn loom_bytes_that_come_back_wake_who_waits() {
    loom::model(|| {
        let budget = Arc::new(Budget::root(Some(100)));
        let held = taken(&budget, 100);
        let other = budget.clone();
        let thread = thread::spawn(move || wait_and_give_back(&other, 60));
        drop(held);
        thread.join().unwrap();
        assert_nothing_is_out(&budget);
    });
}

/// Two give back what only together is enough.
#[test]
fn loom_two_halves_wake_who_waits_for_the_whole() {
    loom::model(|| {
        let budget = Arc::new(Budget::root(Some(100)));
        let halves = [taken(&budget, 50), taken(&budget, 50)];
        let threads = halves.map(|half| thread::spawn(move || drop(half)));
        wait_and_give_back(&budget, 100);
        threads.into_iter().for_each(|thread| thread.join().unwrap());
        assert_nothing_is_out(&budget);
    });
}

/// Two who wait: each is served, whoever comes first.
#[test]
fn loom_each_of_two_who_wait_is_served() {
    loom::model(|| {
        let budget = Arc::new(Budget::root(Some(100)));
        let held = taken(&budget, 100);
        let threads = [60, 70].map(|bytes| {
            let budget = budget.clone();
            thread::spawn(move || wait_and_give_back(&budget, bytes))
        });
        drop(held);
        threads.into_iter().for_each(|thread| thread.join().unwrap());
        assert_nothing_is_out(&budget);
    });
}

/// One gives up as it is served: its bytes go to the next, once.
#[test]
fn loom_who_gives_up_leaves_nothing_behind() {
    loom::model(|| {
        let budget = Arc::new(Budget::root(Some(100)));
        let held = taken(&budget, 100);
        let first = Waiter::enter(&budget, 80);
        let other = budget.clone();
        let next = thread::spawn(move || wait_and_give_back(&other, 90));
        let back = thread::spawn(move || drop(held));
        drop(first);
        next.join().unwrap();
        back.join().unwrap();
        assert_nothing_is_out(&budget);
    });
}

/// Who asks at once takes nothing that is kept: after it began to wait, the first in line is the next to be served.
#[test]
fn loom_what_is_kept_is_not_taken() {
    loom::model(|| {
        let budget = Arc::new(Budget::root(Some(100)));
        let held = taken(&budget, 60);
        let waiter = Waiter::enter(&budget, 50);
        let other = budget.clone();
        let thread = thread::spawn(move || Reservation::take(&other, 10, Turn::AtOnce).is_ok());
        drop(held);
        assert_eq!(waiter.wait_for(Duration::MAX), Some(Answer::Served));
        // 40 were free beside the 60, and none while 50 of them were kept.
        assert!(waiter.leave());
        thread.join().unwrap();
        assert_eq!((budget.account.used_bytes(), budget.account.live_reservations()), (50, 1));
        assert!(budget.account.peak_bytes() <= 60);
        drop(Reservation::of_taken(&budget, 50));
        assert_nothing_is_out(&budget);
    });
}

/// A child's bytes and the root's are taken together or not at all, beside somebody who takes from the root without a lock.
#[test]
fn loom_a_child_takes_nothing_in_vain() {
    loom::model(|| {
        let root = Arc::new(Budget::root(Some(100)));
        let child = Arc::new(Budget::child(&root, "child".into(), 60));
        let of_child = child.clone();
        // Beside 50 of the root there is room for 50 of the child, in whatever order.
        let thread = thread::spawn(move || drop(taken(&of_child, 50)));
        drop(taken(&root, 50));
        assert!(child.account.used_bytes() <= 50);
        thread.join().unwrap();
        assert_nothing_is_out(&root);
        assert_nothing_is_out(&child);
    });
}

/// Who waits at a child's limit is woken by what comes back there, not by the root's.
#[test]
fn loom_who_waits_at_a_child_is_woken() {
    loom::model(|| {
        let root = Arc::new(Budget::root(Some(100)));
        let child = Arc::new(Budget::child(&root, "child".into(), 60));
        let held = taken(&child, 40);
        let other = child.clone();
        let thread = thread::spawn(move || wait_and_give_back(&other, 30));
        drop(held);
        thread.join().unwrap();
        assert_nothing_is_out(&root);
        assert_nothing_is_out(&child);
    });
}
