//! How near a budget is to its limit.

use std::sync::Arc;

use super::budget::Budget;

/// How full a budget is, at one moment.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Fill {
    /// Tells budgets apart, while they live.
    pub(crate) budget: usize,
    pub(crate) used_bytes: u64,
    pub(crate) limit_bytes: Option<u64>,
}

impl Fill {
    /// Of no budget.
    pub(crate) const NONE: Fill = Fill { budget: 0, used_bytes: 0, limit_bytes: None };

    /// Of a budget, or of that above it which is nearest to its limit: a child with room is no comfort where there is none
    /// for its parent.
    pub(super) fn of(budget: &Arc<Budget>) -> Fill {
        let fill = |budget: &Budget| Fill {
            budget: std::ptr::from_ref(budget).addr(),
            used_bytes: budget.account.used_bytes(),
            limit_bytes: budget.account.limit_bytes(),
        };
        let own = fill(budget);
        if !budget.is_child() {
            return own;
        }
        let left = |fill: &Fill| {
            fill.limit_bytes.map_or(u128::MAX, |limit| {
                u128::from(limit - fill.used_bytes.min(limit)) * 1_000 / u128::from(limit.max(1))
            })
        };
        budget.path().map(fill).min_by_key(left).unwrap_or(own)
    }
}
