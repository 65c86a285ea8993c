//! What a scope says when it is not clean.

use std::fmt::Write as _;
use std::time::Duration;

use super::balance::Balance;
use super::findings::Findings;
use crate::report::{Escaped, Fingerprint, Form, LeakReport, SiteStats, Verdict};

/// How to see more, and how to say that it is meant to be so.
const ADVICE: &str = "\
To see more: touch the handle where it passes (`touch_with(&handle, \"…\")`), and run this test alone with \
LEAK_DETECTION_TARGET_RECORDS=32 LEAK_DETECTION_MAX_FRAMES=128; `scope.detector().snapshot()` has every count.
If it is meant to be so: `assert_clean_within` waits for late releases; `expect_live(n)`, `ignore_site(\"src/a.rs:1\", \
\"why\")` and `ignore_resource(\"Name\", \"why\")` say what may stay.";

/// The text of a failure: the scope's name, every site with its counts, bytes and trails, and how to see more.
pub(super) struct Failure<'a> {
    pub(super) name: &'a str,
    pub(super) balance: &'a Balance,
    pub(super) findings: &'a Findings,
    /// What is alive, by site, several in a row for one that has several paths.
    pub(super) living: &'a [LeakReport],
    /// How long it was waited.
    pub(super) waited: Duration,
    /// The thread is unwinding from a panic of the test's own.
    pub(super) unwinding: bool,
}

impl Failure<'_> {
    pub(super) fn text(&self) -> String {
        let mut text = self.headline();
        for row in &self.balance.lost {
            text.push('\n');
            text.push_str(&lost(row, self.findings));
        }
        for row in &self.balance.live {
            text.push('\n');
            text.push_str(&live(row, self.living));
        }
        for (row, reason) in &self.balance.ignored {
            let _ = write!(
                text,
                "\nIgnored: {} lost, {} live, {} {} {}: {}",
                row.leaked(),
                row.live(),
                Escaped(row.resource()),
                row.origin().word(),
                row.site(),
                Escaped(reason)
            );
        }
        text.push('\n');
        text.push_str(ADVICE);
        text
    }

    fn headline(&self) -> String {
        let balance = self.balance;
        let mut text = format!("leak scope '{}' is not clean: ", Escaped(self.name));
        if balance.is_blind() {
            let _ = write!(text, "its detector was switched off, so it cannot tell; seen before that: ");
        }
        let total = |rows: &[SiteStats], figure: fn(&SiteStats) -> u64| rows.iter().map(figure).sum::<u64>();
        let lost = (total(&balance.lost, SiteStats::leaked), total(&balance.lost, SiteStats::leaked_bytes));
        let live = (balance.live_count(), total(&balance.live, SiteStats::live_bytes));
        let _ = write!(text, "{} lost ({} B) at {}, ", lost.0, lost.1, sites(&balance.lost));
        let _ = write!(text, "{} live ({} B) at {}", live.0, live.1, sites(&balance.live));
        if balance.expected_live > 0 {
            let _ = write!(text, ", {} expected to be live", balance.expected_live);
        }
        if !self.waited.is_zero() {
            let _ = write!(text, ", after {} ms", self.waited.as_millis());
        }
        let _ = write!(text, "; level {}", balance.level);
        if self.unwinding {
            text.push_str(" (the test had panicked already: what that panic dropped is among it)");
        }
        text
    }
}

fn sites(rows: &[SiteStats]) -> String {
    format!("{} site{}", rows.len(), if rows.len() == 1 { "" } else { "s" })
}

/// A row that has lost handles: the report of the first path with the row's figures, then the other paths' trails.
pub(super) fn lost(row: &SiteStats, findings: &Findings) -> String {
    let fingerprint = Fingerprint::of(row.resource(), Verdict::Unreleased, row.site());
    let reports = findings.of(fingerprint);
    let figures = |report: LeakReport| LeakReport {
        count: row.leaked(),
        created: row.created(),
        bytes: row.leaked_bytes(),
        form: Form::Full,
        promoted: 0,
        ..report
    };
    paths(reports.into_iter().map(figures)).unwrap_or_else(|| {
        format!(
            "LEAK: {} lost, {} B, {} {} {}, fp={fingerprint} (no trail was kept)",
            row.leaked(),
            row.leaked_bytes(),
            Escaped(row.resource()),
            row.origin().word(),
            row.site()
        )
    })
}

/// A row with live handles, likewise.
pub(super) fn live(row: &SiteStats, living: &[LeakReport]) -> String {
    let of_row = living.iter().filter(|report| report.resource() == row.resource() && report.site() == row.site());
    let figures = |report: &LeakReport| LeakReport { count: row.live(), bytes: row.live_bytes(), ..report.clone() };
    // Without a report it was released between the look and the telling.
    paths(of_row.map(figures)).unwrap_or_else(|| {
        format!("LIVE: {} live, {} B, {} created {}", row.live(), row.live_bytes(), Escaped(row.resource()), row.site())
    })
}

