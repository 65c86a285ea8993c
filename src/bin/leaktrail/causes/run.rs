//! Totals of process runs, told apart.

use crate::log::Totals;

/// One process run, as far as one cause shows it: its total so far.
///
/// A figure in a log is a total so far of the cause and the run. So of each run the last one counts, and what has to be
/// found out is which figures belong to one run. Where the prefix names the process that is easy. Where it does not, a
/// run is continued by a figure that could be its next one: nothing in it falls, and `since`, where both say it, is the
/// same. Of several such runs the one with the largest total is taken, which makes the sum as small as the figures allow:
/// it is never more than what was lost.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Run {
    process: u32,
    count: u64,
    bytes: u64,
    created: u64,
    since: Option<u32>,
    /// What it had when the time began that was asked for.
    before: (u64, u64),
    is_over: bool,
}

/// Whether a figure counts, or is only what was there before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Counts {
    Yes,
    Before,
}

impl Run {
    fn could_continue_with(&self, process: u32, totals: &Totals) -> bool {
        let same_since = match (self.since, totals.since) {
            (Some(one), Some(other)) => one == other,
            _ => true,
        };
        self.process == process
            && !self.is_over
            && same_since
            && self.count <= totals.count
            && self.bytes <= totals.bytes
            && totals.created.is_none_or(|created| self.created <= created)
    }

    fn take(&mut self, totals: &Totals, counts: Counts) {
        (self.count, self.bytes) = (totals.count, totals.bytes);
        self.created = totals.created.unwrap_or(self.created);
        self.since = totals.since.or(self.since);
        self.is_over = totals.is_last;
        if counts == Counts::Before {
            self.before = (self.count, self.bytes);
        }
    }

    pub(super) fn count(&self) -> u64 {
        self.count.saturating_sub(self.before.0)
    }

    pub(super) fn bytes(&self) -> u64 {
        self.bytes.saturating_sub(self.before.1)
    }
}

/// Enters a total. False when it needs a run of its own and `room` has none.
pub(super) fn enter_total(
    runs: &mut Vec<Run>,
    process: u32,
    totals: &Totals,
    counts: Counts,
    room: &mut usize,
) -> bool {
    let fitting = runs.iter_mut().filter(|run| run.could_continue_with(process, totals));
    // The same `since` tells more than any total.
    let best = fitting.max_by_key(|run| (run.since.is_some() && run.since == totals.since, run.count));
    if let Some(run) = best {
        run.take(totals, counts);
        return true;
    }
    let Some(run) = begin(runs, process, room) else { return false };
    run.take(totals, counts);
    true
}

/// Enters how it stands now, which replaces what stood there before.
pub(super) fn enter_now(runs: &mut Vec<Run>, process: u32, figures: (u64, u64), room: &mut usize) -> bool {
    let known = runs.iter().position(|run| run.process == process);
    let run = match known {
        Some(index) => runs.get_mut(index),
        None => begin(runs, process, room),
    };
    run.map(|run| (run.count, run.bytes) = figures).is_some()
}

/// Enters a loss without a figure: at least one.
pub(super) fn enter_mention(runs: &mut Vec<Run>, process: u32, counts: Counts, room: &mut usize) -> bool {
    if runs.iter().any(|run| run.process == process && !run.is_over) {
        return true;
    }
    enter_total(runs, process, &Totals { count: 1, ..Totals::default() }, counts, room)
}

