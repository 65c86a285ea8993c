//! Spans of time, in words.

use std::fmt;
use std::time::Duration;

/// A span of time with its unit: `12 ms`, `41 s`, `2 min 30 s`, `1 h 2 min`, `3 d 4 h`. Cut, never rounded up, so that
/// it may stand behind "at least". Seconds go up to 119, so that a window of a minute or an age of 64 s stays one number.
pub(crate) struct Spelled(pub(crate) Duration);

impl fmt::Display for Spelled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.0.as_secs();
        let ((large, unit), (small, small_unit)) = match seconds {
            0 => return write!(f, "{} ms", self.0.as_millis()),
            1..120 => return write!(f, "{seconds} s"),
            120..3_600 => ((seconds / 60, "min"), (seconds % 60, "s")),
            3_600..86_400 => ((seconds / 3_600, "h"), (seconds / 60 % 60, "min")),
            _ => ((seconds / 86_400, "d"), (seconds / 3_600 % 24, "h")),
        };
        write!(f, "{large} {unit}")?;
        if small > 0 { write!(f, " {small} {small_unit}") } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_unit_begins_where_it_is_said_to() {
        for (millis, text) in [
            (0, "0 ms"),
            (12, "12 ms"),
            (999, "999 ms"),
            (1_000, "1 s"),
            (41_999, "41 s"),
            (64_000, "64 s"),
            (119_999, "119 s"),
            (120_000, "2 min"),
            (150_000, "2 min 30 s"),
            (600_000, "10 min"),
            (3_600_000, "1 h"),
            (3_720_000, "1 h 2 min"),
            (86_400_000, "1 d"),
            (273_600_000, "3 d 4 h"),
        ] {
            assert_eq!(Spelled(Duration::from_millis(millis)).to_string(), text);
        }
        assert_eq!(Spelled(Duration::from_micros(999)).to_string(), "0 ms");
        assert!(Spelled(Duration::MAX).to_string().ends_with(" h"));
    }
}
