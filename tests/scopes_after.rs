//! What a test shows besides its panic: losses after a scope's end, and a scope that is dropped by a panic. Each is a program
//! of its own, so that its output can be read: an ignored test of this file, started as a process.

use std::io::{BufRead, BufReader};
use std::process::{Command, Output, Stdio};

use leaktrail::Tracked;
use leaktrail::testing::LeakScope;

fn run(test: &str) -> (Output, String) {
    let program = std::env::current_exe().unwrap();
    let output =
        Command::new(program).args(["--exact", test, "--ignored", "--nocapture", "--test-threads=1"]).output().unwrap();
    let said = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    (output, said)
}

#[test]
#[ignore = "a program that another test starts"]
fn program_that_panics_with_a_scope() {
    let scope = LeakScope::new("unwound");
    let _handle = scope.detector().track(1);
    panic!("the first failure");
}

#[test]
fn a_scope_that_is_dropped_by_a_panic_prints_and_the_panic_is_the_tests_own() {
    let (output, said) = run("program_that_panics_with_a_scope");
    // The test failed, and the process was not aborted by a second panic.
    assert_eq!(output.status.code(), Some(101), "{said}");
    assert_eq!(said.matches("the first failure").count(), 1, "{said}");
    assert_eq!(said.matches("panicked at").count(), 1, "{said}");
    assert!(said.contains("leak scope 'unwound' is not clean: 1 lost"), "{said}");
    assert!(said.contains("(the test had panicked already: what that panic dropped is among it)"), "{said}");
}

#[test]
#[ignore = "a program that another test starts"]
fn program_that_loses_after_the_end() {
    let scope = LeakScope::new("ended");
    let detector = scope.detector().clone();
    let [released, before, lost] = [1, 2, 3].map(|n| scope.detector().resource("Late").track(n));
    drop(scope.detector().resource("Ignored").track(0));
    scope.ignore_resource("Ignored", "lost before the end");
    scope.expect_live(3);
    scope.assert_clean();
    drop(before);
    drop(scope);
    // What was lost before the end is not told again, whenever it is reported.
    detector.flush();
    Tracked::release(released);
    drop(lost);
    detector.flush();
}

#[test]
#[ignore = "a program that another test starts"]
fn program_that_releases_after_the_end() {
    let scope = LeakScope::new("early");
    let stranger = LeakScope::new("stranger");
    let detector = scope.detector().clone();
    let late = [1, 2].map(|n| scope.detector().resource("Late").track(n));
    scope.expect_live(1);
    assert!(std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| scope.assert_clean())).is_err());
    drop(scope);
    assert_eq!(late.map(Tracked::release), [1, 2]);
    // Counted where they were made, and by nobody else.
    assert_eq!((detector.snapshot().released(), detector.snapshot().live()), (2, 0));
    assert_eq!(stranger.detector().snapshot().released(), 0);
    stranger.assert_clean();
    // Until the test that started this has read what it waits for.
    std::io::stdin().read_line(&mut String::new()).unwrap();
}

/// No detector is kept: the handle alone keeps what it has to be counted in.
#[test]
#[ignore = "a program that another test starts"]
fn program_whose_handle_is_all_that_is_left() {
    let scope = LeakScope::new("gone");
    let handle = scope.detector().resource("Orphan").track(1);
    scope.expect_live(1);
    drop(scope);
    drop(handle);
    // Until the test that started this has read what it waits for.
    std::io::stdin().read_line(&mut String::new()).unwrap();
}

#[test]
fn a_loss_after_the_end_is_printed_with_the_scopes_name_and_harms_nobody() {
    let (output, said) = run("program_that_loses_after_the_end");
    assert!(output.status.success(), "{said}");
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(stderr.matches("leak scope 'ended' has ended, and this was lost since:").count(), 1, "{said}");
    assert_eq!(stderr.matches("LEAK: Late").count(), 1, "{said}");
    assert!(!said.contains("LEAK: Ignored"), "{said}");
}

/// Runs a program that waits for its input's end, until it has written a line that begins so.
fn run_until(test: &str, line: &str) -> String {
    let mut program = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", test, "--ignored", "--nocapture", "--test-threads=1"])
        .stdin(Stdio::piped())
        .stderr(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let lines = BufReader::new(program.stderr.take().unwrap()).lines();
    let told = lines.map_while(Result::ok).find(|written| written.starts_with(line));
    drop(program.stdin.take());
    assert!(program.wait().unwrap().success());
    told.expect("it is told without being asked for")
}

#[test]
fn a_handle_that_outlives_every_detector_is_still_told() {
    run_until("program_whose_handle_is_all_that_is_left", "LEAK: Orphan.release() was not called");
}

#[test]
fn a_release_after_the_end_is_told_with_the_scopes_name() {
    let told = run_until("program_that_releases_after_the_end", "leak scope 'early' has ended, and 1 of 1 that were");
    assert!(told.ends_with(" ms: assert_clean_within(duration) waits for them"), "{told}");
}
