//! The end of a process without a guard: what is left is told, and the balance.
#![cfg_attr(unix, allow(unsafe_code, reason = "atexit is a C function; listed in docs/SAFETY.md"))]

use std::thread;
use std::time::{Duration, Instant};

use super::delivery;
use super::pass::Purpose;
use crate::detector::state::outbox::Item;
use crate::detector::state::survival::survives;
use crate::detector::state::{Core, registry, waker};
use crate::fork::Patience;
use crate::report::{JsonLine, Severity};
use crate::stack::Symboliser;

/// How long an exit without a guard waits for the reporter.
const EXIT_PATIENCE: Duration = Duration::from_secs(1);

/// Registers the exit handler for programs without a guard. On Unix only; inherited by forked children.
pub(super) fn register() {
    #[cfg(all(unix, not(miri)))]
    {
        use std::sync::atomic::{AtomicBool, Ordering};
        static REGISTERED: AtomicBool = AtomicBool::new(false);
        extern "C" fn at_exit() {
            last_words();
        }
        // Relaxed: the flag only keeps the handler from being registered twice.
        if !REGISTERED.swap(true, Ordering::Relaxed) {
            // SAFETY: `at_exit` is a plain `extern "C"` function that lives as long as the program and does not unwind:
            // everything that may panic in it is caught.
            let _ = unsafe { libc::atexit(at_exit) };
        }
    }
}

/// What an exit without a guard does: waits a second at most for the reporter, then writes what is left to file
/// descriptor 2. No logger is called: its thread-locals may be gone.
#[cfg_attr(not(unix), expect(dead_code, reason = "only Unix has the exit handler"))]
fn last_words() {
    survives(|| {
        let cores = registry::all();
        // On the reporter's own thread (a sink that called exit) or inside a sink there is nobody to wait for.
        if waker::is_running() && !waker::is_this_thread() && !delivery::is_inside_a_sink() {
            waker::wake();
            let deadline = Instant::now() + EXIT_PATIENCE;
            while cores.iter().any(|core| core.has_something_to_tell() || core.state().turn.is_taken())
                && Instant::now() < deadline
            {
                thread::sleep(Duration::from_millis(1));
            }
        }
        let mut symboliser = Symboliser::new(Patience::SHORT);
        for core in &cores {
            // Somebody is still at it: a sink that hangs or that called this exit, or a reporter that had too little time.
            // What it has not handed out is taken from it, and what it has not written is told in a line.
            let is_interrupted = core.state().turn.is_taken();
            let mut items = if is_interrupted { core.state().outbox.close() } else { Vec::new() };
            items.extend(core.collect(Purpose::Exit, &mut symboliser));
            if is_interrupted {
                core.state().outbox.note(&items);
                items.extend(core.collect_unwritten(&mut symboliser));
            }
            for item in &items {
                write_last(core, item);
            }
        }
        // The balance is the global detector's: others are parts of a program that ended without asking for theirs. One
        // that has counted nothing is not in the registry: a forked child is silent about what its parent did.
        for core in cores.iter().filter(|core| core.is_global()) {
            if let Some(summary) = core.unsaid_summary() {
                write_last(core, &Item::Summary(Box::new(summary)));
            }
        }
    });
}

fn write_last(core: &Core, item: &Item) {
    let say = |severity: Severity, text: &str| core.outlet().last_words(severity, text);
    let keep = |line: JsonLine<'_>| core.outlet().last_line(line);
    match item {
        Item::Report(report) => {
            say(report.severity(), &report.to_string());
            keep(JsonLine::Report(report));
        }
        Item::Refusal(refusal) => {
            refusal.to_string().lines().for_each(|line| say(Severity::Error, line));
            keep(JsonLine::Refusal(refusal));
        }
        Item::Pressure(pressure) => {
            pressure.to_string().lines().for_each(|line| say(pressure.severity(), line));
            keep(JsonLine::Pressure(pressure));
        }
        Item::Summary(summary) => {
            summary.lines().iter().for_each(|(severity, line)| say(*severity, line));
            keep(JsonLine::Summary(summary));
        }
        Item::Notice(severity, text) => say(*severity, text),
    }
}
