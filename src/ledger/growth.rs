//! Whether a site grows: pure rules over what its row says from look to look, in whatever time they are given.

use std::time::Duration;

use super::counts::Counts;
use crate::clock::Stamp;
use crate::config::GrowthRule;

/// What a site that grows has done in the windows in which it grew.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Growing {
    pub(crate) windows: u32,
    pub(crate) window: Duration,
    pub(crate) created: u64,
    pub(crate) released: u64,
    /// The last of the windows has ended with this look.
    pub(crate) is_news: bool,
}

/// What a look says of a site's growth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Course {
    /// It does not grow.
    Level,
    /// It grew in the last window that has ended, and in all before since its series began.
    Growing(Growing),
}

/// The windows of one site.
///
/// A window's live count is the lowest one that was seen in it, so that a burst is none: what is in use for a moment goes away
/// within a window, and what is kept stays. A series begins at a window that did not rise, and after as many windows as
/// the rule has it is judged:
///
/// ```text
/// windows     ▁ ▂ ▃ ▄ ▅ ▆     each above the one before, and …
///             └─ half ─┴─ half ─┘   the second half rose more than half as much as the first: not a cache that fills up
/// load        ▁ ▂ ▃ ▄ ▅ ▆     and either what is alive was not turned over meanwhile, or it rose while the load did not
/// ```
///
/// By Little's law what is in use is the load times the time of use: under a load that rises both rise alike. What fails the
/// judgement begins a new series; what passes goes on growing until a window does not rise.
#[derive(Debug)]
pub(super) struct Growth {
    window_since: Stamp,
    /// The lowest live count in the present window.
    lowest: u64,
    /// The same of the window before; nothing before the first one has ended.
    lowest_before: Option<u64>,
    /// What was created when the present window began.
    created_at_window: u64,
    series: Series,
    course: Course,
}

/// Windows that rose, one after another.
#[derive(Clone, Copy, Debug, Default)]
struct Series {
    windows: u32,
    /// At the beginning of its first window.
    start: Totals,
    /// What was created in its first window.
    created_first: u64,
    /// The lowest live count of the window before it, and of the one in its middle.
    lowest_start: u64,
    lowest_middle: u64,
    /// It was judged: the site grows.
    grows: bool,
}

#[derive(Clone, Copy, Debug, Default)]
struct Totals {
    created: u64,
    released: u64,
    live: u64,
}

impl Growth {
    /// Of a row that is made now.
    pub(super) fn new(now: Stamp) -> Growth {
        Growth {
            window_since: now,
            lowest: 0,
            lowest_before: None,
            created_at_window: 0,
            series: Series::default(),
            course: Course::Level,
        }
    }

    /// Takes what a look has seen.
    pub(super) fn look(&mut self, now: Stamp, counts: &Counts, rule: GrowthRule) -> Course {
        self.lowest = self.lowest.min(counts.live());
        if now.since(self.window_since) < rule.window() {
            return match self.course {
                Course::Growing(growing) => Course::Growing(Growing { is_news: false, ..growing }),
                Course::Level => Course::Level,
            };
        }
        self.course = self.end_window(counts, rule);
        self.window_since = now;
        self.lowest = counts.live();
        self.created_at_window = counts.created;
        self.course
    }

    fn end_window(&mut self, counts: &Counts, rule: GrowthRule) -> Course {
        let lowest = self.lowest;
        let before = self.lowest_before.replace(lowest);
        let totals = Totals { created: counts.created, released: counts.released, live: counts.live() };
        let Some(before) = before.filter(|&before| lowest > before) else {
            self.series = Series { start: totals, lowest_start: lowest, ..Series::default() };
            return Course::Level;
        };
        let created_last = counts.created - self.created_at_window;
        let series = &mut self.series;
        series.windows += 1;
        let half = u32::from(rule.windows()) / 2;
        if series.windows == 1 {
            (series.created_first, series.lowest_start) = (created_last, before);
        }
        if series.windows == half {
            series.lowest_middle = lowest;
        }
        if !series.grows {
            if series.windows < u32::from(rule.windows()) {
                return Course::Level;
            }
            series.grows = series.is_growth(lowest, &totals, created_last);
            if !series.grows {
                *series = Series { start: totals, lowest_start: lowest, ..Series::default() };
                return Course::Level;
            }
        }
        Course::Growing(Growing {
            windows: series.windows,
            window: rule.window(),
            created: totals.created - series.start.created,
            released: totals.released - series.start.released,
            is_news: true,
        })
    }
}

impl Series {
    fn is_growth(&self, lowest: u64, end: &Totals, created_last: u64) -> bool {
        let (first_half, second_half) = (self.lowest_middle - self.lowest_start, lowest - self.lowest_middle);
        let fills_up = second_half * 2 <= first_half;
        !fills_up && !self.is_explained_by_load(end, created_last)
    }

