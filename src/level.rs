//! How much is recorded of each handle.

use std::fmt;
use std::str::FromStr;

/// How much is recorded of each handle, from nothing to everything.
///
/// The names and their order are those of Netty's `io.netty.leakDetection.level`. At every level but
/// [`Disabled`](Level::Disabled) each handle is counted at its site and each loss is found and attributed to
/// it; the levels differ in how many handles get a *trail*, which is what explains the loss.
///
/// | level | every handle | sampled handles |
/// |---|---|---|
/// | `DISABLED` | nothing | nothing |
/// | `SIMPLE` | exact counts, each loss with its site | the stack of the creation |
/// | `ADVANCED` | as `SIMPLE` | the stacks of the creation, of the touches with their hints, and of the drop |
/// | `PARANOID` | as `ADVANCED` has for its sampled handles | - |
///
/// # Examples
///
/// ```
/// use leaktrail::Level;
///
/// assert_eq!(" Advanced ".parse(), Ok(Level::Advanced));
/// assert_eq!("3".parse(), Ok(Level::Paranoid));
/// assert_eq!(Level::default().to_string(), "SIMPLE");
/// assert!(Level::Disabled < Level::Paranoid);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "UPPERCASE"))]
#[repr(u8)]
pub enum Level {
    /// Nothing is counted and nothing is recorded.
    Disabled = 0,
    /// Exact counts for every handle, the stack of the creation for a sample. The default, made for production.
    #[default]
    Simple = 1,
    /// As [`Simple`](Level::Simple), and the sampled handles record every access and their drop.
    Advanced = 2,
    /// A full trail for every handle. For tests and for hunting, not for production.
    Paranoid = 3,
}

impl Level {
    /// The highest level that this build can have, fixed by its cargo features.
    ///
    /// The lowest of the `max_level_*` features that are on; the `release_max_level_*` features count in builds
    /// without debug assertions. Without any of them it is [`Level::Paranoid`].
    ///
    /// # Examples
    ///
    /// ```
    /// use leaktrail::Level;
    ///
    /// // What a build can have at most, whatever is asked for.
    /// let level = Level::Paranoid.min(Level::CEILING);
    /// assert!(level <= Level::CEILING);
    /// ```
    pub const CEILING: Level = ceiling(!cfg!(debug_assertions));

    /// The level's name in capitals, as reports print it.
    ///
    /// # Examples
    ///
    /// ```
    /// assert_eq!(leaktrail::Level::Paranoid.name(), "PARANOID");
    /// ```
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Level::Disabled => "DISABLED",
            Level::Simple => "SIMPLE",
            Level::Advanced => "ADVANCED",
            Level::Paranoid => "PARANOID",
        }
    }

    /// The level of a byte that `level as u8` made.
    ///
    /// Any other byte is a fault of ours; it reads as `Disabled`, since a faulty detector must stay out of its
    /// host's way.
    #[inline]
    pub(crate) const fn from_u8(byte: u8) -> Level {
        match byte {
            1 => Level::Simple,
            2 => Level::Advanced,
            3 => Level::Paranoid,
            _ => Level::Disabled,
        }
    }
}

/// The lowest ceiling that a cargo feature asks for; features of a build may add up, so the lowest has to win.
const fn ceiling(release: bool) -> Level {
    if cfg!(feature = "max_level_disabled") || release && cfg!(feature = "release_max_level_disabled") {
        Level::Disabled
    } else if cfg!(feature = "max_level_simple") || release && cfg!(feature = "release_max_level_simple") {
        Level::Simple
    } else if cfg!(feature = "max_level_advanced") || release && cfg!(feature = "release_max_level_advanced") {
        Level::Advanced
    } else {
        // `max_level_paranoid` and `release_max_level_paranoid` are here: they exist to be named, and take nothing away.
        Level::Paranoid
    }
}

/// The level's [name](Level::name); width and fill of the format are honoured.
impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// Reads a level's name in any case, or its number `0` to `3`, with space around it.
impl FromStr for Level {
    type Err = ParseLevelError;

