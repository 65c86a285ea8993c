//! The whole story: each act as a process of its own, and a table at the end.

use std::io::{BufRead as _, BufReader};
use std::process::{Command, ExitCode, Stdio};

use crate::act::Act;
use crate::args::Args;
use crate::outcome::{Figures, Outcome};
use crate::say::say;

/// How one act ended.
struct Ending {
    act: Act,
    /// What it printed as its result, if it came that far.
    outcome: Option<Outcome>,
    /// The verdict of the table.
    verdict: String,
    failed: bool,
}

/// Plays all acts one after the other; the status is 1 when one of them did not show what it promises.
pub(crate) fn tell(args: &Args) -> ExitCode {
    let mut endings = Vec::new();
    for (index, act) in Act::ALL.into_iter().enumerate() {
        say!("{:=<100}", format!("== act {} of {}: {act} ", index + 1, Act::ALL.len()));
        endings.push(run(act, args));
        say!("");
    }
    print_table(&endings);
    if endings.iter().any(|ending| ending.failed) { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

/// Runs one act and passes its output on line by line.
fn run(act: Act, args: &Args) -> Ending {
    let failed = |verdict: String| Ending { act, outcome: None, verdict, failed: true };
    let child = std::env::current_exe().and_then(|program| {
        Command::new(program).args(args.to_arguments(act)).stdin(Stdio::null()).stdout(Stdio::piped()).spawn()
    });
    let mut child = match child {
        Ok(child) => child,
        Err(error) => return failed(format!("FAILED: could not be started: {error}")),
    };
    let mut outcome = None;
    if let Some(output) = child.stdout.take() {
        for line in BufReader::new(output).split(b'\n').map_while(Result::ok) {
            let line = String::from_utf8_lossy(&line);
            outcome = line.parse::<Outcome>().ok().or(outcome);
            say!("{line}");
        }
    }
    match child.wait() {
        Ok(status) if status.success() && outcome.is_some() => {
            Ending { act, outcome, verdict: "as promised".to_owned(), failed: false }
        }
        Ok(status) if outcome.is_none() => failed(format!("FAILED: ended without a result, {status}")),
        Ok(_) => {
            let faults = outcome.as_ref().map(Outcome::faults).unwrap_or_default();
            Ending { act, outcome, verdict: format!("FAILED: {}", faults.join("; ")), failed: true }
        }
        Err(error) => failed(format!("FAILED: {error}")),
    }
}

fn print_table(endings: &[Ending]) {
    say!("{:=<100}", "== what came of it ");
    say!("act       requests      ok     503  REFUSED   LEAK    lost    live       used  verdict");
    for Ending { act, outcome, verdict, .. } in endings {
        match outcome {
            Some(Outcome { figures, refusals, leaks, .. }) => {
                let Figures { answers, used_bytes, live, lost, .. } = *figures;
                let requests = answers.ok + answers.unavailable;
                say!(
                    "{act:<8} {requests:>9} {:>7} {:>7} {refusals:>8} {leaks:>6} {lost:>7} {live:>7} {used_bytes:>10}  \
                     {verdict}",
                    answers.ok,
                    answers.unavailable
                );
            }
            None => say!("{act:<8} {verdict}"),
        }
    }
    say!(
        "REFUSED and LEAK count reports, lost and live count references, used is in bytes after everything was shut down."
    );
}
