//! How much of a log was understood.

/// How much of the input was understood, and what was wrong with some of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    /// All lines.
    pub(crate) lines: u64,
    /// Those that belong to a report.
    pub(crate) understood: u64,
    /// Reports whose end is missing.
    pub(crate) cut_off: u64,
    /// Reports with other lines in between.
    pub(crate) interleaved: u64,
}

impl Tally {
    pub(crate) fn passed_over(&self) -> u64 {
        self.lines.saturating_sub(self.understood)
    }

    pub(crate) fn add(&mut self, other: Tally) {
        self.lines += other.lines;
        self.understood += other.understood;
        self.cut_off += other.cut_off;
        self.interleaved += other.interleaved;
    }
}
