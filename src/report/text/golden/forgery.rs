//! Whatever a program, or whoever talks to it, puts into a hint or a name: the log keeps its shape.

use proptest::prelude::*;
use proptest::test_runner::TestCaseResult;

use super::observation::{came_back, growing, held, held_sampled, pinned};
use super::*;
use crate::report::escape::has_control;
use crate::report::{Observation, Refusal};

/// A newline with a whole forged report, colours, a line that is wiped, a text that is turned round.
const NASTY: &str = "x\nLEAK: forged\r\u{1b}[31mred\u{1b}[2K\u{7f}\u{9b}\u{202e}evil\u{2066}\u{2028}REFUSED: #1";

/// The same as it must be shown.
const SHOWN: &str =
    r"x\nLEAK\u{3a} forged\r\u{1b}[31mred\u{1b}[2K\u{7f}\u{9b}\u{202e}evil\u{2066}\u{2028}REFUSED\u{3a} #1";

/// A report with this text wherever text comes from outside.
fn forged(text: &str) -> LeakReport {
    let mut report = full();
    report.resource = text.into();
    report.site.file = text.into();
    report.dropped_at = Some(text.into());
    report.references[0].site.file = text.into();
    for record in &mut report.records {
        record.hint = Some(text.into());
        record.thread = text.into();
        record.frames[0].function = Some(text.into());
        record.frames[0].file = Some(text.into());
    }
    report
}

#[test]
fn each_text_from_outside_stays_within_its_line() {
    assert_eq!(
        forged(NASTY).to_string(),
        format!(
            "\
LEAK: {SHOWN}.release() was not called before it was dropped. created {SHOWN}:41:22, dropped {SHOWN}, 1 of 5312 lost, 4096 B given back, level ADVANCED, fp=5b1c09e2a4f7d310
Recent access records:
#1:
\tHint: {SHOWN}
\t(dropped +12 ms, thread {SHOWN}, unwinding)
\t{SHOWN} ({SHOWN}:57:9)
#2:
\tHint: {SHOWN}
\t(touched +11 ms, thread {SHOWN})
\t{SHOWN} ({SHOWN}:49:13)
Created at:
\tHint: {SHOWN}
\t(2026-11-20T03:12:44Z, thread {SHOWN})
\t{SHOWN} ({SHOWN}:41:22)
Other references:
\tcreated {SHOWN}:19:14, released
: 2 leak records were discarded because the leak record count is targeted to 2. Use LEAK_DETECTION_TARGET_RECORDS to increase the limit."
        )
    );
}

#[test]
fn who_counts_with_grep_counts_right() {
    let text = forged(NASTY).to_string();
    assert_eq!(text.matches("LEAK:").count(), 1);
    assert_eq!(text.matches("REFUSED:").count(), 0);
}

/// The lines about what is alive, with this text wherever text comes from outside.
fn forged_observations(text: &str) -> [LeakReport; 5] {
    [growing(), held(), held_sampled(), came_back(), pinned()].map(|mut report| {
        report.resource = text.into();
        report.site.file = text.into();
        match &mut report.observation {
            Some(Observation::Held { last_touch: Some(touch), .. }) => touch.place = text.into(),
            Some(Observation::Pinned { whole_site: Some(site), .. }) => site.file = text.into(),
            _ => {}
        }
        report
    })
}

#[test]
fn what_is_alive_forges_nothing_either() {
    let lines = forged_observations(NASTY).map(|report| report.first_line());
    let fp = "fp=5b1c09e2a4f7d310";
    assert_eq!(
        lines,
        [
            format!(
                "GROW: {SHOWN} at {SHOWN}:41:22: 12480 live (12779520 B), up in each of the last 10 min, created 600 released 0, {fp} The next 64 from this site will have a full trail."
            ),
            format!(
                "HELD: {SHOWN} for 41 s (threshold 30 s): created {SHOWN}:88:30, last touch {SHOWN} 40 s ago, 3 of 10 live here are over, {fp}"
            ),
            format!(
                "HELD: {SHOWN} for 41 s (threshold 30 s): created {SHOWN}:88:30, 3 of 4 sampled (10 live) here are over, {fp}"
            ),
            format!("HELD: {SHOWN} came back after 64 s: created {SHOWN}:88:30, {fp}"),
            format!(
                "PINNED: {SHOWN} of 1048576 B is kept by 112 B for 61 s: sliced {SHOWN}:88:30, created {SHOWN}:19:14, 3 of 10 live here pin 3145728 B, {fp}"
            ),
        ]
    );
}

