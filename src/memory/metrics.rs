//! A budget's figures for a scraper.

use super::DirectMemory;
use crate::report::{BudgetFigures, Metrics};

impl Metrics {
    /// Adds a budget's figures under a name.
    pub fn budget(self, name: &str, memory: &DirectMemory) -> Metrics {
        let figures = memory.figures();
        let figures = BudgetFigures {
            used: figures.reserved(),
            limit: figures.limit(),
            peak: figures.peak(),
            refusals: figures.refusals(),
            waited: figures.waited().total(),
        };
        self.with_budget(name, figures)
    }
}
