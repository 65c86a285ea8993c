//! A limit that comes near: who holds what is told while there is time.

use crate::config;
use crate::detector::state::alarms::Near;
use crate::detector::state::{Core, waker};
use crate::level::Level;
use crate::report::{Limited, Pressure, SiteStats};

impl Core {
    /// Notes how much of a budget is used. Told by the reporter, if it is near its limit and that is news.
    ///
    /// # Cost
    /// A short lock.
    pub(crate) fn budget_used(&self, budget: usize, used: u64, limit: u64) {
        if self.level() > Level::Disabled && self.state().alarms.budget(budget, used, limit) {
            waker::wake();
        }
    }

    /// Looks how much of the memory of its control group the process has left.
    pub(super) fn look_at_group(&self) {
        if let Some((used, limit)) = config::group_memory() {
            self.state().alarms.group(used, limit);
        }
    }

    /// What is to be said of limits that have come near, with the holders of this moment.
    pub(super) fn pressures(&self) -> Vec<Pressure> {
        let near = self.state().alarms.take();
        let pressure = |Near { of, mark, used, limit }| Pressure {
            of,
            mark,
            used,
            limit,
            holders: self.holders_where(|_: &SiteStats| true),
            resident: if of == Limited::ControlGroup { config::resident_bytes() } else { None },
            level: self.level(),
        };
        near.into_iter().map(pressure).collect()
    }
}
