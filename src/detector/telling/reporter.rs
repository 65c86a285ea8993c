//! The thread that makes reports: one for all detectors of a process.

use std::thread;
use std::time::Duration;

use super::exit;
use super::pass::Purpose;
use crate::detector::state::{fault, registry, waker};
use crate::stack::Symboliser;

/// How often the thread looks at the ledgers and at what is due, woken or not.
const TICK: Duration = Duration::from_secs(1);
/// Ticks without a report after which the symboliser's memory is given back.
const BURST_TICKS: u32 = 10;

/// Starts the thread and the exit handler, once in a process.
///
/// Under Miri, on WebAssembly and where a thread cannot be started, reports are made in `flush` instead.
#[cold]
pub(in crate::detector) fn start() {
    if !waker::claim() {
        return;
    }
    exit::register();
    let thread = if cfg!(any(miri, target_family = "wasm")) {
        None
    } else {
        thread::Builder::new().name("leaktrail".to_owned()).spawn(run).ok().map(|handle| handle.thread().clone())
    };
    waker::set_thread(thread);
}

fn run() {
    waker::enter();
    let mut symboliser = Symboliser::default();
    let mut quiet_ticks = 0;
    loop {
        for core in registry::all() {
            if core.has_something_to_tell() {
                quiet_ticks = 0;
            }
            core.pass(Purpose::Schedule, TICK, &mut symboliser);
            fault::contain(&core, || core.ledger().look());
            registry::let_go(&core);
        }
        quiet_ticks += 1;
        if quiet_ticks == BURST_TICKS {
            symboliser.forget();
        }
        thread::park_timeout(TICK);
    }
}
