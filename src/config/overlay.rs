//! The environment, read over a configuration.

use std::ffi::{OsStr, OsString};

use super::setting::{Setting, Source};
use super::{Config, ConfigError, variable};

/// What comes of a configuration and an environment.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Overlay {
    /// The configuration with each variable that is set and understood.
    pub(super) config: Config,
    /// One error for each variable of ours that is not understood: known ones first, then unknown names in order.
    pub(super) errors: Vec<ConfigError>,
    /// Every setting that is now in force.
    pub(super) settings: Vec<Setting>,
}

impl Overlay {
    /// Reads `variables`, name and value, over `base`. Names that are not ours are passed over; of a name that stands
    /// twice the first one counts, as for `getenv`.
    pub(super) fn new(base: Config, variables: impl IntoIterator<Item = (OsString, OsString)>) -> Overlay {
        let mut ours: Vec<(OsString, OsString)> =
            variables.into_iter().filter(|(name, _)| variable::is_ours(name)).collect();
        // Stable, so the first of two equal names stays the first.
        ours.sort_by(|(one, _), (other, _)| one.cmp(other));
        ours.dedup_by(|(later, _), (first, _)| later == first);

        let mut overlay = Overlay { config: base, errors: Vec::new(), settings: Vec::new() };
        for known in &variable::ALL {
            let value = ours.iter().position(|(name, _)| known.is_named(name)).map(|at| ours.remove(at).1);
            overlay.read(known, value.as_deref());
        }
        overlay
            .errors
            .extend(ours.iter().map(|(name, value)| ConfigError::unknown_name(name, value, variable::nearest(name))));
        overlay
    }

    fn read(&mut self, known: &variable::Variable, value: Option<&OsStr>) {
        let name = known.name;
        let before = (known.show)(&self.config);
        let in_code = before != (known.show)(&Config::new());
        let set = value.map(|value| value.to_str().and_then(|text| (known.set)(self.config.clone(), text.trim())));
        let source = match (set, in_code) {
            (Some(Some(config)), in_code) => {
                self.config = config;
                if in_code { Source::CodeOverriddenByEnvironment } else { Source::Environment }
            }
            (refused, in_code) => {
                if let (Some(None), Some(value)) = (refused, value) {
                    self.errors.push(ConfigError::bad_value(name, value, known.accepted, before));
                }
                if in_code { Source::Code } else { Source::Default }
            }
        };
        self.settings.push(Setting { name, value: (known.show)(&self.config), source });
    }
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroU32;
    use std::time::Duration;

    use super::*;
    use crate::config::{AgeLimit, DirectMemoryLimit, FrameLimit, ReportTo, Symbols, Walker};
    use crate::level::Level;

    const LEVEL: &str = "LEAK_DETECTION_LEVEL";
    const INTERVAL: &str = "LEAK_DETECTION_SAMPLING_INTERVAL";

    fn read<V: Into<OsString> + Clone>(base: Config, variables: &[(&str, V)]) -> Overlay {
        Overlay::new(base, variables.iter().map(|(name, value)| (name.into(), value.clone().into())))
    }

    fn source(overlay: &Overlay, name: &str) -> Source {
        overlay.settings.iter().find(|setting| setting.name == name).expect("every setting is there").source
    }

    #[test]
    fn without_variables_nothing_changes() {
        let overlay = read(Config::new(), &[("PATH", "/bin"), ("LEAK", "x"), ("LEAK_DETECTION", "x"), ("", "x")]);
        assert_eq!((overlay.config, overlay.errors), (Config::new(), Vec::new()));
        assert_eq!(overlay.settings.len(), variable::ALL.len());
        assert!(overlay.settings.iter().all(|setting| setting.source == Source::Default));
    }

    #[test]
    fn every_variable_is_read() {
        let overlay = read(
            Config::new(),
            &[
                (LEVEL, " paranoid\n"),
                (INTERVAL, "\t10 "),
                ("LEAK_DETECTION_TARGET_RECORDS", "0"),
                ("LEAK_DETECTION_MAX_FRAMES", "128"),
                ("LEAK_DETECTION_MAX_DIRECT_MEMORY", "512m"),
                ("LEAK_DETECTION_REPORT", "StdErr"),
                ("LEAK_DETECTION_HELD_TOO_LONG", "30s"),
                ("LEAK_DETECTION_WALKER", "Frame-Pointer"),
                ("LEAK_DETECTION_REPORT_FILE", "/var/log/leaks.jsonl"),
                ("LEAK_DETECTION_SYMBOLS", "OFF"),
                ("LEAK_DETECTION_CONTROL_FILE", "./level"),
            ],
        );
        let expected = Config::new()
            .level(Level::Paranoid)
            .sampling_interval(NonZeroU32::new(10).unwrap())
            .target_records(0)
            .max_frames(FrameLimit::MAX)
            .max_direct_memory(DirectMemoryLimit::bytes(512 << 20))
            .report(ReportTo::Stderr)
            .held_too_long(AgeLimit::after(Duration::from_secs(30)))
            .walker(Walker::FramePointer)
            .report_file("/var/log/leaks.jsonl")
            .symbols(Symbols::Off)
            .control_file("./level");
        assert_eq!((overlay.config, overlay.errors), (expected, Vec::new()));
        assert!(overlay.settings.iter().all(|setting| setting.source == Source::Environment));
        assert_eq!(overlay.settings[0].to_string(), "LEAK_DETECTION_LEVEL=PARANOID (environment)");
    }

