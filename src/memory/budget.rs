//! What the clones of a budget share: its account, and who has a say about its bytes.

use std::sync::Arc;

use super::account::Account;
use super::figures::MemoryFigures;
use super::reclaim::Hooks;
use super::stock::{Stocks, Sums};

/// A budget, behind every [`DirectMemory`](super::DirectMemory) of it and every reservation.
#[derive(Debug)]
pub(super) struct Budget {
    pub(super) account: Account,
    pub(super) hooks: Arc<Hooks>,
    pub(super) stocks: Arc<Stocks>,
}

impl Budget {
    pub(super) fn new(limit_bytes: Option<u64>) -> Budget {
        Budget { account: Account::new(limit_bytes), hooks: Arc::new(Hooks::new()), stocks: Arc::new(Stocks::new()) }
    }

    /// Asks the hooks to give back what is missing.
    pub(super) fn reclaim(&self, bytes: u64) {
        self.hooks.run(|| Some(self.account.missing(bytes)).filter(|missing| *missing > 0));
    }

    pub(super) fn figures(&self) -> MemoryFigures {
        let account = &self.account;
        // What a pool has is read before what is reserved; where both moved meanwhile, no part is more than the whole.
        let Sums { cached_bytes, overhead_bytes } = self.stocks.sums();
        let reserved_bytes = account.used_bytes();
        let cached_bytes = cached_bytes.min(reserved_bytes);
        MemoryFigures {
            limit_bytes: account.limit_bytes(),
            reserved_bytes,
            cached_bytes,
            overhead_bytes: overhead_bytes.min(reserved_bytes - cached_bytes),
            abandoned_bytes: account.abandoned_bytes(),
            peak_bytes: account.peak_bytes(),
            given_back_by_hooks_bytes: self.hooks.given_back_bytes(),
            reservations: account.live_reservations(),
            refusals: account.refusals(),
        }
    }
}
