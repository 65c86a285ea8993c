//! When a line was written, as far as what stands before a report tells.

use std::fmt;
use std::sync::LazyLock;

use jiff::civil::DateTime;
use jiff::tz::Offset;
use jiff::{Span, SpanRelativeTo, Timestamp};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A moment, in milliseconds since 1970. A log's time without a zone is taken as UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Moment(pub(crate) i64);

const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

impl Moment {
    /// The first moment that stands in the text, in one of the forms that loggers use.
    pub(crate) fn find(text: &str) -> Option<Moment> {
        let bytes = text.as_bytes();
        (0..bytes.len()).find_map(|at| {
            if at > 0 && bytes[at - 1].is_ascii_alphanumeric() {
                return None;
            }
            match bytes[at] {
                b'0'..=b'9' => numeric(&bytes[at..]),
                b'A'..=b'S' => with_month(&text[at..]),
                _ => None,
            }
        })
    }

    pub(crate) fn now() -> Moment {
        Moment(Timestamp::now().as_millisecond())
    }

    /// What a person means by "since": a moment, a day, or a span that ends now.
    pub(crate) fn since(text: &str, now: Moment) -> Option<Moment> {
        let text = text.trim();
        if let Some(moment) = Moment::find(text).filter(|_| text.len() >= 19) {
            return Some(moment);
        }
        if let Ok(timestamp) = text.parse::<Timestamp>() {
            return Some(Moment(timestamp.as_millisecond()));
        }
        if let Ok(civil) = text.trim_end_matches('Z').parse::<DateTime>() {
            return Moment::of(civil, Offset::UTC);
        }
        let span: Span = text.parse().ok()?;
        let length = span.to_duration(SpanRelativeTo::days_are_24_hours()).ok()?;
        let millis = i64::try_from(length.abs().as_millis()).ok()?;
        now.0.checked_sub(millis).map(Moment)
    }

    /// A number of seconds, milliseconds, microseconds or nanoseconds since 1970; its size tells which.
    pub(crate) fn from_number(number: f64) -> Option<Moment> {
        // Each unit's range begins in 1973 and ends long after.
        let millis = match number {
            1e8..1e11 => number * 1e3,
            1e11..1e14 => number,
            1e14..1e17 => number / 1e3,
            1e17..1e19 => number / 1e6,
            _ => return None,
        };
        // In range, so nothing is cut but what is below a millisecond.
        Some(Moment(millis as i64))
    }

    /// Seconds of the day, in UTC.
    pub(crate) fn second_of_day(self) -> u32 {
        u32::try_from(self.0.div_euclid(1_000).rem_euclid(86_400)).unwrap_or_default()
    }

    /// `2026-11-20T03:12:44Z`, without what is below a second.
    pub(crate) fn to_seconds(self) -> Moment {
        Moment(self.0.div_euclid(1_000) * 1_000)
    }

    fn of(civil: DateTime, offset: Offset) -> Option<Moment> {
        Some(Moment(offset.to_timestamp(civil).ok()?.as_millisecond()))
    }
}

impl Serialize for Moment {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Moment {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Moment::find(&text).ok_or_else(|| D::Error::custom("no moment"))
    }
}

impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match Timestamp::from_millisecond(self.0) {
            Ok(timestamp) => timestamp.fmt(f),
            Err(_) => f.write_str("unknown time"),
        }
    }
}

/// `03:12:44Z`, as `since` has it, in seconds of the day.
pub(super) fn clock(text: &str) -> Option<u32> {
    let bytes = text.as_bytes();
    let [hour, minute, second] = [0, 3, 6].map(|at| digits(bytes, at, 2));
    let is_clock = bytes.get(2) == Some(&b':') && bytes.get(5) == Some(&b':');
    let (hour, minute, second) = (hour?, minute?, second?);
    (is_clock && hour < 24 && minute < 60 && second < 61).then_some((hour * 60 + minute) * 60 + second)
}

