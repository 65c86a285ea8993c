//! How much a budget may hand out.

use std::borrow::Cow;
use std::fmt;
use std::num::NonZeroU64;

use super::machine::Machine;

/// How many bytes a budget may hand out, as `LEAK_DETECTION_MAX_DIRECT_MEMORY` says it.
///
/// The three cases are those of Netty's `io.netty.maxDirectMemory`: below 0, 0 and above 0. Where Netty inherits the
/// limit of the Java machine, there is half of the memory that this process may have.
///
/// # Examples
///
/// ```
/// use leaktrail::{Config, DirectMemoryLimit};
///
/// let limit = DirectMemoryLimit::bytes(512 << 20);
/// assert_eq!(limit.to_string(), "536870912");
/// assert_eq!(DirectMemoryLimit::bytes(0), DirectMemoryLimit::Unlimited);
///
/// let config = Config::new().max_direct_memory(limit);
/// assert_eq!(config.configured_max_direct_memory(), limit);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum DirectMemoryLimit {
    /// Half of the control group's memory limit, or of the machine's memory where that is less. The default.
    ///
    /// Known on Linux (versions 1 and 2 of control groups); elsewhere there is no limit, and the setting's line in
    /// the log says so.
    #[default]
    Inherit,
    /// What is handed out is counted, and nothing is refused.
    Unlimited,
    /// At most so many bytes.
    Bytes(NonZeroU64),
}

impl DirectMemoryLimit {
    /// A limit of so many bytes, where 0 means none, as it does in the environment.
    #[must_use]
    pub const fn bytes(bytes: u64) -> DirectMemoryLimit {
        match NonZeroU64::new(bytes) {
            Some(bytes) => DirectMemoryLimit::Bytes(bytes),
            None => DirectMemoryLimit::Unlimited,
        }
    }

    /// The variable that sets it.
    pub(crate) const VARIABLE: &str = "LEAK_DETECTION_MAX_DIRECT_MEMORY";

    /// The limit in bytes (`None`: without one), and a few words that say where it comes from.
    ///
    /// `Inherit` reads files of `/proc` and `/sys`, so this belongs where a budget is made and not where it is used.
    pub(crate) fn resolve(self) -> (Option<u64>, Cow<'static, str>) {
        self.resolve_on(&Machine::this())
    }

    fn resolve_on(self, machine: &Machine) -> (Option<u64>, Cow<'static, str>) {
        match self {
            DirectMemoryLimit::Bytes(bytes) => (Some(bytes.get()), "as configured".into()),
            DirectMemoryLimit::Unlimited => (None, "no limit, as configured".into()),
            DirectMemoryLimit::Inherit => match machine.memory() {
                Some(memory) => (Some(memory.bytes / 2), format!("half of {memory}").into()),
                None => (None, "no limit: how much memory there is cannot be told here".into()),
            },
        }
    }

    /// Reads a trimmed text: a whole number below 0, or one from 0 on with an optional unit.
    pub(super) fn parse(text: &str) -> Option<DirectMemoryLimit> {
        if let Some(digits) = text.strip_prefix('-') {
            let magnitude = parse_digits(digits)?;
            return Some(if magnitude == 0 { DirectMemoryLimit::Unlimited } else { DirectMemoryLimit::Inherit });
        }
        let unit_at = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
        let (digits, unit) = text.split_at(unit_at);
        let bytes = parse_digits(digits)?.checked_mul(unit_bytes(unit)?)?;
        Some(DirectMemoryLimit::bytes(bytes))
    }
}

/// As the environment takes it back: `-1`, `0`, or the number of bytes.
impl fmt::Display for DirectMemoryLimit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            DirectMemoryLimit::Inherit => f.pad("-1"),
            DirectMemoryLimit::Unlimited => f.pad("0"),
            DirectMemoryLimit::Bytes(bytes) => bytes.fmt(f),
        }
    }
}

/// What a limit comes to on this machine: `8319524864 B, half of the machine's 16639049728 B`. The machine is asked as it is
/// displayed, so one that nobody shows costs nothing.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ComesTo(pub(crate) DirectMemoryLimit);

impl fmt::Display for ComesTo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.resolve() {
            (Some(bytes), origin) => write!(f, "{bytes} B, {origin}"),
            (None, origin) => f.write_str(&origin),
        }
    }
}

/// Digits only: `u64::from_str` would take a plus sign too.
fn parse_digits(digits: &str) -> Option<u64> {
    if digits.bytes().all(|byte| byte.is_ascii_digit()) { digits.parse().ok() } else { None }
}

