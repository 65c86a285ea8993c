//! When a site counts as growing.

use std::time::Duration;

/// For how many windows in a row, and how long ones, the live count of a site has to rise before the site counts as growing.
///
/// By default ten windows of a minute. Short ones suit a demonstration or a load test; in production they take a cache that
/// warms up for a hoard.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
///
/// use leaktrail::{Config, GrowthRule};
///
/// assert_eq!(GrowthRule::default(), GrowthRule::new(10, Duration::from_secs(60)).unwrap());
/// assert_eq!(GrowthRule::new(1, Duration::from_secs(60)), None);
///
/// let quick = GrowthRule::new(5, Duration::from_millis(100));
/// assert_eq!(Config::new().growth(quick).configured_growth(), quick);
/// assert_eq!(Config::new().growth(None).configured_growth(), None); // nothing is told
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct GrowthRule {
    windows: u8,
    window: Duration,
}

impl GrowthRule {
    /// Ten windows of a minute: what rises for so long is no burst, and no load that has just come.
    pub const DEFAULT: GrowthRule = GrowthRule { windows: 10, window: Duration::from_secs(60) };

    /// The shortest window: the ledger is not read more often than this.
    pub const SHORTEST_WINDOW: Duration = Duration::from_millis(10);

    /// The longest window.
    pub const LONGEST_WINDOW: Duration = Duration::from_secs(24 * 60 * 60);

    /// A rule of so many windows; `None` unless there are at least 2, each from 10 ms to a day long.
    #[must_use]
    pub const fn new(windows: u8, window: Duration) -> Option<GrowthRule> {
        let nanos = window.as_nanos();
        let fits = GrowthRule::SHORTEST_WINDOW.as_nanos() <= nanos && nanos <= GrowthRule::LONGEST_WINDOW.as_nanos();
        if windows >= 2 && fits { Some(GrowthRule { windows, window }) } else { None }
    }

    /// For how many windows in a row.
    #[must_use]
    pub const fn windows(self) -> u8 {
        self.windows
    }

    /// How long each of them is.
    #[must_use]
    pub const fn window(self) -> Duration {
        self.window
    }
}

impl Default for GrowthRule {
    fn default() -> GrowthRule {
        GrowthRule::DEFAULT
    }
}
