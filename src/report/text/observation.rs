//! The first line of a report about handles that are alive: `GROW:`, `HELD:`, `PINNED:`.

use std::fmt;
use std::time::Duration;

use super::{Escaped, Spelled};
use crate::report::{LeakReport, Observation, Seen};

/// Writes the line. One without an observation, which only a hand-made JSON can bring, has the figures that every report has.
pub(super) fn write_observation(report: &LeakReport, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    write!(f, "{}: {}", report.verdict.word(), Escaped(&report.resource))?;
    let site = &report.site;
    match &report.observation {
        Some(Observation::Growth { windows, window, created, released }) => {
            let bytes = report.bytes;
            write!(f, " at {site}: {} live", report.count)?;
            if bytes > 0 {
                write!(f, " ({bytes} B)")?;
            }
            let during = Windows { windows: *windows, window: *window };
            write!(f, ", up in each of the last {during}, created {created} released {released}")?;
        }
        Some(Observation::Held { age, threshold, last_touch, seen }) => {
            write!(f, " for {} (threshold {}): created {site}", Spelled(*age), Spelled(*threshold))?;
            if let Some(touch) = last_touch {
                write!(f, ", last touch {} {} ago", Escaped(&touch.place), Spelled(touch.ago))?;
            }
            write!(f, ", {} over", Share { count: report.count, seen: *seen, verb: "are" })?;
        }
        Some(Observation::CameBack { age }) => {
            write!(f, " came back after {}: created {site}", Spelled(*age))?;
        }
        Some(Observation::Pinned { age, origin, part_bytes, whole_bytes, whole_site, seen }) => {
            write!(
                f,
                " of {whole_bytes} B is kept by {part_bytes} B for {}: {} {site}, ",
                Spelled(*age),
                origin.word()
            )?;
            match whole_site {
                Some(whole_site) => write!(f, "created {whole_site}")?,
                None => f.write_str("created unknown")?,
            }
            write!(f, ", {} {} B", Share { count: report.count, seen: *seen, verb: "pin" }, report.bytes)?;
        }
        None => write!(f, " at {site}: {} live", report.count)?,
    }
    write!(f, ", fp={}", report.fingerprint)?;
    // As after `LEAK:`, no full stop before it: `fp=` and its digits are one word in every line.
    match report.promoted {
        0 => Ok(()),
        more => write!(f, " The next {more} from this site will have a full trail."),
    }
}

/// `10 min` for ten windows of a minute, as everybody says it; else `5 windows of 100 ms`.
struct Windows {
    windows: u32,
    window: Duration,
}

impl fmt::Display for Windows {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.window.as_millis() {
            60_000 => write!(f, "{} min", self.windows),
            _ => write!(f, "{} windows of {}", self.windows, Spelled(self.window)),
        }
    }
}

/// `3 of 10 live here are`, or `3 of 4 sampled (10 live) here are`: what is sampled is never written as if it were all.
struct Share {
    count: u64,
    seen: Seen,
    verb: &'static str,
}

impl fmt::Display for Share {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Share { count, seen: Seen { trails, live }, verb } = *self;
        if self.seen.is_everything() {
            write!(f, "{count} of {live} live here {verb}")
        } else {
            write!(f, "{count} of {trails} sampled ({live} live) here {verb}")
        }
    }
}