/// `2026-11-20T03:12:44.123Z`, `2026/11/20 03:12:44,123`, `2026-11-20 03:12:44.123456+01:00`.
fn numeric(text: &[u8]) -> Option<Moment> {
    let date_mark = *text.get(4)?;
    let is_date = matches!(date_mark, b'-' | b'/') && text.get(7) == Some(&date_mark);
    let is_time = matches!(text.get(10)?, b'T' | b't' | b' ' | b'_');
    if !is_date || !is_time {
        return None;
    }
    let [month, day] = [5, 8].map(|at| digits(text, at, 2));
    let civil = civil(digits(text, 0, 4)?, month?, day?, text.get(11..)?)?;
    let after = &text[19..];
    let (nanos, rest) = fraction(after);
    Moment::of(civil.with().subsec_nanosecond(nanos).build().ok()?, offset(rest))
}

/// `Nov 20, 2026 9:48:31 AM` (java.util.logging), `Nov 20 03:12:44` (syslog, of the last twelve months).
fn with_month(text: &str) -> Option<Moment> {
    let month = 1 + MONTHS.iter().position(|month| text.starts_with(month))? as u32;
    // From JDK 20 on a narrow no-break space stands before AM.
    let mut words = text.split([' ', '\u{202f}']).filter(|word| !word.is_empty()).skip(1);
    let day = words.next()?;
    if let Some(day) = day.strip_suffix(',') {
        let year = words.next()?.trim_end_matches(',').parse().ok()?;
        let time = padded(words.next()?);
        let at = civil(year, month, day.parse().ok()?, time.as_bytes())?;
        let hour = at.hour() % 12;
        let at = match words.next() {
            Some("PM") => at.with().hour(hour + 12).build().ok()?,
            Some("AM") => at.with().hour(hour).build().ok()?,
            _ => at,
        };
        return Moment::of(at, Offset::UTC);
    }
    let (day, time) = (day.parse().ok()?, words.next()?);
    /// Syslog says no year: it is the last one in which that day is not to come yet.
    static NOW: LazyLock<Timestamp> = LazyLock::new(Timestamp::now);
    let tomorrow = Moment(NOW.as_millisecond().saturating_add(86_400_000));
    let this_year = u32::try_from(Offset::UTC.to_datetime(*NOW).year()).ok()?;
    let in_year = |year| Moment::of(civil(year, month, day, time.as_bytes())?, Offset::UTC);
    in_year(this_year).filter(|at| *at < tomorrow).or_else(|| in_year(this_year.checked_sub(1)?))
}

/// An hour of one digit, as java.util.logging writes it, with two.
fn padded(time: &str) -> String {
    if time.as_bytes().get(1) == Some(&b':') { format!("0{time}") } else { time.to_owned() }
}

fn civil(year: u32, month: u32, day: u32, time: &[u8]) -> Option<DateTime> {
    let seconds = clock(std::str::from_utf8(time.get(..8)?).ok()?)?;
    let small = |number: u32| i8::try_from(number).ok();
    let [hour, minute, second] = [seconds / 3_600, seconds / 60 % 60, seconds % 60].map(small);
    DateTime::new(i16::try_from(year).ok()?, small(month)?, small(day)?, hour?, minute?, second?, 0).ok()
}

/// `.123456` or `,123` as nanoseconds, and what follows.
fn fraction(text: &[u8]) -> (i32, &[u8]) {
    let Some((b'.' | b',', after)) = text.split_first() else { return (0, text) };
    let length = after.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let nanos = after[..length].iter().chain([b'0'; 9].iter()).take(9);
    (nanos.fold(0, |nanos, digit| nanos * 10 + i32::from(digit - b'0')), &after[length..])
}

/// `Z`, `+01:00`, `+0100`; UTC for anything else.
fn offset(text: &[u8]) -> Offset {
    let sign = match text.first() {
        Some(b'+') => 1,
        Some(b'-') => -1,
        _ => return Offset::UTC,
    };
    let minutes_at = if text.get(3) == Some(&b':') { 4 } else { 3 };
    let (Some(hours), minutes) = (digits(text, 1, 2), digits(text, minutes_at, 2).unwrap_or(0)) else {
        return Offset::UTC;
    };
    let seconds = i32::try_from(hours * 3_600 + minutes * 60).unwrap_or(0);
    Offset::from_seconds(sign * seconds).unwrap_or(Offset::UTC)
}