/// The first report in full, and of the others what follows their first lines.
pub(super) fn paths(reports: impl Iterator<Item = LeakReport>) -> Option<String> {
    let mut text: Option<String> = None;
    for report in reports {
        let whole = report.to_string();
        match (&mut text, whole.split_once('\n')) {
            (None, _) => text = Some(whole),
            (Some(text), Some((_, trail))) => {
                text.push_str("\nAnother way from the same site:\n");
                text.push_str(trail);
            }
            (Some(_), None) => {}
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::{Duration, SystemTime};

    use super::*;
    use crate::level::Level;
    use crate::report::{Access, AccessRecord, Fate, Frame, Origin, Sink as _, Site, TrailDepth};
    use crate::testing::findings::Recorder;

    fn site(line: u32, column: u32) -> Site {
        Site { file: "src/decode.rs".into(), line, column }
    }

    fn row(resource: &str, site: Site, leaked: u64, live: u64) -> SiteStats {
        SiteStats {
            resource: resource.into(),
            site,
            origin: Origin::Created,
            created: leaked + live,
            released: 0,
            leaked,
            untracked: 0,
            live_bytes: live * 64,
            leaked_bytes: leaked * 64,
            recent: None,
            nonzero_for: None,
        }
    }

    fn record(access: Access, line: u32, column: u32) -> AccessRecord {
        let frame = Frame {
            function: Some("app::decode".into()),
            file: Some("src/decode.rs".into()),
            line: Some(line),
            column: Some(column),
            address: 0,
            module: None,
            offset: 0,
            build_id: None,
        };
        AccessRecord {
            access,
            hint: None,
            thread: "decode".into(),
            span: None,
            after: Duration::ZERO,
            at: SystemTime::UNIX_EPOCH + Duration::from_secs(1_795_144_364),
            unwinding: false,
            frames: vec![frame],
            frames_cut: false,
        }
    }

    fn report(row: &SiteStats, verdict: Verdict, records: Vec<AccessRecord>) -> LeakReport {
        LeakReport {
            verdict,
            resource: row.resource.clone(),
            site: row.site.clone(),
            fingerprint: Fingerprint::of(&row.resource, verdict, &row.site),
            count: 1,
            created: 1,
            bytes: 1,
            fate: Fate::GivenBack,
            level: Level::Paranoid,
            form: if verdict == Verdict::Unreleased { Form::Line } else { Form::Full },
            dropped_at: Some("src/decode.rs:7:5".into()),
            records,
            references: Vec::new(),
            references_omitted: 0,
            discarded_records: 0,
            target_records: 4,
            trail: TrailDepth::Full,
            promoted: 64,
            unwinding: false,
            observation: None,
            at: SystemTime::UNIX_EPOCH,
        }
    }

    fn text(balance: &Balance, reports: &[LeakReport], living: &[LeakReport], waited: Duration) -> String {
        let findings = Arc::new(Findings::new("decode".into()));
        reports.iter().for_each(|report| Recorder(findings.clone()).report(report));
        Failure { name: "decode", balance, findings: &findings, living, waited, unwinding: false }.text()
    }

    /// The example of the page, word for word.
    #[test]
    fn the_page_shows_what_a_failure_says() {
        let lost = row("ByteBuf", site(4, 31), 1, 0);
        let report =
            report(&lost, Verdict::Unreleased, vec![record(Access::Dropped, 7, 5), record(Access::Created, 4, 31)]);
        let balance = Balance {
            level: Level::Paranoid,
            lost: vec![lost],
            live: Vec::new(),
            expected_live: 0,
            ignored: Vec::new(),
        };
        let text = text(&balance, &[report], &[], Duration::ZERO);
        let page = include_str!("../../docs/TESTING-YOUR-CODE.md").replace("\r\n", "\n");
        assert!(page.contains(&format!("```text\n{text}\n```")), "{text}");
    }

    #[test]
    fn figures_are_the_rows_and_every_row_is_there_with_or_without_a_trail() {
        let (lost, live) = (row("A", site(1, 1), 3, 0), row("B", site(2, 1), 0, 2));
        let living = report(&live, Verdict::Outstanding, vec![record(Access::Created, 2, 1)]);
        let (gone, other) = (row("C", site(3, 1), 0, 1), row("D", site(4, 1), 1, 0));
        let balance = Balance {
            level: Level::Paranoid,
            lost: vec![lost.clone()],
            live: vec![live, gone],
            expected_live: 1,
            ignored: vec![(other, "by design".to_owned())],
        };
        let report = report(&lost, Verdict::Unreleased, vec![record(Access::Created, 1, 1)]);
        let first = text(&balance, &[report], &[living], Duration::from_millis(20));
        let lines = [
            "leak scope 'decode' is not clean: 3 lost (192 B) at 1 site, 3 live (192 B) at 2 sites, 1 expected to be live, after \
             20 ms; level PARANOID",
            "LIVE: 2 live, 128 B, B created src/decode.rs:2:1, level PARANOID, fp=",
            "LIVE: 1 live, 64 B, C created src/decode.rs:3:1",
            "Ignored: 1 lost, 0 live, D created src/decode.rs:4:1: by design",
        ];
        for line in lines {
            assert!(first.lines().any(|found| found.starts_with(line)), "{line}\n{first}");
        }
        assert!(first.contains("3 of 3 lost, 192 B given back, level PARANOID"), "{first}");
        let bare = text(&balance, &[], &[], Duration::ZERO);
        assert!(bare.contains("LEAK: 3 lost, 192 B, A created src/decode.rs:1:1, fp="), "{bare}");
    }
}
