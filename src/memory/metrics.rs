//! A budget's figures for a scraper.

use super::DirectMemory;
use crate::report::{BudgetFigures, Metrics};

impl Metrics {
    /// Adds a budget's figures under a name.
    pub fn budget(self, name: &str, memory: &DirectMemory) -> Metrics {
        let figures = BudgetFigures { used: memory.used(), limit: memory.limit(), peak: memory.peak() };
        self.with_budget(name, figures)
    }
}
