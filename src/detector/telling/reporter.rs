//! The thread that makes reports: one for all detectors of a process.

use std::thread;
use std::time::Duration;

use super::exit;
use super::pass::Purpose;
use super::tick::TICK;
use crate::clock::Stamp;
use crate::detector::state::{registry, waker};
use crate::stack::Symboliser;

/// How long nothing was told when the symboliser's memory is given back.
const BURST: Duration = Duration::from_secs(10);

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
    let mut told_at = Stamp::now();
    loop {
        let mut pause = TICK;
        for core in registry::all() {
            let now = Stamp::now();
            core.tick(now);
            pause = pause.min(core.tick_interval());
            if core.has_something_to_tell() {
                told_at = now;
            }
            core.pass(Purpose::Schedule, TICK, &mut symboliser);
            registry::let_go(&core);
        }
        if Stamp::now().since(told_at) >= BURST {
            symboliser.forget();
        }
        thread::park_timeout(pause);
    }
}
