//! The text of a [`Refusal`].

use std::fmt;

use super::{Escaped, Share, Spelled, len, plural};
use crate::level::Level;
use crate::report::{Refusal, SiteStats};

/// How many holders are listed. The first few hold nearly all of it, and a refusal comes when a log is busy anyway.
const MAX_HOLDERS: usize = 8;

/// How many refusals were not listed: the last line of the next list, or a line of its own at a flush.
pub(crate) struct MoreRefusals(pub(crate) u64);

impl fmt::Display for MoreRefusals {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "REFUSED: {} since the last one listed", plural(self.0, "more refusal"))
    }
}

impl fmt::Display for Refusal {
    /// The lines as they are logged, each beginning with `REFUSED: `, without a newline at the end.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "REFUSED: {}", Escaped(&self.error))?;
        write!(f, "\nREFUSED: short by {} B at {}, thread {}, ", self.short_by(), self.site, Escaped(&self.thread))?;
        if let Some(budget) = &self.budget {
            write!(f, "limit of budget {}, ", Escaped(budget))?;
        }
        if self.kept > 0 {
            write!(f, "{} B kept for who has waited longest, ", self.kept)?;
        }
        if !self.waited.is_zero() {
            write!(f, "waited {}, ", Spelled(self.waited))?;
        }
        self.write_holders(f)?;
        self.write_abandoned(f)?;
        match self.suppressed {
            0 => Ok(()),
            more => write!(f, "\n{}", MoreRefusals(more)),
        }
    }
}

impl Refusal {
    fn write_holders(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.level == Level::Disabled && self.holders.is_empty() {
            return f.write_str("holders are not known at level DISABLED");
        }
        let hold = if self.holders.len() == 1 { "holds" } else { "hold" };
        let held = self.holders.iter().map(SiteStats::live_bytes).fold(0, u64::saturating_add);
        write!(f, "{} {hold} references to {held} B", plural(len(&self.holders), "site"))?;
        for (index, holder) in self.holders.iter().take(MAX_HOLDERS).enumerate() {
            write!(f, "\nREFUSED: #{} {}", index + 1, Holder { stats: holder, used: self.used })?;
        }
        match self.holders.len().saturating_sub(MAX_HOLDERS) {
            0 => Ok(()),
            more => write!(f, "\nREFUSED: and {}", plural(more as u64, "more site")),
        }
    }
}

impl Refusal {
    /// What is out and has no holder any more: nobody else would name it.
    fn write_abandoned(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.abandoned == 0 {
            return Ok(());
        }
        let share = Share { part: self.abandoned, whole: self.used };
        write!(
            f,
            "\nREFUSED: {share} {} B abandoned: their references were lost, and nothing gives them back",
            self.abandoned
        )?;
        for stats in self.lost.iter().take(MAX_HOLDERS) {
            let (lost, bytes, resource) = (stats.leaked, stats.leaked_bytes, Escaped(&stats.resource));
            write!(f, "\nREFUSED: lost {bytes} B in {lost} lost, {resource} {} {}", stats.origin.word(), stats.site)?;
        }
        match self.lost.len().saturating_sub(MAX_HOLDERS) {
            0 => Ok(()),
            more => write!(f, "\nREFUSED: and {}", plural(more as u64, "more site")),
        }
    }
}

/// One holder's row, without its number.
pub(super) struct Holder<'a> {
    pub(super) stats: &'a SiteStats,
    pub(super) used: u64,
}

impl fmt::Display for Holder<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let stats = self.stats;
        let share = Share { part: stats.live_bytes, whole: self.used };
        write!(f, "{share} {} B in {} live, ", stats.live_bytes, stats.live())?;
        match stats.recent {
            Some(recent) => {
                // Whole seconds, for who parses it; a process that is younger than one says how young it is.
                match recent.window.as_secs() {
                    0 => write!(f, "last {}", Spelled(recent.window))?,
                    seconds => write!(f, "last {seconds} s")?,
                }
                write!(f, " created {} released {}", recent.created, recent.released)?;
            }
            None => write!(f, "created {} released {} in all", stats.created, stats.released)?,
        }
        if let Some(remark) = remark(stats) {
            write!(f, " ({remark})")?;
        }
        write!(f, ", {} {} {}", Escaped(&stats.resource), stats.origin.word(), stats.site)?;
        match stats.nonzero_for {
            Some(time) => write!(f, ", live count not at 0 for {}", Spelled(time)),
            None => Ok(()),
        }
    }
}

/// What the figures say, for who reads in a hurry: it hoards, it is busy, or it is idle. Without a window nobody knows.
fn remark(stats: &SiteStats) -> Option<&'static str> {
    match stats.recent {
        _ if stats.released == 0 && stats.leaked == 0 => Some("never released"),
        Some(recent) if recent.released > 0 => Some("busy"),
        Some(recent) if recent.created > 0 => Some("none released"),
        Some(_) => Some("idle"),
        None => None,
    }
}
