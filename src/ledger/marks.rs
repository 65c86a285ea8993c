//! What earlier looks at a row saw: the figures behind "last 60 s" and "not at 0 for".

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use super::counts::Counts;
use crate::clock::Stamp;
use crate::report::Recent;

/// How long a window is kept before the next one begins. Two are kept, so "recent" is 30 to 60 s once a process is older.
const WINDOW: Duration = Duration::from_secs(30);

/// The last looks at one row.
#[derive(Debug)]
pub(super) struct Marks {
    looks: Mutex<Looks>,
}

#[derive(Clone, Copy, Debug)]
struct Look {
    at: Stamp,
    created: u64,
    released: u64,
    gone: u64,
}

#[derive(Debug)]
struct Looks {
    /// The begin of the window before the present one: what "recent" is counted from.
    window: Look,
    /// The begin of the present window.
    next_window: Look,
    last: Look,
    /// Since when the live count is known not to have been 0; `None` while that is not known.
    nonzero_since: Option<Stamp>,
}

impl Marks {
    /// Marks of a row that is made now, empty.
    pub(super) fn new(now: Stamp) -> Marks {
        let look = Look { at: now, created: 0, released: 0, gone: 0 };
        Marks { looks: Mutex::new(Looks { window: look, next_window: look, last: look, nonzero_since: None }) }
    }

    /// Looks at the row; the reporter does so each second, and every snapshot does.
    pub(super) fn look(&self, now: Stamp, counts: &Counts) -> (Recent, Option<Duration>) {
        let mut looks = self.looks.lock().unwrap_or_else(PoisonError::into_inner);
        let look = Look { at: now, created: counts.created, released: counts.released, gone: counts.gone() };
        let created_before_any_was_gone = looks.last.created == 0 && look.created > 0 && look.gone == 0;
        if counts.live() == 0 {
            looks.nonzero_since = None;
        } else if created_before_any_was_gone {
            // Since its first creation nothing has gone: the count has not come back to 0. The creation itself was
            // after the last look, so that "for at least" stays true it counts from now.
            looks.nonzero_since = Some(now);
        } else {
            // Between two looks the count cannot have touched 0 if fewer have gone than were alive at the first.
            let alive_then = looks.last.created - looks.last.gone;
            let gone_since = look.gone - looks.last.gone.min(look.gone);
            if gone_since >= alive_then {
                looks.nonzero_since = Some(now);
            } else if looks.nonzero_since.is_none() {
                looks.nonzero_since = Some(looks.last.at);
            }
        }
        looks.last = look;
        let window = looks.window;
        let recent = Recent {
            window: now.since(window.at),
            created: look.created.saturating_sub(window.created),
            released: look.released.saturating_sub(window.released),
        };
        if now.since(looks.next_window.at) >= WINDOW {
            looks.window = looks.next_window;
            looks.next_window = look;
        }
        (recent, looks.nonzero_since.map(|since| now.since(since)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn second(n: u64) -> Stamp {
        Stamp::from_nanos((n + 1) * 1_000_000_000)
    }

    fn counts(created: u64, released: u64) -> Counts {
        Counts { created, released, ..Counts::default() }
    }

    #[test]
    fn a_hoard_has_not_been_at_zero_since_it_was_first_seen() {
        let marks = Marks::new(second(0));
        assert_eq!(marks.look(second(1), &counts(5, 0)).1, Some(Duration::ZERO));
        assert_eq!(marks.look(second(2), &counts(9, 0)).1, Some(Duration::from_secs(1)));
        assert_eq!(marks.look(second(65), &counts(700, 2)).1, Some(Duration::from_secs(64)));
    }

    #[test]
    fn a_count_that_may_have_touched_zero_starts_anew() {
        let marks = Marks::new(second(0));
        marks.look(second(1), &counts(5, 0));
        // Five were alive and five have gone: it may have been at 0.
        assert_eq!(marks.look(second(2), &counts(15, 5)).1, Some(Duration::ZERO));
        assert_eq!(marks.look(second(3), &counts(15, 15)).1, None);
    }

    #[test]
    fn recent_is_counted_from_the_window_before() {
        let marks = Marks::new(second(0));
        for n in 1..=120 {
            let (recent, _) = marks.look(second(n), &counts(n * 8, n * 3));
            assert!(recent.window <= Duration::from_secs(61), "{recent:?}");
            assert_eq!(recent.created, recent.window.as_secs() * 8);
            assert_eq!(recent.released, recent.window.as_secs() * 3);
        }
    }
}
