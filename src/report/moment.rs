//! Which moments can be written down.

use std::time::SystemTime;

/// Seconds from 1970 to the year 10000, the first that RFC 3339 cannot write.
const END_SECONDS: u64 = 253_402_300_800;

/// Whether a moment has a text: from 1970 to 9999. humantime panics before and fails after, and a clock may be set to either.
pub(super) fn has_text(time: SystemTime) -> bool {
    time.duration_since(SystemTime::UNIX_EPOCH).is_ok_and(|since| since.as_secs() < END_SECONDS)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn from_1970_to_9999() {
        let at = |seconds| SystemTime::UNIX_EPOCH + Duration::from_secs(seconds);
        assert!(has_text(at(0)) && has_text(at(END_SECONDS - 1)));
        assert_eq!(humantime::format_rfc3339_millis(at(END_SECONDS - 1)).to_string(), "9999-12-31T23:59:59.000Z");
        assert!(!has_text(SystemTime::UNIX_EPOCH - Duration::from_nanos(1)) && !has_text(at(END_SECONDS)));
    }
}
