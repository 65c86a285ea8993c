//! What a wrong rule comes to, in a process of its own: the walker is the process's.

use std::process::{Command, Stdio};

use crate::config::{Config, ReportTo, Walker};
use crate::detector::{LeakDetector, Tracked};
use crate::level::Level;
use crate::stack::{Captured, walker};

/// Handles that are enough for the comparisons of a thread, with some more.
const HANDLES: u32 = 5 * 4_096;

const WARNING: &str = "WARN leaktrail: walks of the stack were found to be wrong three times";

#[test]
fn three_wrong_walks_switch_to_backtrace_which_is_told_once_and_counted() {
    if Level::CEILING < Level::Paranoid {
        return;
    }
    let program = std::env::current_exe().expect("a test knows its own path");
    let ended = Command::new(program)
        .args(["--exact", "detector::telling::wrong_walks::program_with_a_wrong_rule", "--ignored", "--nocapture"])
        .env_remove("LEAK_DETECTION_WALKER")
        .stdin(Stdio::null())
        .output()
        .expect("this executable can be started");
    let (out, err) = (String::from_utf8_lossy(&ended.stdout), String::from_utf8_lossy(&ended.stderr));
    assert!(ended.status.success(), "{out}\n{err}");
    assert!(out.contains("1 passed"), "{out}");
    assert_eq!(err.matches(WARNING).count(), 1, "{err}");
}

#[test]
#[ignore = "a program that the test above runs"]
fn program_with_a_wrong_rule() {
    let config = Config::new().level(Level::Paranoid).report(ReportTo::Stderr);
    let detector = LeakDetector::new(config);
    let use_it = || {
        for number in 0..HANDLES {
            Tracked::release(detector.track(number));
        }
        detector.flush();
    };
    use_it();
    assert_eq!(walker::current(), Walker::Rules);
    assert_eq!(detector.snapshot().discarded().walks(), 0);

    // Some frame of those that every handle here has above it.
    let addresses = Captured::here(128);
    walker::plant_an_end(addresses.addresses()[addresses.addresses().len() - 3]);
    use_it();
    assert_eq!(walker::current(), Walker::Backtrace);
    assert_eq!(detector.snapshot().discarded().walks(), 3);
    assert!(detector.snapshot().discarded().is_empty(), "what was wrong was put right");

    use_it();
    assert_eq!(detector.snapshot().discarded().walks(), 3);
    assert_eq!(Captured::here(128).addresses()[1..].len(), addresses.addresses().len() - 1);
}