    /// True if all that was alive may have been replaced meanwhile, and the rise of the load is half of the rise of what is
    /// alive or more. Half, since what is alive follows the load after a while.
    fn is_explained_by_load(&self, end: &Totals, created_last: u64) -> bool {
        let released = end.released - self.start.released;
        if released < self.start.live.max(1) {
            return false;
        }
        // Floats: ratios of counts, where the last digits decide nothing.
        let rise = |from: u64, to: u64| to as f64 / from.max(1) as f64 - 1.0;
        rise(self.created_first, created_last) >= rise(self.start.live, end.live) / 2.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: u64 = 60;
    const NEVER: [u64; 0] = [];

    /// Looks each second at a site whose handles are `made` and `gone` in each second, as the function says; answers in which
    /// minutes it grew.
    fn minutes_of_growth(minutes: u64, mut second: impl FnMut(u64, u64) -> (u64, u64)) -> Vec<u64> {
        let at = |second: u64| Stamp::from_nanos((second + 1) * 1_000_000_000);
        let mut growth = Growth::new(at(0));
        let mut counts = Counts::default();
        let mut grew = Vec::new();
        for now in 1..=minutes * MINUTE {
            let (made, gone) = second(now, counts.live());
            counts.created += made;
            counts.released += gone;
            if let Course::Growing(Growing { is_news: true, .. }) = growth.look(at(now), &counts, GrowthRule::DEFAULT) {
                grew.push(now / MINUTE);
            }
        }
        grew
    }

    /// A number from 0 to `below` that looks like chance and is the same in each run.
    fn chance(now: u64, below: u64) -> u64 {
        (now.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 33) % below
    }

    #[test]
    fn a_hoard_is_found_after_ten_minutes_and_for_as_long_as_it_goes_on() {
        let grew = minutes_of_growth(30, |_, _| (1, 0));
        assert_eq!(grew, (11..=30).collect::<Vec<_>>());
        // One handle a minute is enough, also at a site that is busy besides.
        let slow = minutes_of_growth(30, |now, _| (20 + u64::from(now % MINUTE == 7), 20));
        assert_eq!(slow.first(), Some(&11), "{slow:?}");
    }

    #[test]
    fn the_figures_are_of_the_windows_that_rose() {
        let at = |second: u64| Stamp::from_nanos((second + 1) * 1_000_000_000);
        let mut growth = Growth::new(at(0));
        let mut last = Course::Level;
        for minute in 1..=14_u64 {
            // Two minutes of peace after what there is at the start.
            let since = minute.saturating_sub(2);
            let counts = Counts { created: 11_880 + since * 60, released: since * 2, ..Counts::default() };
            last = growth.look(at(minute * MINUTE), &counts, GrowthRule::DEFAULT);
        }
        let window = Duration::from_secs(60);
        let growing = Growing { windows: 11, window, created: 660, released: 22, is_news: true };
        assert_eq!(last, Course::Growing(growing));
        let counts = Counts { created: 12_700, ..Counts::default() };
        let look = growth.look(at(14 * MINUTE + 59), &counts, GrowthRule::DEFAULT);
        assert_eq!(look, Course::Growing(Growing { is_news: false, ..growing }), "no window has ended");
    }

    #[test]
    fn a_hoard_within_a_busy_site_is_found_under_any_load() {
        // 200 in use, each for a second, and one in a hundred is kept; the load stays, falls to a half, or doubles.
        for load in [[200, 200], [200, 100], [200, 400]] {
            let mut in_use = 0;
            let grew = minutes_of_growth(40, |now, _| {
                let made = if now < 20 * MINUTE { load[0] } else { load[1] };
                let gone = std::mem::replace(&mut in_use, made - made / 100);
                (made, gone)
            });
            assert!(grew.first() == Some(&11) && grew.contains(&40), "{load:?}: {grew:?}");
        }
    }

    #[test]
    fn a_cache_that_fills_up_does_not_grow() {
        // At an even pace within eight minutes, then one out for each one in.
        let even = minutes_of_growth(60, |now, live| (2, if live >= 960 || now > 480 { 2 } else { 0 }));
        assert_eq!(even, NEVER);
        // Ever more slowly: what is asked for is there already, with a half-life of three minutes and a half.
        let mut owed = 0.0;
        let slowing = minutes_of_growth(60, |_, live| {
            owed += (10_000.0 - live as f64) / 300.0;
            let made = owed as u64;
            owed -= made as f64;
            (made, 0)
        });
        assert_eq!(slowing, NEVER);
    }

    #[test]
    fn a_load_that_rises_tenfold_and_settles_does_not_grow() {
        // In use for two seconds each; the load rises within 5, 15, 45 minutes; evenly, or by the same share each second.
        for (ramp, evenly) in [(5, true), (15, true), (45, true), (5, false), (15, false), (45, false)] {
            let mut in_use = [0; 2];
            let grew = minutes_of_growth(90, |now, _| {
                let part = (now.saturating_sub(10 * MINUTE) as f64 / (ramp * MINUTE) as f64).min(1.0);
                let load = if evenly { 100.0 + 900.0 * part } else { 100.0 * 10.0_f64.powf(part) };
                let made = load as u64 + chance(now, 7);
                let [gone, next] = in_use;
                in_use = [next, made];
                (made, gone)
            });
            assert_eq!(grew, NEVER, "within {ramp} min, evenly: {evenly}");
        }
    }

    #[test]
    fn a_sawtooth_does_not_grow() {
        for period in [30, 90, 5 * MINUTE, 9 * MINUTE] {
            let grew = minutes_of_growth(60, |now, live| (3, if now % period == 0 { live } else { 0 }));
            assert_eq!(grew, NEVER, "each {period} s");
        }
    }

    #[test]
    fn what_is_in_use_for_a_moment_does_not_grow() {
        let mut held = 0;
        let grew = minutes_of_growth(300, |now, _| (chance(now, 50), std::mem::replace(&mut held, chance(now, 50))));
        assert_eq!(grew, NEVER);
    }

    #[test]
    fn growth_that_pauses_begins_a_new_series() {
        let grew = minutes_of_growth(40, |now, _| (u64::from(![15, 16].contains(&(now / MINUTE))), 0));
        let expected: Vec<u64> = (11..=16).chain(27..=40).collect();
        assert_eq!(grew, expected);
    }
}
