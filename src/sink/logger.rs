//! The program's log: crate `log`; or, with feature `tracing`, the subscriber where one is set.

use std::fmt;

use super::target::TARGET;
use crate::report::{Escaped, LeakReport, Severity};

/// Whether the log shows lines of this severity now. Asked each time: a logger may be installed at any time.
pub(super) fn shows(severity: Severity) -> bool {
    #[cfg(feature = "tracing")]
    if event::is_set() {
        return event::shows(severity);
    }
    log::log_enabled!(target: TARGET, level_of(severity))
}

/// Whether it could show them, by what is known without calling it: while a process ends its thread-locals may be gone.
pub(super) fn may_show(severity: Severity) -> bool {
    #[cfg(feature = "tracing")]
    if event::is_set() {
        return event::may_show(severity);
    }
    log::max_level() >= level_of(severity)
}

/// Logs a line. What it says is asked for where it is shown alone.
pub(super) fn line(severity: Severity, text: impl fmt::Display) {
    #[cfg(feature = "tracing")]
    if event::is_set() {
        return event::line(severity, text);
    }
    log::log!(target: TARGET, level_of(severity), "{text}");
}

/// Logs a report, with what a program wants to know of it beside the text.
pub(super) fn report(report: &LeakReport) {
    #[cfg(feature = "tracing")]
    if event::is_set() {
        return event::report(report);
    }
    log::log!(
        target: TARGET,
        level_of(report.severity()),
        fingerprint:% = report.fingerprint(),
        // Escaped as in the text: a logger writes it beside that.
        resource:% = Escaped(report.resource()),
        site:% = report.site(),
        count = report.count(),
        bytes = report.bytes();
        "{report}"
    );
}

fn level_of(severity: Severity) -> log::Level {
    match severity {
        Severity::Error => log::Level::Error,
        Severity::Warn => log::Level::Warn,
        Severity::Info => log::Level::Info,
        Severity::Debug => log::Level::Debug,
    }
}

/// Events of crate `tracing`, whose levels and fields are constants of the place that makes them.
#[cfg(feature = "tracing")]
mod event {
    use tracing::level_filters::LevelFilter;

    use super::*;

    /// One place for each level.
    macro_rules! at_level {
        ($severity:expr, $macro:ident, $($fields:tt)*) => {
            match $severity {
                Severity::Error => tracing::$macro!(target: TARGET, tracing::Level::ERROR, $($fields)*),
                Severity::Warn => tracing::$macro!(target: TARGET, tracing::Level::WARN, $($fields)*),
                Severity::Info => tracing::$macro!(target: TARGET, tracing::Level::INFO, $($fields)*),
                Severity::Debug => tracing::$macro!(target: TARGET, tracing::Level::DEBUG, $($fields)*),
            }
        };
    }

    /// Whether some subscriber was set, for the process or for a thread.
    pub(super) fn is_set() -> bool {
        tracing::dispatcher::has_been_set()
    }

    pub(super) fn shows(severity: Severity) -> bool {
        match severity {
            Severity::Error => tracing::enabled!(target: TARGET, tracing::Level::ERROR),
            Severity::Warn => tracing::enabled!(target: TARGET, tracing::Level::WARN),
            Severity::Info => tracing::enabled!(target: TARGET, tracing::Level::INFO),
            Severity::Debug => tracing::enabled!(target: TARGET, tracing::Level::DEBUG),
        }
    }

    /// By the maximum of all subscribers, which is a plain atomic.
    pub(super) fn may_show(severity: Severity) -> bool {
        let level = match severity {
            Severity::Error => LevelFilter::ERROR,
            Severity::Warn => LevelFilter::WARN,
            Severity::Info => LevelFilter::INFO,
            Severity::Debug => LevelFilter::DEBUG,
        };
        LevelFilter::current() >= level
    }

    pub(super) fn line(severity: Severity, text: impl fmt::Display) {
        at_level!(severity, event, "{text}");
    }

    pub(super) fn report(report: &LeakReport) {
        let (fingerprint, resource, site) = (report.fingerprint(), Escaped(report.resource()), report.site());
        let (verdict, count, bytes) = (report.verdict().word(), report.count(), report.bytes());
        at_level!(
            report.severity(),
            event,
            %fingerprint,
            verdict,
            %resource,
            %site,
            count,
            bytes,
            "{report}"
        );
    }
}