fn digits(text: &[u8], at: usize, length: usize) -> Option<u32> {
    let digits = text.get(at..at + length)?;
    digits.iter().try_fold(0, |number, byte| byte.is_ascii_digit().then(|| number * 10 + u32::from(byte - b'0')))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Option<String> {
        Moment::find(text).map(|moment| moment.to_string())
    }

    #[test]
    fn the_forms_of_common_loggers() {
        for (text, expected) in [
            ("[2026-11-20T03:12:44Z ERROR leaktrail] ", "2026-11-20T03:12:44Z"),
            ("2026-11-20T03:12:44.123456Z ERROR leaktrail: ", "2026-11-20T03:12:44.123Z"),
            ("2026-11-20 03:12:44,123 [main] ERROR ", "2026-11-20T03:12:44.123Z"),
            ("2026/11/20 03:12:44 x", "2026-11-20T03:12:44Z"),
            ("2026-11-20T04:12:44.5+01:00 ", "2026-11-20T03:12:44.5Z"),
            ("2026-11-20T01:12:44-0200 ", "2026-11-20T03:12:44Z"),
            ("thread 12 2026-11-20T03:12:44 ", "2026-11-20T03:12:44Z"),
            ("Nov 20, 2026 9:48:31 AM io.netty", "2026-11-20T09:48:31Z"),
            ("Nov 20, 2026, 12:48:31\u{202f}PM io.netty", "2026-11-20T12:48:31Z"),
            ("Nov 20, 2026 12:00:01 AM io.netty", "2026-11-20T00:00:01Z"),
        ] {
            assert_eq!(found(text).as_deref(), Some(expected), "{text}");
        }
    }

    #[test]
    fn what_is_no_moment_is_none() {
        for text in [
            "",
            "ERROR leaktrail: ",
            "2026-13-20T03:12:44Z",
            "2026-11-20T25:12:44Z",
            "2026-11-20",
            "Nov 20",
            "Nov 20, 2026",
            "x2026-11-20T03:12:44Z",
            "2026-11/20 03:12:44",
            "Nov é 03:12:44",
            "03:12:44.123 [main]",
        ] {
            assert_eq!(found(text), None, "{text}");
        }
    }

    #[test]
    fn syslog_has_no_year_and_never_means_the_future() {
        let now = Timestamp::now().as_millisecond();
        for month in MONTHS {
            let moment = Moment::find(&format!("{month} 20 03:12:44 host x: ")).expect("a moment");
            assert!(moment.0 < now + 2 * 86_400_000 && moment.0 > now - 367 * 86_400_000, "{month}: {moment}");
        }
    }

    #[test]
    fn since_is_a_moment_a_day_or_a_span() {
        let now = Moment::find("2026-11-20T03:12:44Z").expect("a moment");
        for (text, expected) in [
            ("2026-11-20T03:00:00Z", "2026-11-20T03:00:00Z"),
            ("2026-11-20 03:00:00", "2026-11-20T03:00:00Z"),
            ("2026-11-20T03:00Z", "2026-11-20T03:00:00Z"),
            ("2026-11-20T03:00", "2026-11-20T03:00:00Z"),
            ("2026-11-20", "2026-11-20T00:00:00Z"),
            ("2h", "2026-11-20T01:12:44Z"),
            ("90m", "2026-11-20T01:42:44Z"),
            ("1d", "2026-11-19T03:12:44Z"),
        ] {
            assert_eq!(Moment::since(text, now).map(|moment| moment.to_string()).as_deref(), Some(expected), "{text}");
        }
        for text in ["", "yesterday", "2", "h", "2026-13-01"] {
            assert_eq!(Moment::since(text, now), None, "{text}");
        }
    }

    #[test]
    fn a_number_has_the_unit_of_its_size() {
        for number in [1_795_144_364.2, 1_795_144_364_200.0, 1_795_144_364_200_000.0, 1_795_144_364_200_000_000.0] {
            assert_eq!(
                Moment::from_number(number).map(Moment::to_seconds),
                Some(Moment(1_795_144_364_000)),
                "{number}"
            );
        }
        for number in [0.0, -1.0, 1e30, f64::NAN, f64::INFINITY] {
            assert_eq!(Moment::from_number(number), None);
        }
        assert_eq!(Moment(1_795_144_364_200).second_of_day(), clock("03:12:44Z").expect("a clock"));
        assert_eq!(clock("24:00:00Z"), None);
    }
}
