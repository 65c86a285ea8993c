//! `docs/REPORT-FORMAT.md` shows what is really written.

use std::collections::BTreeSet;

use super::exit_summary::{capped, clean, dirty, failed, in_use, untracked};
use super::observation::{came_back, growing, growing_on, held, held_sampled, pinned};
use super::pressure::{near, nearly_killed};
use super::refusal::{abandoned, refusal};
use super::{again, creation_only, full, untraced};
use crate::report::text::MoreRefusals;

const DOCUMENTED: &str = include_str!("../../../../docs/REPORT-FORMAT.md");

#[test]
fn each_sample_line_is_one_that_is_written() {
    let reports = [full(), untraced(), creation_only(), again()].map(|report| report.to_string());
    let summaries = [clean(), dirty(), in_use(), untracked(), capped(), failed()].map(|summary| summary.to_string());
    let pressures = [near(), nearly_killed()].map(|pressure| pressure.to_string());
    let refusals = [refusal().to_string(), abandoned().to_string(), MoreRefusals(41).to_string()];
    let alive = [growing(), held(), held_sampled(), came_back(), pinned()].into_iter().chain(growing_on());
    let alive: Vec<String> = alive.map(|report| report.to_string()).collect();
    let written: BTreeSet<&str> = reports
        .iter()
        .chain(&alive)
        .chain(&summaries)
        .chain(&pressures)
        .chain(&refusals)
        .flat_map(|text| text.lines())
        .collect();

    let mut lines = 0;
    for sample in DOCUMENTED.split("```text\n").skip(1) {
        let (sample, _) = sample.split_once("```").expect("a fence that closes");
        for line in sample.lines() {
            assert!(written.contains(line), "nothing writes this line of docs/REPORT-FORMAT.md:\n{line}");
            lines += 1;
        }
    }
    assert!(lines > 30, "only {lines} lines of samples were found");
}
