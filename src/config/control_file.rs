//! The file by which an operator changes the level of a running program.

use std::fs;
use std::io;
use std::path::Path;
use std::time::Duration;

use crate::level::{Level, ParseLevelError};

/// What a control file says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Control {
    /// Nothing: it is not there, or empty.
    Nothing,
    /// This level, for that long; without a time for as long as the file says so.
    Level { level: Level, time: Option<Duration> },
    /// Something that is not understood, in words for a warning.
    Bad(String),
}

/// More than any word that is accepted needs. A larger file is something else, given by mistake.
const MAX_BYTES: u64 = 256;

/// No level is asked for until after the next restart but one.
const MAX_TIME: Duration = Duration::from_secs(366 * 24 * 60 * 60);

impl Control {
    /// Reads the file, by its path each time: a mounted ConfigMap changes by a link that is put in another's place.
    ///
    /// # Cost
    /// A look at the file and, where it is there, a read.
    pub(crate) fn read(path: &Path) -> Control {
        match read(path) {
            Ok(text) => Control::parse(&text),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Control::Nothing,
            Err(error) => Control::Bad(format!("cannot be read: {error}")),
        }
    }

    fn parse(text: &str) -> Control {
        let mut words = text.split_whitespace();
        let Some(level) = words.next() else { return Control::Nothing };
        let rest: Vec<&str> = words.collect();
        let time = match &rest[..] {
            [] => Some(None),
            // `10m`, or in parts: `1h 30m`.
            parts => humantime::parse_duration(&parts.join(" ")).ok().filter(is_a_time).map(Some),
        };
        match (level.parse(), time) {
            (Ok(level), Some(time)) => Control::Level { level, time },
            _ => Control::Bad(format!(
                "says \"{}\", which is not understood: accepted is a level ({}) and perhaps how long it is to hold, such \
                 as paranoid 10m",
                text.trim().escape_debug(),
                ParseLevelError::ACCEPTED
            )),
        }
    }
}

fn is_a_time(time: &Duration) -> bool {
    !time.is_zero() && *time <= MAX_TIME
}

fn read(path: &Path) -> io::Result<String> {
    let metadata = fs::metadata(path)?;
    // Asked first: to open a pipe would wait for whoever writes to it.
    if !metadata.is_file() {
        return Err(io::Error::other("it is no plain file"));
    }
    if metadata.len() > MAX_BYTES {
        return Err(io::Error::other(format!("it has {} bytes, and at most {MAX_BYTES} are read", metadata.len())));
    }
    fs::read_to_string(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn level(level: Level, seconds: impl Into<Option<u64>>) -> Control {
        Control::Level { level, time: seconds.into().map(Duration::from_secs) }
    }

    #[test]
    fn a_level_and_perhaps_a_time() {
        for (text, control) in [
            ("paranoid 10m", level(Level::Paranoid, 600)),
            (" Advanced\t90s\n", level(Level::Advanced, 90)),
            ("2 1h 30m\n", level(Level::Advanced, 5_400)),
            ("disabled", level(Level::Disabled, None)),
            ("", Control::Nothing),
            (" \n\n", Control::Nothing),
        ] {
            assert_eq!(Control::parse(text), control, "{text:?}");
        }
    }

    #[test]
    fn anything_else_is_told_with_what_was_read() {
        for text in ["loud", "paranoid forever", "paranoid 0s", "paranoid -1s", "paranoid 10", "10m", "paranoid 9999y"]
        {
            let Control::Bad(words) = Control::parse(text) else { panic!("{text}") };
            assert!(words.starts_with(&format!("says \"{text}\", which is not understood: ")), "{words}");
        }
        let Control::Bad(words) = Control::parse("x\nERROR leaktrail: forged\u{1b}[2J") else { panic!() };
        assert!(!words.contains(char::is_control), "{words}");
    }

    #[test]
    #[cfg_attr(miri, ignore = "works on files")]
    fn a_file_is_read_and_what_is_none_is_told() {
        let folder = std::env::temp_dir().join(format!("leaktrail-control-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        let file = folder.join("level");
        assert_eq!(Control::read(&file), Control::Nothing);
        fs::write(&file, "paranoid 1m\n").unwrap();
        assert_eq!(Control::read(&file), level(Level::Paranoid, 60));
        fs::write(&file, "x".repeat(257)).unwrap();
        assert_eq!(
            Control::read(&file),
            Control::Bad("cannot be read: it has 257 bytes, and at most 256 are read".into())
        );
        fs::write(&file, b"caf\xe9").unwrap();
        assert!(matches!(Control::read(&file), Control::Bad(words) if words.starts_with("cannot be read: ")));
        assert_eq!(Control::read(&folder), Control::Bad("cannot be read: it is no plain file".into()));
        fs::remove_dir_all(&folder).unwrap();
    }
}
