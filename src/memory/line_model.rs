//! The line and a tree of budgets against a queue in plain code: one list in the order of arrival, looked through from its
//! beginning whenever anything has changed, and sums made anew each time.

use std::sync::Arc;

use proptest::prelude::*;
use proptest::sample::Index;

use super::budget::{Budget, Turn};
use super::call::Answer;
use super::reservation::Reservation;
use super::waiter::Waiter;

/// root, child, its child, another child: who is above whom, and the limits.
const ABOVE: [Option<usize>; 4] = [None, Some(0), Some(1), Some(0)];
const LIMITS: [u64; 4] = [1000, 500, 300, 700];

#[derive(Clone, Debug)]
enum Step {
    /// Asks and does not wait, as one who would get into the line if anybody stands there.
    Take(usize, u64),
    Wait(usize, u64),
    GiveBack(Index),
    Abandon(Index),
    /// Somebody who waits, or has been served and does not know it yet, gives up.
    GiveUp(Index),
    /// Somebody who has been served takes what it waited for.
    Fetch(Index),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let bytes = || prop_oneof![1 => Just(0_u64), 6 => 1..300_u64, 2 => 300..800_u64, 1 => 900..1100_u64];
    let budget = || 0..LIMITS.len();
    let step = prop_oneof![
        4 => (budget(), bytes()).prop_map(|(at, bytes)| Step::Take(at, bytes)),
        4 => (budget(), bytes()).prop_map(|(at, bytes)| Step::Wait(at, bytes)),
        4 => any::<Index>().prop_map(Step::GiveBack),
        1 => any::<Index>().prop_map(Step::Abandon),
        2 => any::<Index>().prop_map(Step::GiveUp),
        2 => any::<Index>().prop_map(Step::Fetch),
    ];
    prop::collection::vec(step, 1..60)
}

/// What somebody has or wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Share {
    at: usize,
    bytes: u64,
}

fn path(at: usize) -> impl Iterator<Item = usize> {
    std::iter::successors(Some(at), |at| ABOVE[*at])
}

/// Who waits for what, in the order of arrival.
#[derive(Debug, Default)]
struct Queue {
    out: Vec<Share>,
    abandoned: Vec<Share>,
    waiting: Vec<(u64, Share)>,
}

fn sum(shares: &[Share], at: usize) -> u64 {
    shares.iter().filter(|share| path(share.at).any(|place| place == at)).map(|share| share.bytes).sum()
}

impl Queue {
    fn used(&self, at: usize) -> u64 {
        sum(&self.out, at) + sum(&self.abandoned, at)
    }

    fn full(&self, share: Share) -> Option<usize> {
        path(share.at).find(|at| self.used(*at) + share.bytes > LIMITS[*at])
    }

    fn is_hopeless(&self, share: Share) -> bool {
        path(share.at).any(|at| sum(&self.abandoned, at) + share.bytes > LIMITS[at])
    }

