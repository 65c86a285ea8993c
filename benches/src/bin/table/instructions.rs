//! What the instruction gate counts.

use std::path::Path;
use std::process::Command;

/// Runs the gate: its lines are `WHAT  FIGURE, at most LIMIT`. Nothing where there is no valgrind.
pub(crate) fn counted() -> Vec<(String, f64)> {
    let gate = Path::new(env!("CARGO_MANIFEST_DIR")).join("../.ci/instructions");
    let output = Command::new(gate).output().expect("the gate can be started");
    let text = String::from_utf8_lossy(&output.stdout);
    let figures = text.lines().filter_map(|line| {
        let (line, _limit) = line.split_once(", at most ")?;
        let (what, figure) = line.rsplit_once(' ')?;
        let level = what.trim().split(',').next()?;
        Some((format!("{level} instructions"), figure.parse().ok()?))
    });
    figures.collect()
}
