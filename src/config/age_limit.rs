//! How old something may be before it is told.

use std::fmt;
use std::time::Duration;

/// How old something may become before it is told, or that it never is.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
///
/// use leaktrail::{AgeLimit, Config};
///
/// let config = Config::new().held_too_long(AgeLimit::after(Duration::from_secs(30)));
/// assert_eq!(config.configured_held_too_long().to_string(), "30s");
/// assert_eq!(AgeLimit::after(Duration::ZERO), AgeLimit::NEVER);
/// assert_eq!(AgeLimit::NEVER.to_string(), "off");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct AgeLimit(Option<Duration>);

impl AgeLimit {
    /// Nothing is too old.
    pub const NEVER: AgeLimit = AgeLimit(None);

    /// The limit of that age, to the millisecond; less than one means [`NEVER`](AgeLimit::NEVER).
    #[must_use]
    pub const fn after(age: Duration) -> AgeLimit {
        // What is shown can be read again, and milliseconds are the smallest unit that a reader meets.
        match age.as_millis() {
            0 => AgeLimit::NEVER,
            millis if millis > u64::MAX as u128 => AgeLimit(Some(Duration::from_millis(u64::MAX))),
            millis => AgeLimit(Some(Duration::from_millis(millis as u64))),
        }
    }

    /// The age; nothing if there is no limit.
    #[must_use]
    pub const fn get(self) -> Option<Duration> {
        self.0
    }

    /// Reads a trimmed text: `off`, or a whole number above 0 with a unit.
    pub(super) fn parse(text: &str) -> Option<AgeLimit> {
        if text.eq_ignore_ascii_case("off") {
            return Some(AgeLimit::NEVER);
        }
        let unit_at = text.find(|c: char| !c.is_ascii_digit())?;
        let (digits, unit) = text.split_at(unit_at);
        // Without a unit nobody knows whether seconds or milliseconds are meant.
        let unit_millis: u64 = match unit.to_ascii_lowercase().as_str() {
            "ms" => 1,
            "s" => 1_000,
            "m" | "min" => 60_000,
            "h" => 3_600_000,
            "d" => 86_400_000,
            _ => return None,
        };
        let millis = digits.parse::<u64>().ok()?.checked_mul(unit_millis)?;
        (millis > 0).then(|| AgeLimit::after(Duration::from_millis(millis)))
    }
}

/// As the environment takes it back: `off`, or a number with the largest unit that leaves it whole.
impl fmt::Display for AgeLimit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(age) = self.0 else { return f.pad("off") };
        let millis = age.as_millis();
        let units = [(86_400_000, "d"), (3_600_000, "h"), (60_000, "m"), (1_000, "s")];
        let (unit_millis, unit) =
            units.into_iter().find(|(unit_millis, _)| millis.is_multiple_of(*unit_millis)).unwrap_or((1, "ms"));
        f.pad(&format!("{}{unit}", millis / unit_millis))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_and_a_unit() {
        for (text, millis) in [
            ("1ms", 1),
            ("500ms", 500),
            ("30s", 30_000),
            ("30S", 30_000),
            ("5m", 300_000),
            ("5min", 300_000),
            ("2h", 7_200_000),
            ("1d", 86_400_000),
        ] {
            let limit = AgeLimit::parse(text).unwrap_or_else(|| panic!("{text}"));
            assert_eq!(limit.get(), Some(Duration::from_millis(millis)), "{text}");
            assert_eq!(AgeLimit::parse(&limit.to_string()), Some(limit), "{text}");
        }
        assert_eq!(AgeLimit::parse("Off"), Some(AgeLimit::NEVER));
    }

    #[test]
    fn what_means_nothing_is_refused() {
        for text in
            ["", "30", "0s", "0", "s", "-1s", "+1s", "1.5s", "30 s", "30sec", "1w", "never", "99999999999999999999s"]
        {
            assert_eq!(AgeLimit::parse(text), None, "{text:?}");
        }
        // More milliseconds than there are numbers.
        assert_eq!(AgeLimit::parse("999999999999999d"), None);
    }

    #[test]
    fn it_is_shown_with_the_largest_unit_that_leaves_it_whole() {
        for (millis, shown) in [(1, "1ms"), (1_500, "1500ms"), (90_000, "90s"), (120_000, "2m"), (86_400_000, "1d")] {
            assert_eq!(AgeLimit::after(Duration::from_millis(millis)).to_string(), shown);
        }
        assert_eq!(AgeLimit::after(Duration::from_micros(999)), AgeLimit::NEVER);
        assert_eq!(AgeLimit::after(Duration::MAX).get(), Some(Duration::from_millis(u64::MAX)));
    }
}
