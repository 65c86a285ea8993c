//! What there is to say of settings: what is wrong in them is told once a process, whoever finds it first.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, Ordering};

use super::{logger, standard_error};
use crate::config::ConfigError;
use crate::hash::IdHasher;
use crate::report::Severity;

/// How many different mistakes are told; an environment that is changed again and again is not told for ever.
const MAX_TOLD: usize = 64;

/// The mistakes that were told, by a hash of variable and value; 0 is a free place. No lock, which a forked child could
/// inherit held.
static TOLD: [AtomicU64; MAX_TOLD] = [const { AtomicU64::new(0) }; MAX_TOLD];

/// Warns about each of the errors that this process was not warned about yet: on the log if that shows warnings, else on
/// standard error, whatever is to become of reports. A logger that panics is survived, and standard error has the line.
pub(crate) fn warn_about(errors: &[ConfigError]) {
    for error in errors.iter().filter(|error| is_news(error)) {
        warn(&error.to_string());
    }
}

/// Warns on the log if that shows warnings, else on standard error: what an operator asked for does not work.
pub(super) fn warn(text: &str) {
    let logged = catch_unwind(AssertUnwindSafe(|| {
        let shown = logger::shows(Severity::Warn);
        if shown {
            logger::line(Severity::Warn, text);
        }
        shown
    }));
    match logged {
        Ok(true) => {}
        Ok(false) => standard_error::write(Severity::Warn, text),
        Err(payload) => {
            // A payload's own Drop may panic; it is not ours to run.
            std::mem::forget(payload);
            standard_error::write(Severity::Warn, text);
        }
    }
}

/// A line for whoever debugs a set-up: on the log alone. A logger that panics is survived.
pub(crate) fn echo(text: &dyn fmt::Display) {
    let echoed = catch_unwind(AssertUnwindSafe(|| logger::line(Severity::Debug, text)));
    // A payload's own Drop may panic; it is not ours to run.
    let _ = echoed.map_err(std::mem::forget);
}

/// Whether this is the first to ask about that mistake: the same variable with the same value, whatever is used instead.
fn is_news(error: &ConfigError) -> bool {
    let mut hasher = IdHasher::default();
    (error.variable(), error.found()).hash(&mut hasher);
    let mark = hasher.finish() | 1;
    for place in &TOLD {
        // Relaxed: a mark publishes nothing but itself.
        match place.compare_exchange(0, mark, Ordering::Relaxed, Ordering::Relaxed) {
            Ok(_) => return true,
            Err(told) if told == mark => return false,
            Err(_) => {}
        }
    }
    false
}