#[test]
fn a_module_that_was_not_named_by_us_is_escaped_as_well() {
    let mut report = full();
    report.records[0].frames[0] =
        Frame { function: None, file: None, module: Some(NASTY.into()), ..report.records[0].frames[0].clone() };
    assert!(report.to_string().contains(&format!("\t{SHOWN}+0x1f40\n")), "{report}");
}

/// A line of a block is one of these, told by how it starts.
fn check_block(text: &str) -> TestCaseResult {
    for (number, line) in text.lines().enumerate() {
        let known = match number {
            0 => line.starts_with("LEAK: "),
            _ => {
                let numbered = line
                    .strip_prefix('#')
                    .and_then(|rest| rest.strip_suffix(':'))
                    .is_some_and(|digits| digits.bytes().all(|byte| byte.is_ascii_digit()) && !digits.is_empty());
                numbered
                    || line.starts_with('\t')
                    || line.starts_with(": ")
                    || ["Recent access records:", "Created at:", "Other references:"].contains(&line)
            }
        };
        prop_assert!(known, "line {} of\n{}", number, text);
        prop_assert!(!has_control(line.strip_prefix('\t').unwrap_or(line)), "line {} of\n{}", number, text);
    }
    Ok(())
}

proptest! {
    #[test]
    fn a_block_keeps_its_shape_whatever_is_in_it(
        text in "(LEAK|LIVE|Created at|[:#0-9 \\\\\n\r\t\u{1b}\u{202e}\u{85}\u{2028}]|\\p{Any}){0,40}",
        trail in prop_oneof![Just(TrailDepth::None), Just(TrailDepth::CreationOnly), Just(TrailDepth::Full)],
        again in any::<bool>(),
        promoted in 0_u32..3,
    ) {
        let form = if again {
            Form::Again { more: 1, window: Duration::from_secs(60), since: at() }
        } else {
            Form::Full
        };
        let report = LeakReport { trail, form, promoted, ..forged(&text) };
        check_block(&report.to_string())?;
        prop_assert!(!has_control(&report.first_line()), "{}", report.first_line());
        for report in forged_observations(&text) {
            let line = report.first_line();
            let own = report.verdict().word();
            prop_assert!(!has_control(&line) && line.starts_with(&format!("{own}: ")), "{}", line);
            for word in ["LEAK:", "LIVE:", "REFUSED:", "GROW:", "HELD:", "PINNED:"] {
                let expected = usize::from(word.strip_suffix(':') == Some(own));
                prop_assert_eq!(line.matches(word).count(), expected, "{} in {}", word, line);
            }
        }

        let mut holder = stats(&text, report.site.clone(), 1, 1);
        holder.resource = text.as_str().into();
        let refusal = Refusal {
            error: text.as_str().into(),
            requested: 1,
            used: 1,
            limit: 1,
            budget: None,
            kept: 0,
            site: report.site.clone(),
            thread: text.as_str().into(),
            waited: Duration::ZERO,
            holders: vec![holder],
            abandoned: 0,
            lost: Vec::new(),
            suppressed: 0,
            level: Level::Simple,
        };
        let lines = refusal.to_string();
        prop_assert_eq!(lines.lines().count(), 3);
        for line in lines.lines() {
            prop_assert!(line.starts_with("REFUSED: ") && !has_control(line), "{}", line);
        }
    }
}
