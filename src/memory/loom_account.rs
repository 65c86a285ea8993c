//! Loom models of the budget: every interleaving of two or three threads near the limit.

use std::sync::Arc;

use loom::cell::UnsafeCell;
use loom::thread;

use super::account::Account;
use super::budget::{Budget, Turn};
use super::reservation::Reservation;

/// 60 and 50 of 100: one fits, whoever comes first. Netty's add-then-look refuses both in some orders.
#[test]
fn loom_of_two_that_do_not_fit_together_one_is_served() {
    loom::model(|| {
        let account = Arc::new(Account::new(Some(100)));
        let other = Arc::clone(&account);
        let thread = thread::spawn(move || other.take(60).is_ok());
        let mine = account.take(50).is_ok();
        let theirs = thread.join().unwrap();
        assert!(mine ^ theirs, "mine {mine}, theirs {theirs}");
        assert_eq!(account.used_bytes(), if mine { 50 } else { 60 });
        assert_eq!(account.live_reservations(), 1);
        assert_eq!(account.peak_bytes(), account.used_bytes());
    });
}

/// What fits beside everything that can be out is served, however much another thread asks for in vain.
#[test]
fn loom_what_fits_is_never_refused() {
    loom::model(|| {
        let account = Arc::new(Account::new(Some(100)));
        let other = Arc::clone(&account);
        let thread = thread::spawn(move || {
            assert_eq!(other.take(60), Ok(()));
            // 60 and 40 are all that can be out.
            assert!(matches!(other.take(1000), Err(60 | 100)));
            other.give_back(60);
        });
        assert_eq!(account.take(40), Ok(()));
        thread.join().unwrap();
        assert_eq!((account.used_bytes(), account.live_reservations()), (40, 1));
    });
}

/// No thread ever sees more in use than the limit, or a peak above it.
#[test]
fn loom_nobody_sees_more_than_the_limit() {
    loom::model(|| {
        let account = Arc::new(Account::new(Some(100)));
        let takers: Vec<_> = [60, 50]
            .into_iter()
            .map(|bytes| {
                let account = Arc::clone(&account);
                thread::spawn(move || {
                    if account.take(bytes).is_ok() {
                        account.give_back(bytes);
                    }
                })
            })
            .collect();
        assert!(account.used_bytes() <= 100);
        assert!(account.peak_bytes() <= 100);
        takers.into_iter().for_each(|taker| taker.join().unwrap());
        assert_eq!((account.used_bytes(), account.live_reservations()), (0, 0));
        assert!((50..=60).contains(&account.peak_bytes()));
    });
}

/// Whoever gets bytes that another thread gave back sees what that one did before: the budget is a semaphore too.
#[test]
fn loom_bytes_that_come_back_bring_what_was_done_before() {
    loom::model(|| {
        let budget = Arc::new(Budget::root(Some(100)));
        let memory = Arc::new(UnsafeCell::new("in use"));
        let reservation = Reservation::take(&budget, 100, Turn::AtOnce).unwrap();
        let (owner_budget, owners) = (Arc::clone(&budget), Arc::clone(&memory));
        let owner = thread::spawn(move || {
            owners.with_mut(|memory| {
                // Loom's cell says when this races; the pointer is good as long as the cell.
                #[allow(unsafe_code, reason = "a loom cell is read and written through a raw pointer")]
                // SAFETY: exclusive, or loom ends the model.
                unsafe {
                    *memory = "freed";
                }
            });
            drop(reservation);
            drop(owner_budget);
        });
        if budget.account.take(100).is_ok() {
            let seen = memory.with(|memory| {
                #[allow(unsafe_code, reason = "a loom cell is read and written through a raw pointer")]
                // SAFETY: not written at the same time, or loom ends the model.
                unsafe {
                    *memory
                }
            });
            assert_eq!(seen, "freed");
        }
        owner.join().unwrap();
    });
}

/// Two references of one buffer are lost at once: the bytes are abandoned once, and stay in use.
#[test]
fn loom_the_first_of_two_abandons() {
    loom::model(|| {
        let budget = Arc::new(Budget::root(Some(100)));
        let shared = Arc::new(Reservation::take(&budget, 60, Turn::AtOnce).unwrap());
        let other = Arc::clone(&shared);
        let thread = thread::spawn(move || other.abandon_shared());
        shared.abandon_shared();
        thread.join().unwrap();
        drop(shared);
        let account = &budget.account;
        assert_eq!((account.used_bytes(), account.abandoned_bytes(), account.live_reservations()), (60, 60, 0));
    });
}
