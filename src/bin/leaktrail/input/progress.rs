//! How far a long read has come, for a person at a terminal.

use std::fs;
use std::io::{IsTerminal as _, stderr};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::is_stdin;
use super::rotation::Ordered;

/// Shorter work needs no bar.
const PATIENCE: Duration = Duration::from_secs(1);

pub(super) struct Progress {
    started: Instant,
    bar: Option<ProgressBar>,
    total: u64,
    /// Of the files before this one.
    before: u64,
}

impl Progress {
    pub(super) fn new(files: &[Ordered]) -> Progress {
        let lengths = files.iter().map(|file| match is_stdin(&file.path) {
            true => None,
            false => fs::metadata(&file.path).ok().map(|metadata| metadata.len()),
        });
        // Of a stream nobody knows how long it is.
        let total = lengths.sum::<Option<u64>>().unwrap_or(0);
        let bar =
            stderr().is_terminal().then(|| ProgressBar::with_draw_target(Some(total), ProgressDrawTarget::hidden()));
        Progress { started: Instant::now(), bar, total, before: 0 }
    }

    /// So much of this file was read.
    pub(super) fn at(&mut self, consumed: u64) {
        let Some(bar) = &self.bar else { return };
        if bar.is_hidden() && self.started.elapsed() >= PATIENCE {
            let template =
                if self.total > 0 { "{bar:40} {bytes} of {total_bytes}, {eta} left" } else { "{spinner} {bytes}" };
            if let Ok(style) = ProgressStyle::with_template(template) {
                bar.set_style(style);
            }
            bar.set_draw_target(ProgressDrawTarget::stderr());
        }
        bar.set_position(self.before + consumed);
    }

    pub(super) fn end_file(&mut self, consumed: u64) {
        self.before += consumed;
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}
