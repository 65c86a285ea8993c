//! The switch: a level for a time, asked for in code or by the control file.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use super::reporter;
use crate::clock::Stamp;
use crate::config::Control;
use crate::detector::state::{Core, registry};
use crate::level::Level;
use crate::report::{Severity, Spelled};

impl Core {
    /// A level for a time. Said in the log, and again when it is over.
    pub(in crate::detector) fn set_level_for(self: &Arc<Core>, level: Level, time: Duration, now: Stamp) {
        self.begin_term(level, Some(time), now, "");
        // Somebody has to be there when it is over, at DISABLED too.
        self.attend();
    }

    /// What has to be there for a switch that works by itself: the reporter, which knows of this detector.
    pub(in crate::detector) fn attend(self: &Arc<Core>) {
        registry::enter(self);
        reporter::start();
    }

    /// The part of a tick that is about the switch.
    pub(super) fn look_at_switch(&self, now: Stamp) {
        if let Some(file) = self.config().configured_control_file() {
            self.read_control(file, now);
        }
        self.end_term_if_over(now);
    }

    /// Ends a level whose time is over.
    pub(in crate::detector) fn end_term_if_over(&self, now: Stamp) {
        if self.term_is_over(now) {
            self.say_level_is_back();
        }
    }

    fn read_control(&self, file: &Path, now: Stamp) {
        let Some(control) = self.state().seen.news(Control::read(file)) else { return };
        match control {
            Control::Level { level, time } => self.begin_term(level, time, now, ", as the control file says"),
            Control::Nothing => {
                if self.end_term() {
                    self.say_level_is_back();
                }
            }
            Control::Bad(words) => {
                let file = file.to_string_lossy();
                let text =
                    format!("the control file \"{}\" {words}; the level stays {}", file.escape_debug(), self.level());
                self.state().journal.enter(Severity::Warn, text);
            }
        }
    }

    fn begin_term(&self, level: Level, time: Option<Duration>, now: Stamp, why: &str) {
        self.start_term(level, time.map(|time| now.plus(time)));
        let chosen = self.chosen_level();
        // What is in force: a ceiling may have made it less.
        let level = self.level();
        let text = match time {
            Some(time) => format!("level {level} for {}{why}; then {chosen} again", Spelled(time)),
            None => format!("level {level}{why}"),
        };
        self.state().journal.enter(Severity::Info, text);
    }

    fn say_level_is_back(&self) {
        self.state().journal.enter(Severity::Info, format!("level {} again", self.level()));
    }
}

#[cfg(all(test, not(miri)))]
mod tests {
    use std::fs;
    use std::path::PathBuf;

    use super::*;
    use crate::config::Config;

    const SECOND: Duration = Duration::from_secs(1);

    /// A control file of its own, in a folder that goes with it.
    struct File(PathBuf);

    impl File {
        fn new(name: &str) -> File {
            let folder = std::env::temp_dir().join(format!("leaktrail-switch-{}-{name}", std::process::id()));
            let _ = fs::remove_dir_all(&folder);
            fs::create_dir_all(&folder).unwrap();
            File(folder)
        }

        fn path(&self) -> PathBuf {
            self.0.join("level")
        }

        fn write(&self, text: &str) {
            fs::write(self.path(), text).unwrap();
        }
    }

    impl Drop for File {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    fn told(core: &Core) -> Vec<(Severity, String)> {
        core.state().journal.take()
    }

    fn info(text: &str) -> (Severity, String) {
        (Severity::Info, text.to_owned())
    }

    #[test]
    fn what_the_file_says_holds_for_its_time_and_is_told_at_both_ends() {
        let file = File::new("time");
        let core = Core::new(Config::new().control_file(file.path()));
        let start = Stamp::now();
        core.tick(start);
        assert!(told(&core).is_empty(), "no file, nothing to say");
        file.write("paranoid 10m\n");
        core.tick(start.plus(SECOND));
        assert_eq!(core.level(), Level::Paranoid.min(Level::CEILING));
        assert_eq!(told(&core), [info("level PARANOID for 10 min, as the control file says; then SIMPLE again")]);
        core.tick(start.plus(SECOND * 600));
        assert_eq!(core.level(), Level::Paranoid);
        core.tick(start.plus(SECOND * 601));
        assert_eq!((core.level(), told(&core)), (Level::Simple, vec![info("level SIMPLE again")]));
        // The file says the same still, and that is not news.
        core.tick(start.plus(SECOND * 700));
        assert_eq!((core.level(), told(&core)), (Level::Simple, vec![]));
    }

    #[test]
    fn without_a_time_it_holds_for_as_long_as_the_file_says_so() {
        let file = File::new("no-time");
        let core = Core::new(Config::new().level(Level::Disabled).control_file(file.path()));
        let start = Stamp::now();
        file.write("advanced");
        core.tick(start);
        assert_eq!(core.level(), Level::Advanced);
        core.tick(start.plus(SECOND * 100_000));
        assert_eq!(
            (core.level(), told(&core)),
            (Level::Advanced, vec![info("level ADVANCED, as the control file says")])
        );
        fs::remove_file(file.path()).unwrap();
        core.tick(start.plus(SECOND * 100_001));
        assert_eq!((core.level(), told(&core)), (Level::Disabled, vec![info("level DISABLED again")]));
    }

    #[test]
    fn a_bad_word_is_told_once_for_each_change_and_changes_nothing() {
        let file = File::new("bad");
        let core = Core::new(Config::new().control_file(file.path()));
        let start = Stamp::now();
        for (second, text) in ["loud", "loud", "louder"].into_iter().enumerate() {
            file.write(text);
            core.tick(start.plus(SECOND * second as u32));
        }
        let told = told(&core);
        assert_eq!((told.len(), core.level()), (2, Level::Simple));
        assert!(told.iter().all(|(severity, _)| *severity == Severity::Warn));
        assert!(told[1].1.contains("\" says \"louder\", which is not understood: "), "{told:?}");
        assert!(told[1].1.ends_with("; the level stays SIMPLE"), "{told:?}");
    }

    /// As Kubernetes does it: what the path leads through is a link, and another one is put in its place.
    #[test]
    #[cfg(unix)]
    fn a_link_that_is_put_in_anothers_place_is_followed() {
        use std::os::unix::fs::symlink;
        let file = File::new("configmap");
        let folder = &file.0;
        for (version, text) in [("v1", "paranoid"), ("v2", "disabled")] {
            fs::create_dir(folder.join(version)).unwrap();
            fs::write(folder.join(version).join("level"), text).unwrap();
        }
        symlink("v1", folder.join("..data")).unwrap();
        symlink("..data/level", file.path()).unwrap();
        let core = Core::new(Config::new().control_file(file.path()));
        let start = Stamp::now();
        core.tick(start);
        assert_eq!(core.level(), Level::Paranoid);
        symlink("v2", folder.join("..data_tmp")).unwrap();
        fs::rename(folder.join("..data_tmp"), folder.join("..data")).unwrap();
        fs::remove_dir_all(folder.join("v1")).unwrap();
        core.tick(start.plus(SECOND));
        assert_eq!(core.level(), Level::Disabled);
    }
}
