//! Limits that come near: pure rules, and what waits to be told of them.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::schedule::BlockLimit;
use crate::clock::Stamp;
use crate::report::Limited;

/// In percent: below this whatever was told may be told again.
const REARMED_BELOW: u64 = 70;
/// Budgets that are told apart. Programs have a handful; of more nothing is told.
const MAX_BUDGETS: usize = 256;

/// A limit that has come near, to be told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::detector) struct Near {
    pub(in crate::detector) of: Limited,
    pub(in crate::detector) mark: u8,
    pub(in crate::detector) used: u64,
    pub(in crate::detector) limit: u64,
}

/// What was told of one limit.
///
/// ```text
/// used:   … 79 % ─► 80 % told ─► 75 % ─► 85 % silent ─► 95 % told ─► 69 % ─► 80 % told …
/// ```
#[derive(Clone, Copy, Debug, Default)]
struct Alarm {
    told_mark: u8,
}

/// The limits that one detector has heard of.
#[derive(Debug, Default)]
pub(in crate::detector) struct Alarms {
    told: Mutex<Told>,
    pending: AtomicBool,
    /// A budget may swing from calm to full many times a second.
    lists: BlockLimit,
    discarded: AtomicU64,
}

#[derive(Debug, Default)]
struct Told {
    budgets: HashMap<usize, Alarm>,
    group: Alarm,
    waiting: Vec<Near>,
}

impl Alarm {
    /// The mark that is to be told, if one is.
    fn rises(&mut self, used: u64, limit: u64, marks: &[u8]) -> Option<u8> {
        let reaches = |percent: u64| u128::from(used) * 100 >= u128::from(limit) * u128::from(percent);
        if !reaches(REARMED_BELOW) {
            self.told_mark = 0;
        }
        if limit == 0 {
            return None;
        }
        let mark = marks.iter().copied().filter(|&mark| reaches(u64::from(mark))).max()?;
        (mark > self.told_mark).then(|| {
            self.told_mark = mark;
            mark
        })
    }
}

impl Alarms {
    /// Notes how much of a budget is used; true if something is to be told.
    pub(in crate::detector) fn budget(&self, budget: usize, used: u64, limit: u64) -> bool {
        let mut told = self.lock();
        if told.budgets.len() >= MAX_BUDGETS && !told.budgets.contains_key(&budget) {
            return false;
        }
        let mark = told.budgets.entry(budget).or_default().rises(used, limit, &[80, 95]);
        self.add(&mut told, mark.map(|mark| Near { of: Limited::Budget, mark, used, limit }))
    }

    /// Notes how much of the control group's memory is used.
    pub(in crate::detector) fn group(&self, used: u64, limit: u64) -> bool {
        let mut told = self.lock();
        let mark = told.group.rises(used, limit, &[90]);
        self.add(&mut told, mark.map(|mark| Near { of: Limited::ControlGroup, mark, used, limit }))
    }

    fn add(&self, told: &mut Told, near: Option<Near>) -> bool {
        let Some(near) = near else { return false };
        if !self.lists.allows(Stamp::now()) {
            // Relaxed: a figure.
            self.discarded.fetch_add(1, Ordering::Relaxed);
            return false;
        }
        told.waiting.push(near);
        // Release: pairs with the Acquire in `is_pending`.
        self.pending.store(true, Ordering::Release);
        true
    }

    /// Lists that were not made, since this minute's were used up.
    pub(in crate::detector) fn discarded(&self) -> u64 {
        self.discarded.load(Ordering::Relaxed)
    }

    /// Takes what is to be told.
    pub(in crate::detector) fn take(&self) -> Vec<Near> {
        self.pending.store(false, Ordering::Release);
        std::mem::take(&mut self.lock().waiting)
    }

    /// True if something is to be told.
    pub(in crate::detector) fn is_pending(&self) -> bool {
        self.pending.load(Ordering::Acquire)
    }

    fn lock(&self) -> MutexGuard<'_, Told> {
        self.told.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_mark_is_told_once_until_it_is_calm_again() {
        let mut alarm = Alarm::default();
        let told: Vec<_> = [10, 79, 80, 85, 75, 94, 95, 99, 100, 96, 70, 95, 69, 79, 96, 40, 100, 0]
            .into_iter()
            .filter_map(|used| alarm.rises(used, 100, &[80, 95]))
            .collect();
        assert_eq!(told, [80, 95, 95, 95]);
        assert_eq!(Alarm::default().rises(u64::MAX, u64::MAX, &[80, 95]), Some(95));
        assert_eq!(Alarm::default().rises(0, 0, &[90]), None, "what can hold nothing is never full");
    }

    #[test]
    fn budgets_are_told_apart_and_the_group_has_a_mark_of_its_own() {
        let alarms = Alarms::default();
        assert!(!alarms.budget(1, 79, 100) && !alarms.is_pending());
        assert!(alarms.budget(1, 80, 100) && alarms.budget(2, 80, 100) && !alarms.budget(1, 81, 100));
        assert!(!alarms.group(89, 100) && alarms.group(90, 100) && !alarms.group(99, 100));
        assert!(alarms.is_pending());
        let marks: Vec<_> = alarms.take().iter().map(|near| (near.of, near.mark)).collect();
        assert_eq!(marks, [(Limited::Budget, 80), (Limited::Budget, 80), (Limited::ControlGroup, 90)]);
        assert!(!alarms.is_pending() && alarms.take().is_empty());
    }

    #[test]
    fn budgets_are_bounded_and_so_are_lists() {
        let alarms = Alarms::default();
        (0..1_000).for_each(|budget| _ = alarms.budget(budget, 100, 100));
        assert_eq!(alarms.lock().budgets.len(), MAX_BUDGETS);
        assert_eq!((alarms.take().len(), alarms.discarded()), (20, MAX_BUDGETS as u64 - 20));
    }
}
