//! What an operator asked for while the program runs, and what came of it: lines for the next pass.

use std::sync::{Mutex, PoisonError};

use crate::report::Severity;

/// Lines that wait. Who writes more of them than that within a second (a program that changes the level in a loop) is told
/// by the last ones.
const MAX_LINES: usize = 16;

/// Lines that wait to be told.
#[derive(Debug, Default)]
pub(in crate::detector) struct Journal {
    lines: Mutex<Vec<(Severity, String)>>,
}

impl Journal {
    /// Adds a line.
    pub(in crate::detector) fn enter(&self, severity: Severity, text: String) {
        let mut lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        if lines.len() == MAX_LINES {
            lines.remove(0);
        }
        lines.push((severity, text));
    }

    /// The lines so far; they count as told.
    pub(in crate::detector) fn take(&self) -> Vec<(Severity, String)> {
        std::mem::take(&mut *self.lines.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_lines_are_kept_in_order_and_told_once() {
        let journal = Journal::default();
        (0..=MAX_LINES).for_each(|n| journal.enter(Severity::Info, n.to_string()));
        let lines = journal.take();
        assert_eq!(lines.len(), MAX_LINES);
        assert_eq!((lines[0].1.as_str(), lines[MAX_LINES - 1].1.as_str()), ("1", "16"));
        assert!(journal.take().is_empty());
    }
}