    /// Where somebody waits, after everybody who can be has been served. What became of whom goes into `answers`.
    fn serve(&mut self, answers: &mut Vec<(u64, Answer)>) -> Vec<usize> {
        let mut closed = Vec::new();
        let mut at = 0;
        while at < self.waiting.len() {
            let (number, share) = self.waiting[at];
            let is_behind = path(share.at).any(|place| closed.contains(&place));
            match self.full(share) {
                _ if is_behind => at += 1,
                _ if self.is_hopeless(share) => {
                    answers.push((self.waiting.remove(at).0, Answer::Never));
                    (closed, at) = (Vec::new(), 0);
                }
                Some(place) => {
                    closed.push(place);
                    at += 1;
                }
                None => {
                    self.waiting.remove(at);
                    self.out.push(share);
                    answers.push((number, Answer::Served));
                    (closed, at) = (Vec::new(), 0);
                }
            }
        }
        closed
    }
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: if cfg!(miri) { 2 } else { 512 }, failure_persistence: None, ..ProptestConfig::default()
    })]

    #[test]
    fn serves_as_a_queue_in_plain_code_would(steps in steps()) {
        let root = Arc::new(Budget::root(Some(LIMITS[0])));
        let child = Arc::new(Budget::child(&root, "child".into(), LIMITS[1]));
        let grandchild = Arc::new(Budget::child(&child, "grandchild".into(), LIMITS[2]));
        let other = Arc::new(Budget::child(&root, "other".into(), LIMITS[3]));
        let budgets = [root, child, grandchild, other];

        let mut queue = Queue::default();
        let mut held: Vec<(Share, Reservation)> = Vec::new();
        let mut waiters: Vec<(u64, Share, Waiter)> = Vec::new();
        let mut answers: Vec<(u64, Answer)> = Vec::new();
        let mut next = 0;
        for step in steps {
            let closed = queue.serve(&mut answers);
            match step {
                Step::Take(at, bytes) => {
                    let share = Share { at, bytes };
                    let is_behind = bytes > 0 && path(at).any(|place| closed.contains(&place));
                    let fits = !is_behind && queue.full(share).is_none() && !queue.is_hopeless(share);
                    let taken = Reservation::take(&budgets[at], bytes, Turn::InLine);
                    prop_assert_eq!(taken.is_ok(), fits, "{:?} {:?}", share, queue);
                    if let Ok(reservation) = taken {
                        queue.out.push(share);
                        held.push((share, reservation));
                    }
                }
                Step::Wait(at, bytes) => {
                    queue.waiting.push((next, Share { at, bytes }));
                    waiters.push((next, Share { at, bytes }, Waiter::enter(&budgets[at], bytes)));
                    next += 1;
                }
                Step::GiveBack(index) if !held.is_empty() => {
                    let (share, reservation) = held.swap_remove(index.index(held.len()));
                    let at = queue.out.iter().position(|out| *out == share).unwrap();
                    queue.out.swap_remove(at);
                    drop(reservation);
                }
                Step::Abandon(index) if !held.is_empty() => {
                    let (share, reservation) = held.swap_remove(index.index(held.len()));
                    let at = queue.out.iter().position(|out| *out == share).unwrap();
                    let abandoned = queue.out.swap_remove(at);
                    queue.abandoned.push(abandoned);
                    reservation.abandon();
                }
                Step::GiveUp(index) if !waiters.is_empty() => {
                    let (number, share, waiter) = waiters.swap_remove(index.index(waiters.len()));
                    queue.waiting.retain(|(other, _)| *other != number);
                    if answers.contains(&(number, Answer::Served)) {
                        let at = queue.out.iter().position(|out| *out == share).unwrap();
                        queue.out.swap_remove(at);
                    }
                    drop(waiter);
                }
                Step::Fetch(index) => {
                    let served: Vec<usize> = (0..waiters.len())
                        .filter(|at| answers.contains(&(waiters[*at].0, Answer::Served)))
                        .collect();
                    if !served.is_empty() {
                        let (_, share, waiter) = waiters.swap_remove(served[index.index(served.len())]);
                        prop_assert!(waiter.leave());
                        held.push((share, Reservation::of_taken(&budgets[share.at], share.bytes)));
                    }
                }
                Step::GiveBack(_) | Step::Abandon(_) | Step::GiveUp(_) => {}
            }
            queue.serve(&mut answers);
            for (number, share, waiter) in &waiters {
                let expected = answers.iter().find(|(other, _)| other == number).map(|(_, answer)| *answer);
                prop_assert_eq!(waiter.answered(), expected, "{} {:?} {:?}", number, share, queue);
            }
            for (at, budget) in budgets.iter().enumerate() {
                prop_assert_eq!(budget.account.used_bytes(), queue.used(at), "{} {:?}", at, queue);
                prop_assert_eq!(budget.account.abandoned_bytes(), sum(&queue.abandoned, at));
                let waiting = queue.waiting.iter().filter(|(_, share)| path(share.at).any(|place| place == at));
                prop_assert_eq!(budget.figures().waiting(), waiting.count() as u64);
            }
        }
        drop(waiters);
        drop(held);
        for (at, budget) in budgets.iter().enumerate() {
            prop_assert_eq!(budget.account.used_bytes(), sum(&queue.abandoned, at));
            prop_assert_eq!((budget.account.live_reservations(), budget.figures().waiting()), (0, 0));
        }
    }
}
