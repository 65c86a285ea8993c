//! The way out that every detector has.

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};

use super::report_file::ReportFile;
use super::{logger, setting_warning, standard_error};
use crate::config::{Config, ReportTo};
use crate::report::{ExitSummary, JsonLine, LeakReport, Pressure, Refusal, Severity, Sink};

/// The log, or standard error, or nothing, as `LEAK_DETECTION_REPORT` says; and beside it the report file, if there is one.
#[derive(Debug)]
pub(crate) struct Outlet {
    to: ReportTo,
    file: Option<ReportFile>,
    /// Some `LEAK_DETECTION_*` variable was set when the detector was made: somebody wants to see something.
    variable_set: bool,
    /// The logger panicked once: from then on lines go to standard error.
    log_is_broken: AtomicBool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Channel {
    Log,
    StandardError,
    Nothing,
}

impl Outlet {
    /// The outlet that a configuration asks for.
    pub(crate) fn new(config: &Config) -> Outlet {
        Outlet {
            to: config.configured_report(),
            file: config.configured_report_file().map(ReportFile::new),
            variable_set: Config::any_variable_set(),
            log_is_broken: AtomicBool::new(false),
        }
    }

    /// A line that belongs to no report: told if reports are.
    pub(crate) fn notice(&self, severity: Severity, text: &str) {
        self.say(severity, text);
    }

    /// The logger panicked: it is not called again.
    pub(crate) fn give_up_log(&self) {
        // Relaxed: who calls it once more has another panic caught, and nothing else.
        self.log_is_broken.store(true, Ordering::Relaxed);
    }

    fn log_is_broken(&self) -> bool {
        self.log_is_broken.load(Ordering::Relaxed)
    }

    /// A line for whoever debugs a set-up: on the log alone.
    pub(crate) fn echo(&self, text: &dyn fmt::Display) {
        if !self.log_is_broken() {
            logger::line(Severity::Debug, text);
        }
    }

    /// A line while the process ends: never by a logger (its thread-locals may be gone), by file descriptor 2.
    pub(crate) fn last_words(&self, severity: Severity, text: &str) {
        let shown = match self.to {
            ReportTo::Off => false,
            ReportTo::Stderr => true,
            // Without calling a logger.
            ReportTo::Log => logger::may_show(severity),
            ReportTo::Auto => logger::may_show(severity) || self.variable_set,
        };
        if shown {
            standard_error::write(severity, text);
        }
    }

    /// Looks whether the report file can be written, and warns if not.
    pub(crate) fn check_file(&self) {
        if let Some(trouble) = self.file.as_ref().and_then(ReportFile::check) {
            setting_warning::warn(&trouble);
        }
    }

    /// Lines that the report file could not take.
    pub(crate) fn lines_dropped(&self) -> u64 {
        self.file.as_ref().map_or(0, ReportFile::dropped)
    }

    /// A line of the report file while the process ends: what is wrong with the file is told without a logger.
    pub(crate) fn last_line(&self, line: JsonLine<'_>) {
        if let Some(trouble) = self.file.as_ref().and_then(|file| file.write(line)) {
            standard_error::write(Severity::Warn, &trouble);
        }
    }

    /// Called last: a logger that panics is called again, and the file has its line once.
    fn keep(&self, line: JsonLine<'_>) {
        if let Some(trouble) = self.file.as_ref().and_then(|file| file.write(line)) {
            setting_warning::warn(&trouble);
        }
    }

    fn say(&self, severity: Severity, text: &str) {
        match self.channel() {
            Channel::Log => logger::line(severity, text),
            Channel::StandardError => standard_error::write(severity, text),
            Channel::Nothing => {}
        }
    }

    /// Where lines go now. A logger may be installed at any time, so this is asked each time.
    fn channel(&self) -> Channel {
        match self.to {
            ReportTo::Off => Channel::Nothing,
            _ if self.log_is_broken() => Channel::StandardError,
            ReportTo::Log => Channel::Log,
            ReportTo::Stderr => Channel::StandardError,
            // Whether errors are shown decides for all: a logger that shows errors and hides a lesser line does so by
            // its user's wish.
            ReportTo::Auto if logger::shows(Severity::Error) => Channel::Log,
            ReportTo::Auto if self.variable_set => Channel::StandardError,
            ReportTo::Auto => Channel::Nothing,
        }
    }
}

impl Sink for Outlet {
    fn report(&self, report: &LeakReport) {
        let severity = report.severity();
        match self.channel() {
            Channel::Log => logger::report(report),
            Channel::StandardError => standard_error::write(severity, &report.to_string()),
            Channel::Nothing => {}
        }
        self.keep(JsonLine::Report(report));
    }

    fn refusal(&self, refusal: &Refusal) {
        // A record a line: container collectors split lines, and each stands alone.
        for line in refusal.to_string().lines() {
            self.say(Severity::Error, line);
        }
        self.keep(JsonLine::Refusal(refusal));
    }

    fn pressure(&self, pressure: &Pressure) {
        for line in pressure.to_string().lines() {
            self.say(pressure.severity(), line);
        }
        self.keep(JsonLine::Pressure(pressure));
    }

    fn summary(&self, summary: &ExitSummary) {
        for (severity, line) in summary.lines() {
            self.say(severity, &line);
        }
        self.keep(JsonLine::Summary(summary));
    }
}