    fn from_str(text: &str) -> Result<Level, ParseLevelError> {
        let word = text.trim();
        let levels = [Level::Disabled, Level::Simple, Level::Advanced, Level::Paranoid];
        if let Some(level) = levels.into_iter().find(|level| word.eq_ignore_ascii_case(level.name())) {
            return Ok(level);
        }
        // Compared as text: `u8::from_str` would take `+3` and `003` too, which Netty does not.
        match word {
            "0" => Ok(Level::Disabled),
            "1" => Ok(Level::Simple),
            "2" => Ok(Level::Advanced),
            "3" => Ok(Level::Paranoid),
            _ => Err(ParseLevelError { found: text.to_owned() }),
        }
    }
}

/// A text that names no [`Level`]; it says what was found and lists the words that are accepted.
///
/// # Examples
///
/// ```
/// use leaktrail::Level;
///
/// let error = "loud".parse::<Level>().unwrap_err();
/// assert_eq!(error.found(), "loud");
/// assert_eq!(
///     error.to_string(),
///     "\"loud\" is no leak detection level; accepted are DISABLED, SIMPLE, ADVANCED, PARANOID in any case, or 0 to 3",
/// );
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParseLevelError {
    found: String,
}

impl ParseLevelError {
    /// The words that are accepted, for every message that lists them.
    pub(crate) const ACCEPTED: &'static str = "DISABLED, SIMPLE, ADVANCED, PARANOID in any case, or 0 to 3";

    /// The text that was found, unchanged.
    #[must_use]
    pub fn found(&self) -> &str {
        &self.found
    }
}

impl fmt::Display for ParseLevelError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} is no leak detection level; accepted are {}", self.found, Self::ACCEPTED)
    }
}

impl std::error::Error for ParseLevelError {}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: [Level; 4] = [Level::Disabled, Level::Simple, Level::Advanced, Level::Paranoid];

    #[test]
    fn names_and_numbers_are_read_back() {
        for level in ALL {
            assert_eq!(level.to_string().parse(), Ok(level));
            assert_eq!(level.name().to_lowercase().parse(), Ok(level));
            assert_eq!((level as u8).to_string().parse(), Ok(level));
            assert_eq!(format!("\t {level} \n").parse(), Ok(level));
            assert_eq!(Level::from_u8(level as u8), level);
        }
        assert_eq!("pArAnOiD".parse(), Ok(Level::Paranoid));
    }

    #[test]
    fn anything_else_is_an_error_that_keeps_the_text() {
        for text in ["", " ", "bogus", "4", "-1", "+3", "03", "1.0", "para noid", "PARANOID,", "99999999999999999999"] {
            let error = text.parse::<Level>().expect_err(text);
            assert_eq!(error.found(), text);
            for level in ALL {
                assert!(error.to_string().contains(level.name()), "{error}");
            }
        }
    }

    #[test]
    fn the_message_cannot_forge_a_line() {
        let error = "x\nLEAK: forged\u{1b}[31m".parse::<Level>().unwrap_err();
        assert!(!error.to_string().contains(['\n', '\u{1b}']), "{error}");
    }

    #[test]
    fn order_and_default_are_those_of_netty() {
        assert!(ALL.is_sorted());
        assert_eq!(Level::default(), Level::Simple);
        assert_eq!(format!("{:>10}|{:<9}|", Level::Simple, Level::Advanced), "    SIMPLE|ADVANCED |");
    }

    #[test]
    fn a_byte_that_no_level_made_reads_as_disabled() {
        assert_eq!(Level::from_u8(4), Level::Disabled);
        assert_eq!(Level::from_u8(u8::MAX), Level::Disabled);
    }

    #[test]
    #[cfg(feature = "serde")]
    fn serde_has_the_names_of_the_reports() {
        for level in ALL {
            let json = serde_json::to_string(&level).unwrap();
            assert_eq!(json, format!("\"{level}\""));
            assert_eq!(serde_json::from_str::<Level>(&json).unwrap(), level);
        }
    }

    #[test]
    fn the_lowest_feature_is_the_ceiling() {
        assert!(ceiling(true) <= ceiling(false), "the release features only take away");
        if cfg!(feature = "max_level_disabled") {
            assert_eq!(Level::CEILING, Level::Disabled);
        } else if cfg!(feature = "max_level_simple") {
            assert!(Level::CEILING <= Level::Simple);
        } else if cfg!(feature = "max_level_advanced") {
            assert!(Level::CEILING <= Level::Advanced);
        }
    }
}
