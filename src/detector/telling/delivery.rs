//! Handing out what was made: to the outlet and to every sink, with no lock held, whatever they do.

use std::cell::Cell;
use std::sync::atomic::Ordering;

use crate::detector::state::Core;
use crate::detector::state::bulletin::Notice;
use crate::detector::state::outbox::Item;
use crate::detector::state::survival::survives;
use crate::report::Sink;

thread_local! {
    /// True while this thread is inside a sink, or makes a report and may be inside a hint.
    static DELIVERING: Cell<bool> = const { Cell::new(false) };
}

/// True if the caller is a sink or a hint, or was called by one.
pub(in crate::detector) fn is_inside_a_sink() -> bool {
    DELIVERING.try_with(Cell::get).unwrap_or(false)
}

/// Runs what may call code of the user's while this thread has the turn: a flush from within returns at once, where it
/// would wait for its own caller.
pub(in crate::detector) fn as_if_inside_a_sink<R>(work: impl FnOnce() -> R) -> R {
    let before = DELIVERING.try_with(|inside| inside.replace(true)).unwrap_or(false);
    let result = work();
    let _ = DELIVERING.try_with(|inside| inside.set(before));
    result
}

/// Hands an item out: the outlet first, then the sinks in the order in which they were attached.
///
/// A sink that panics is told about once and not called again. What a sink tracks, loses or asks is counted; it is told
/// later, never from within.
pub(in crate::detector) fn deliver(core: &Core, item: &Item) {
    as_if_inside_a_sink(|| hand_out(core, item));
}

fn hand_out(core: &Core, item: &Item) {
    say(core, || match item {
        Item::Notice(severity, text) => core.outlet().notice(*severity, text),
        _ => hand_to(core.outlet(), item),
    });
    let mut all_survived = true;
    for attached in core.sinks().all() {
        let Some(sink) = attached.sink.get() else { continue };
        // Relaxed: only the thread whose turn it is delivers.
        if !attached.broken.load(Ordering::Relaxed) && !survives(|| hand_to(sink, item)) {
            attached.broken.store(true, Ordering::Relaxed);
            all_survived = false;
        }
    }
    if !all_survived {
        core.state().bulletin.post(Notice::SinkPanicked);
    }
}

/// Runs what writes to the outlet. If the logger panics it is given up, and what it was told is not lost: standard error
/// has it.
pub(in crate::detector) fn say(core: &Core, write: impl Fn()) {
    if !survives(&write) {
        core.outlet().give_up_log();
        core.state().bulletin.post(Notice::LogPanicked);
        survives(&write);
    }
}

fn hand_to(sink: &dyn Sink, item: &Item) {
    match item {
        Item::Report(report) => sink.report(report),
        Item::Refusal(refusal) => sink.refusal(refusal),
        Item::Pressure(pressure) => sink.pressure(pressure),
        Item::Summary(summary) => sink.summary(summary),
        Item::Notice(..) => {}
    }
}