fn begin<'a>(runs: &'a mut Vec<Run>, process: u32, room: &mut usize) -> Option<&'a mut Run> {
    *room = room.checked_sub(1)?;
    // Most causes have one run; a vector's first growth is by four.
    runs.reserve_exact(1);
    runs.push(Run { process, ..Run::default() });
    runs.last_mut()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn sum(figures: &[Totals]) -> u64 {
        let (mut runs, mut room) = (Vec::new(), 100);
        for totals in figures {
            assert!(enter_total(&mut runs, 0, totals, Counts::Yes, &mut room));
        }
        runs.iter().map(Run::count).sum()
    }

    fn total(count: u64) -> Totals {
        Totals { count, bytes: count * 10, ..Totals::default() }
    }

    #[test]
    fn totals_of_one_run_are_not_added_up() {
        assert_eq!(sum(&[total(1), total(1), total(64), total(1_000)]), 1_000);
    }

    #[test]
    fn a_total_that_falls_is_another_runs() {
        assert_eq!(sum(&[total(5), total(10), total(1), total(4)]), 14);
        // So does one whose site has made less than before.
        let made = |count, created| Totals { created: Some(created), ..total(count) };
        assert_eq!(sum(&[made(5, 100), made(7, 20), made(9, 30)]), 14);
    }

    #[test]
    fn two_processes_in_one_file_are_told_apart_as_far_as_their_figures_go() {
        assert_eq!(sum(&[total(5), total(3), total(10), total(4)]), 14);
        // Their totals rise like one: less than the 30 that were lost, and never more.
        assert_eq!(sum(&[total(10), total(20)]), 20);
        // `since` tells them apart.
        let since = |count, since| Totals { since: Some(since), ..total(count) };
        assert_eq!(sum(&[since(10, 1), since(20, 2), since(11, 1)]), 31);
    }

    #[test]
    fn a_run_that_has_told_its_end_is_over() {
        let last = Totals { is_last: true, ..total(5) };
        assert_eq!(sum(&[total(5), last, total(6)]), 11);
        assert_eq!(sum(&[total(5), last]), 5);
    }

    #[test]
    fn what_was_there_before_does_not_count() {
        let (mut runs, mut room) = (Vec::new(), 9);
        assert!(enter_total(&mut runs, 0, &total(100), Counts::Before, &mut room));
        assert!(enter_total(&mut runs, 0, &total(130), Counts::Yes, &mut room));
        assert_eq!((runs[0].count(), runs[0].bytes()), (30, 300));
    }

    #[test]
    fn without_room_nothing_is_added() {
        let (mut runs, mut room) = (Vec::new(), 1);
        assert!(enter_total(&mut runs, 0, &total(5), Counts::Yes, &mut room));
        assert!(!enter_total(&mut runs, 1, &total(5), Counts::Yes, &mut room));
        assert!(enter_total(&mut runs, 0, &total(6), Counts::Yes, &mut room));
        assert!(!enter_now(&mut runs, 2, (1, 1), &mut room) && enter_now(&mut runs, 0, (2, 2), &mut room));
        assert_eq!(runs.len(), 1);
    }

    #[test]
    fn a_mention_is_at_least_one() {
        let (mut runs, mut room) = (Vec::new(), 9);
        assert!(enter_mention(&mut runs, 0, Counts::Yes, &mut room));
        assert!(enter_total(&mut runs, 0, &total(7), Counts::Yes, &mut room));
        assert!(enter_mention(&mut runs, 0, Counts::Yes, &mut room));
        assert_eq!(runs.iter().map(Run::count).sum::<u64>(), 7);
    }

    proptest! {
        /// Runs whose totals rise, mixed at random: with the process named the sum is exact, without it never more.
        #[test]
        fn the_sum_is_never_more_than_what_was_lost(
            runs in prop::collection::vec(prop::collection::vec(1u64..50, 1..6), 1..5),
            order in prop::collection::vec(0usize..5, 0..40),
        ) {
            let mut left: Vec<(usize, u64)> = runs.iter().map(|_| (0, 0)).collect();
            let mut figures = Vec::new();
            for index in order.into_iter().chain((0..runs.len()).flat_map(|index| [index; 6])) {
                let Some(steps) = runs.get(index) else { continue };
                let (next, so_far) = &mut left[index];
                if let Some(step) = steps.get(*next) {
                    *next += 1;
                    *so_far += step;
                    figures.push((index as u32, total(*so_far)));
                }
            }
            let lost: u64 = runs.iter().flatten().sum();
            let unnamed: Vec<Totals> = figures.iter().map(|(_, totals)| *totals).collect();
            prop_assert!(sum(&unnamed) <= lost);

            let (mut named, mut room) = (Vec::new(), 100);
            for (process, totals) in &figures {
                enter_total(&mut named, *process, totals, Counts::Yes, &mut room);
            }
            prop_assert_eq!(named.iter().map(Run::count).sum::<u64>(), lost);
        }
    }
}
