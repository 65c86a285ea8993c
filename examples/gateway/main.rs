//! A gateway that leaks in production's own ways, and the log that says which line did it.
//!
//! A real upstream and a real gateway (hyper servers, a pooled hyper client, tower layers as the filter chain) on
//! loopback, driven by real HTTP load. Request bodies live in buffers of a `LeakAware` pool over a `DirectMemory`
//! with a limit. The filter in `filters/cache_body.rs` is the culprit in three acts and mended in
//! the fourth:
//!
//! ```text
//! cargo run --release --example gateway                               # the whole story
//! cargo run --release --example gateway -- --act lost --level paranoid
//! cargo run --release --example gateway -- --serve 8080               # stays up; see /debug/leaks and /metrics
//! ```
//!
//! Everything is printed to standard output, the log included, so that a pipe shows it in the order in which it
//! happened. The exit status is 0 when each act showed what it promises, 1 when one did not, 2 for bad arguments.

mod act;
mod args;
mod body;
mod filters;
mod gateway;
mod load;
mod monitor;
mod outcome;
mod proxy;
mod say;
mod server;
mod signal;
mod stage;
mod story;
mod tally;
mod upstream;

use std::process::ExitCode;
use std::time::Duration;

use args::{Args, Command};
use leaktrail::{Config, FrameLimit, GrowthRule, LeakDetector};
use say::say;
use tally::Tally;

fn main() -> ExitCode {
    match Command::parse(std::env::args_os().skip(1)) {
        Ok(Command::Help) => {
            say!("{}", args::USAGE);
            ExitCode::SUCCESS
        }
        Ok(Command::Story(args)) => story::tell(&args),
        Ok(Command::Act(act, args)) => perform(act, &args),
        Err(error) => {
            eprintln!("gateway: {error}\nTry --help.");
            ExitCode::from(2)
        }
    }
}

/// How much of a stack is shown.
const FRAMES: Option<FrameLimit> = FrameLimit::new(8);

/// When a line counts as growing. In production windows of a minute tell a hoard from a cache that warms up; a story is over
/// by then.
const GROWTH: Option<GrowthRule> = GrowthRule::new(3, Duration::from_millis(100));

/// One act in this process, between the two lines that any program would add: a logger and a guard.
fn perform(act: act::Act, args: &Args) -> ExitCode {
    env_logger::Builder::from_env(env_logger::Env::default().default_filter_or("info"))
        .target(env_logger::Target::Stdout)
        // The same figures as in the text, for logs that are read by programs; here a person reads.
        .format_key_values(|_, _| Ok(()))
        .init();
    // The frames nearest to the program's own code: a story fits a screen. LEAK_DETECTION_MAX_FRAMES wins over this.
    let config = FRAMES.into_iter().fold(Config::new(), Config::max_frames).growth(GROWTH);
    leaktrail::install(config).expect("nobody has used the global detector before");
    let guard = leaktrail::guard();

    let detector = LeakDetector::global();
    if let Some(level) = args.level {
        detector.set_level(level);
    }
    let tally = Tally::default();
    let _subscription = detector.add_sink(tally.clone());

    let played = stage::play(act, args, detector);
    // The exit lines come now, while the logger and the tally still hear them.
    drop(guard);

    match played {
        Ok(None) => ExitCode::SUCCESS,
        Ok(Some(figures)) => {
            let outcome = outcome::Outcome::new(act, detector.level(), figures, &tally);
            for fault in outcome.faults() {
                say!("FAILED: {act}: {fault}");
            }
            say!("{outcome}");
            if outcome.is_as_promised() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
        }
        Err(error) => {
            say!("FAILED: {act}: {error}");
            ExitCode::FAILURE
        }
    }
}
