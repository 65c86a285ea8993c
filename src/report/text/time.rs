//! Moments, by the clock on the wall, in UTC.

use std::fmt;
use std::time::SystemTime;

use crate::report::moment::has_text;

/// A moment as `2026-11-20T03:12:44Z`.
pub(super) struct Rfc3339(pub(super) SystemTime);

/// The time of the day alone, `03:12:44Z`, for lines that stand beside a log's own date.
pub(super) struct Clock(pub(super) SystemTime);

/// What stands for a moment that has no text: before 1970 or after 9999.
const UNKNOWN: &str = "unknown time";

impl fmt::Display for Rfc3339 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(text(self.0).as_deref().unwrap_or(UNKNOWN))
    }
}

impl fmt::Display for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = text(self.0);
        f.write_str(text.as_deref().and_then(|text| Some(text.split_once('T')?.1)).unwrap_or(UNKNOWN))
    }
}

fn text(time: SystemTime) -> Option<String> {
    has_text(time).then(|| humantime::format_rfc3339_seconds(time).to_string())
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn seconds_in_utc() {
        let time = SystemTime::UNIX_EPOCH + Duration::from_millis(1_795_144_364_999);
        assert_eq!(Rfc3339(time).to_string(), "2026-11-20T03:12:44Z");
        assert_eq!(Clock(time).to_string(), "03:12:44Z");
    }

    #[test]
    fn a_clock_that_is_far_off_does_no_harm() {
        let before = SystemTime::UNIX_EPOCH - Duration::from_secs(1);
        assert_eq!(Rfc3339(before).to_string(), "unknown time");
        assert_eq!(Clock(before).to_string(), "unknown time");
        let after = SystemTime::UNIX_EPOCH + Duration::from_secs(253_402_300_800);
        assert_eq!(Rfc3339(after).to_string(), "unknown time");
    }
}
