//! The text of an [`ExitSummary`].

use std::fmt;

use super::resident::Tracked;
use super::{Escaped, Spelled, discarded_figures, len, plural, switched_off};
use crate::report::{ExitSummary, Fingerprint, Severity, SiteStats};

/// How many causes, and how many holders, are listed. The summary is read by a person after the program has ended.
const MAX_ROWS: usize = 32;

impl ExitSummary {
    /// The lines as they are logged, each with how loudly it is said: first what was lost, then what is alive and what
    /// part of the process that is, or that all is clean; last what was not kept, and whether the detector failed.
    pub fn lines(&self) -> Vec<(Severity, String)> {
        let mut lines = vec![self.head()];
        lines.extend(rows(Severity::Error, "LEAK", &self.causes, |(fingerprint, stats)| lost(*fingerprint, stats)));
        lines.extend(rows(Severity::Warn, "LIVE", &self.live_sites, live));
        // Handles without a size say nothing about memory.
        if let (Some(resident_bytes), live_bytes @ 1..) = (self.resident, self.live_bytes()) {
            let tracked = Tracked { live_bytes, resident_bytes };
            lines.push((Severity::Info, format!("leaktrail: {tracked}")));
        }
        if !self.discarded.is_empty() {
            let figures = discarded_figures(&self.discarded);
            let line = format!("leaktrail: not kept, over a cap: {figures}; the counts are exact");
            lines.push((Severity::Warn, line));
        }
        if self.faults > 0 {
            lines.push((Severity::Warn, format!("leaktrail: {}", switched_off(self.faults))));
        }
        lines
    }

    fn head(&self) -> (Severity, String) {
        let tail =
            format!("level {}, up {}, reports dropped {}", self.level, Spelled(self.uptime), self.reports_dropped);
        if self.leaked > 0 {
            let ExitSummary { leaked, created, leaked_bytes, live, .. } = self;
            let sites = plural(len(&self.causes), "site");
            let line = format!(
                "LEAK: summary at exit: {leaked} of {created} lost at {sites}, {leaked_bytes} B; {live} live; {tail}"
            );
            (Severity::Error, line)
        } else if self.live > 0 {
            let ExitSummary { live, created, .. } = self;
            let (sites, bytes) = (plural(len(&self.live_sites), "site"), self.live_bytes());
            (Severity::Warn, format!("LIVE: summary at exit: {live} of {created} live at {sites}, {bytes} B; {tail}"))
        } else {
            (Severity::Info, self.clean())
        }
    }

    fn clean(&self) -> String {
        let released = match self.untracked {
            0 => "all released".to_owned(),
            untracked => format!("{untracked} of them untracked on purpose, the rest released"),
        };
        format!("leaktrail: clean at exit: {} created, {released}, level {}", self.created, self.level)
    }
}

impl fmt::Display for ExitSummary {
    /// The [`lines`](ExitSummary::lines), without a newline at the end.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, (_, line)) in self.lines().iter().enumerate() {
            f.write_str(if index == 0 { "" } else { "\n" })?;
            f.write_str(line)?;
        }
        Ok(())
    }
}

/// The first rows, and a last one that counts the others.
fn rows<T>(severity: Severity, word: &str, rows: &[T], text: impl Fn(&T) -> String) -> Vec<(Severity, String)> {
    let shown = rows.iter().take(MAX_ROWS).map(|row| format!("{word}: {}", text(row)));
    let more = rows.len().saturating_sub(MAX_ROWS);
    let rest = (more > 0).then(|| format!("{word}: and {}", plural(more as u64, "more site")));
    shown.chain(rest).map(|line| (severity, line)).collect()
}

fn lost(fingerprint: Fingerprint, stats: &SiteStats) -> String {
    let SiteStats { leaked, leaked_bytes, resource, site, .. } = stats;
    // `created` whatever the origin, as in the report of the same cause.
    format!("{leaked} lost, {leaked_bytes} B, {} created {site}, fp={fingerprint}", Escaped(resource))
}

fn live(stats: &SiteStats) -> String {
    let SiteStats { live_bytes, resource, site, origin, .. } = stats;
    let since = match stats.nonzero_for {
        Some(time) => format!(", live count not at 0 for {}", Spelled(time)),
        None => String::new(),
    };
    format!("{} live, {live_bytes} B, {} {} {site}{since}", stats.live(), Escaped(resource), origin.word())
}