/// The bytes of a unit in any case, as `-XX:MaxDirectMemorySize` has them: powers of 1024 whether or not it is spelt
/// with an `i`. The text is one number with one meaning; a `512MB` that meant 488 MiB would surprise everyone.
fn unit_bytes(unit: &str) -> Option<u64> {
    Some(match unit.to_ascii_lowercase().as_str() {
        "" | "b" => 1,
        "k" | "kb" | "kib" => 1 << 10,
        "m" | "mb" | "mib" => 1 << 20,
        "g" | "gb" | "gib" => 1 << 30,
        "t" | "tb" | "tib" => 1 << 40,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes(bytes: u64) -> Option<DirectMemoryLimit> {
        Some(DirectMemoryLimit::Bytes(NonZeroU64::new(bytes).unwrap()))
    }

    #[test]
    fn numbers_and_units() {
        assert_eq!(DirectMemoryLimit::parse("-1"), Some(DirectMemoryLimit::Inherit));
        assert_eq!(DirectMemoryLimit::parse("-4096"), Some(DirectMemoryLimit::Inherit));
        assert_eq!(DirectMemoryLimit::parse("0"), Some(DirectMemoryLimit::Unlimited));
        assert_eq!(DirectMemoryLimit::parse("-0"), Some(DirectMemoryLimit::Unlimited));
        assert_eq!(DirectMemoryLimit::parse("0m"), Some(DirectMemoryLimit::Unlimited));
        assert_eq!(DirectMemoryLimit::parse("1"), bytes(1));
        assert_eq!(DirectMemoryLimit::parse("64k"), bytes(65_536));
        assert_eq!(DirectMemoryLimit::parse("512m"), bytes(536_870_912));
        assert_eq!(DirectMemoryLimit::parse("512MB"), bytes(536_870_912));
        assert_eq!(DirectMemoryLimit::parse("2GiB"), bytes(2_147_483_648));
        assert_eq!(DirectMemoryLimit::parse("1T"), bytes(1 << 40));
        assert_eq!(DirectMemoryLimit::parse("1024B"), bytes(1024));
        assert_eq!(DirectMemoryLimit::parse("18446744073709551615"), bytes(u64::MAX));
        assert_eq!(DirectMemoryLimit::parse("16777215T"), bytes((u64::MAX >> 40) << 40));
    }

    #[test]
    fn what_means_nothing_is_refused() {
        for text in [
            "",
            "m",
            "-",
            "-1m",
            "-bogus",
            "+1",
            "--1",
            "512 m",
            "5 12",
            "1.5g",
            "1e9",
            "512x",
            "512mm",
            "0x10",
            "1_000",
            "18446744073709551616",
            "99999999999999999999",
            "-99999999999999999999",
            "16777216T",
            "٣",
            "512µ",
        ] {
            assert_eq!(DirectMemoryLimit::parse(text), None, "{text:?}");
        }
    }

    #[test]
    fn the_environment_takes_back_what_is_shown() {
        for limit in [DirectMemoryLimit::Inherit, DirectMemoryLimit::Unlimited, DirectMemoryLimit::bytes(12_345)] {
            assert_eq!(DirectMemoryLimit::parse(&limit.to_string()), Some(limit));
        }
    }

    #[test]
    fn what_is_configured_needs_no_machine() {
        let nowhere = Machine::at("/does/not/exist");
        assert_eq!(DirectMemoryLimit::bytes(7).resolve_on(&nowhere).0, Some(7));
        assert_eq!(DirectMemoryLimit::Unlimited.resolve_on(&nowhere).0, None);
        let (limit, origin) = DirectMemoryLimit::Inherit.resolve_on(&nowhere);
        assert_eq!(limit, None);
        assert_eq!(origin, "no limit: how much memory there is cannot be told here");
    }

    #[test]
    #[cfg(target_os = "linux")]
    #[cfg_attr(miri, ignore = "reads the machine's files")]
    fn this_machine_has_memory_to_inherit() {
        let (limit, origin) = DirectMemoryLimit::Inherit.resolve();
        assert!(limit.is_some_and(|bytes| bytes > 1 << 20), "{limit:?}");
        assert!(origin.starts_with("half of "), "{origin}");
        let told = ComesTo(DirectMemoryLimit::Inherit).to_string();
        assert_eq!(told, format!("{} B, {origin}", limit.unwrap()));
        assert_eq!(ComesTo(DirectMemoryLimit::bytes(7)).to_string(), "7 B, as configured");
        assert_eq!(ComesTo(DirectMemoryLimit::Unlimited).to_string(), "no limit, as configured");
    }
}