    #[test]
    fn each_bad_value_is_one_error_and_changes_nothing() {
        let everywhere = ["", " ", "bogus", "99999999999999999999", "1 2", "1,2", "\u{1b}[31m", "0x1"];
        for known in &variable::ALL {
            for value in everywhere {
                assert_one_error(known.name, OsString::from(value));
            }
        }
        for (name, values) in [
            (LEVEL, &["-1", "4", "para noid"][..]),
            (INTERVAL, &["0", "-1", "4294967296", "1/128", "10 %"]),
            ("LEAK_DETECTION_TARGET_RECORDS", &["-1", "4294967296"]),
            ("LEAK_DETECTION_MAX_FRAMES", &["0", "-1", "129", "256"]),
            ("LEAK_DETECTION_MAX_DIRECT_MEMORY", &["-1m", "512 m", "1.5g", "512q"]),
            ("LEAK_DETECTION_REPORT", &["stdout", "0", "auto|log"]),
            ("LEAK_DETECTION_HELD_TOO_LONG", &["30", "0s", "-1s", "1.5s", "30 s", "1w"]),
            ("LEAK_DETECTION_WALKER", &["fp", "frame pointer", "dwarf"]),
            ("LEAK_DETECTION_REPORT_FILE", &["on", "stderr", "leaks.jsonl"]),
            ("LEAK_DETECTION_SYMBOLS", &["0", "auto"]),
            ("LEAK_DETECTION_CONTROL_FILE", &["paranoid"]),
        ] {
            for value in values {
                assert_one_error(name, OsString::from(value));
            }
        }
    }

    #[test]
    #[cfg(unix)]
    fn a_value_that_is_not_utf_8_is_one_error() {
        use std::os::unix::ffi::OsStringExt as _;
        for known in &variable::ALL {
            assert_one_error(known.name, OsString::from_vec(vec![b'1', 0xff, 0xfe]));
        }
        let overlay = read(Config::new(), &[(LEVEL, OsString::from_vec(vec![b'a', 0xff]))]);
        assert_eq!(overlay.errors[0].found(), r"a\xFF");
    }

    fn assert_one_error(name: &str, value: OsString) {
        let overlay = read(Config::new(), &[(name, value.clone())]);
        assert_eq!(overlay.config, Config::new(), "{name}={value:?}");
        assert_eq!(source(&overlay, name), Source::Default, "{name}={value:?}");
        let [error] = &overlay.errors[..] else { panic!("{name}={value:?}: {:?}", overlay.errors) };
        assert_eq!(error.variable(), name);
        assert!(!error.to_string().contains(char::is_control), "{error}");
    }

    #[test]
    fn a_bad_value_leaves_the_good_ones_alone() {
        let overlay = read(Config::new(), &[(LEVEL, "loud"), (INTERVAL, "10")]);
        assert_eq!(overlay.config, Config::new().sampling_interval(NonZeroU32::new(10).unwrap()));
        assert_eq!(
            overlay.errors[0].to_string(),
            "LEAK_DETECTION_LEVEL=\"loud\" is not understood: accepted are DISABLED, SIMPLE, ADVANCED, PARANOID in any \
             case, or 0 to 3; SIMPLE is used"
        );
        assert_eq!(overlay.errors.len(), 1);
    }

    #[test]
    fn the_environment_wins_over_the_code_and_the_code_over_the_default() {
        let code = Config::new().level(Level::Advanced).target_records(9).report(ReportTo::Log);
        let overlay = read(code, &[(LEVEL, "disabled"), ("LEAK_DETECTION_TARGET_RECORDS", "many"), (INTERVAL, "7")]);
        assert_eq!(overlay.config.configured_level(), Level::Disabled);
        assert_eq!(source(&overlay, LEVEL), Source::CodeOverriddenByEnvironment);
        assert_eq!(source(&overlay, INTERVAL), Source::Environment);
        assert_eq!(source(&overlay, "LEAK_DETECTION_REPORT"), Source::Code);
        assert_eq!(source(&overlay, "LEAK_DETECTION_MAX_FRAMES"), Source::Default);
        // A bad value falls back on what the code chose, not on the default.
        assert_eq!(overlay.config.configured_target_records(), 9);
        assert_eq!(source(&overlay, "LEAK_DETECTION_TARGET_RECORDS"), Source::Code);
        assert_eq!(overlay.errors[0].used(), "9");
    }

    #[test]
    fn an_unknown_name_is_told_once_with_the_nearest() {
        let overlay = read(
            Config::new(),
            &[
                ("LEAK_DETECTION_X\nLEAK: forged", "1"),
                ("LEAK_DETECTION_LEVLE", "paranoid"),
                ("LEAK_DETECTION_LEVLE", "x"),
            ],
        );
        assert_eq!(overlay.config, Config::new());
        let texts: Vec<String> = overlay.errors.iter().map(ToString::to_string).collect();
        assert_eq!(
            texts,
            [
                "LEAK_DETECTION_LEVLE is unknown to this version and ignored; the nearest known name is LEAK_DETECTION_LEVEL"
                    .to_owned(),
                format!(r"LEAK_DETECTION_X\nLEAK: forged is unknown to this version and ignored; known are {}", variable::NAMES),
            ]
        );
        assert_eq!(overlay.errors[0].found(), "paranoid");
        assert_eq!(overlay.errors[0].used(), "nothing");
    }

    #[test]
    #[cfg(unix)]
    fn a_name_in_small_letters_is_told() {
        let overlay = read(Config::new(), &[("leak_detection_level", "paranoid")]);
        assert_eq!(overlay.config, Config::new());
        assert!(overlay.errors[0].to_string().ends_with("the nearest known name is LEAK_DETECTION_LEVEL"));
    }

    #[test]
    fn the_first_of_a_name_that_stands_twice_counts() {
        let overlay = read(Config::new(), &[(LEVEL, "paranoid"), (LEVEL, "bogus")]);
        assert_eq!(overlay.config.configured_level(), Level::Paranoid);
        assert_eq!(overlay.errors, []);
    }
}
