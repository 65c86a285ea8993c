//! A forked child tells its own and leaves its parent's alone, and the parent's numbers stay as they are.

#![allow(unsafe_code, reason = "fork, dup2, waitpid and kill are C functions")]

use std::io::{PipeReader, Read};
use std::os::fd::AsRawFd;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process;
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use leaktrail::{LeakDetector, Level, Tracked, track};
use log::LevelFilter;

use crate::process::{Ended, Named, Permit, log_to_stdout};

pub(crate) const TESTS: &[Named] = named![
    a_child_reports_its_own_only,
    a_child_of_a_child_reports_its_own_only,
    a_child_that_loses_nothing_says_nothing_of_its_parent,
    a_child_that_returns_from_main_drops_a_guard_of_its_own,
    a_child_has_blocks_of_its_own,
    a_sink_hears_of_the_childs_losses_in_the_child,
];

pub(crate) const PROGRAMS: &[Named] = named![
    forks,
    forks_twice,
    forks_a_child_that_loses_nothing,
    forks_a_child_that_returns,
    forks_after_a_flood,
    forks_with_a_subscriber,
];

/// A child that takes longer hangs.
const ENDS_WITHIN: Duration = Duration::from_secs(30);

/// A child of this process, with what it prints.
pub(crate) struct Child {
    pid: libc::pid_t,
    output: mpsc::Receiver<String>,
}

impl Child {
    /// Forks; the child runs `program` with a pipe for its output, and exits with status 0.
    pub(crate) fn fork(program: impl FnOnce()) -> Child {
        let (reader, writer) = std::io::pipe().expect("there are pipes");
        // SAFETY: the child runs what any program may after a fork on the systems that this is run on: glibc and the
        // BSDs' C libraries keep their own locks right, and whether leaktrail keeps its own right is what is tested.
        let pid = unsafe { libc::fork() };
        assert!(pid >= 0, "there is room for a process");
        if pid > 0 {
            drop(writer);
            return Child { pid, output: read_on_a_thread(reader) };
        }
        for stream in [1, 2] {
            // SAFETY: both are descriptors of this process; what was under the stream's number is closed.
            unsafe { libc::dup2(writer.as_raw_fd(), stream) };
        }
        drop((reader, writer));
        // A panic must not reach the parent's code below.
        let outcome = catch_unwind(AssertUnwindSafe(program));
        process::exit(if outcome.is_ok() { 0 } else { 101 });
    }

    /// Waits for its end, and gives its output. One that hangs is killed, and with it this program.
    pub(crate) fn end(self) -> String {
        let deadline = Instant::now() + ENDS_WITHIN;
        let mut status = 0;
        loop {
            // SAFETY: the pid is that of a child that nobody has waited for, and `status` is valid to write into.
            let ended = unsafe { libc::waitpid(self.pid, &mut status, libc::WNOHANG) };
            if ended == self.pid {
                break;
            }
            if Instant::now() > deadline {
                // SAFETY: the child was not waited for, so its pid is nobody else's.
                unsafe { libc::kill(self.pid, libc::SIGKILL) };
                panic!("a child hangs; it has said: {}", self.output.recv().unwrap_or_default());
            }
            thread::sleep(Duration::from_millis(1));
        }
        let output = self.output.recv_timeout(ENDS_WITHIN).expect("it left no process behind");
        assert_eq!(status, 0, "a child failed; it has said: {output}");
        output
    }
}

fn read_on_a_thread(mut reader: PipeReader) -> mpsc::Receiver<String> {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        let mut bytes = Vec::new();
        let _ = reader.read_to_end(&mut bytes);
        let _ = sender.send(String::from_utf8_lossy(&bytes).into_owned());
    });
    receiver
}

/// Prints what a child said, each line with its name before it.
fn print(name: &str, said: &str) {
    said.lines().for_each(|line| println!("{name}: {line}"));
}

/// What a process of that name said.
fn said<'a>(ended: &'a Ended, name: &str) -> Vec<&'a str> {
    let prefix = format!("{name}: ");
    ended.stdout.lines().filter_map(|line| line.strip_prefix(prefix.as_str())).collect()
}

#[track_caller]
fn assert_said(ended: &Ended, name: &str, lines: usize, words: &str) {
    let found = said(ended, name).iter().filter(|line| line.contains(words)).count();
    assert_eq!(found, lines, "lines of {name} with {words:?}\n{ended}");
}

fn a_child_reports_its_own_only() {
    for level in ["simple", "advanced", "paranoid"] {
        let ended = program!(forks).env("LEAK_DETECTION_LEVEL", level).run().with_status(0);
        // In the child: one of two lost at the site that both use, and what it inherited is nobody's business of its.
        assert_said(&ended, "child", 1, "LEAK: summary at exit: 1 of 2 lost at 1 site, 0 B; 0 live; ");
        assert_said(&ended, "child", 1, "LEAK: Permit.release() was not called");
        assert_said(&ended, "child", 1, "LEAK: 1 lost, 0 B, Permit created ");
        assert_said(&ended, "child", 0, "Inherited");
        // In the parent: its own, to the number.
        ended.log_has(1, "] LEAK: summary at exit: 3 of 7 lost at 1 site, 0 B; 1 live; ");
        ended.log_has(1, "] LEAK: 3 lost, 0 B, Permit created ");
        ended.log_has(1, "] LIVE: 1 live, 0 B, Inherited created ");
        assert_eq!(ended.stderr, "", "{ended}");
    }
}

fn a_child_of_a_child_reports_its_own_only() {
    let ended = program!(forks_twice).run().with_status(0);
    assert_said(&ended, "child: grandchild", 1, "LEAK: summary at exit: 3 of 4 lost at 1 site, 0 B; 0 live; ");
    assert_said(&ended, "child", 1, "ERROR leaktrail: LEAK: summary at exit: 2 of 3 lost at 1 site, 0 B; 0 live; ");
    ended.log_has(1, "[ERROR leaktrail] LEAK: summary at exit: 1 of 2 lost at 1 site, 0 B; 0 live; ");
}

fn a_child_that_loses_nothing_says_nothing_of_its_parent() {
    let ended = program!(forks_a_child_that_loses_nothing).run().with_status(0);
    assert_eq!(said(&ended, "idle"), Vec::<&str>::new(), "{ended}");
    assert_eq!(said(&ended, "dropping"), Vec::<&str>::new(), "{ended}");
    let clean = "INFO leaktrail: clean at exit: 1 created, all released, level PARANOID";
    assert_eq!(said(&ended, "clean"), [clean], "{ended}");
}

fn a_child_that_returns_from_main_drops_a_guard_of_its_own() {
    let ended = program!(forks_a_child_that_returns).run().with_status(0);
    ended.log_has(1, "LEAK: summary at exit: 1 of 1 lost at 1 site");
    ended.log_has(1, "LEAK: summary at exit: 2 of 2 lost at 2 sites");
    assert_eq!(ended.stderr, "", "{ended}");
}

fn a_child_has_blocks_of_its_own() {
    let ended = program!(forks_after_a_flood).run().with_status(0);
    assert_said(&ended, "child", 1, "Recent access records:");
}

fn a_sink_hears_of_the_childs_losses_in_the_child() {
    let ended = program!(forks_with_a_subscriber).run().with_status(0);
    assert_eq!(said(&ended, "child"), ["the subscriber got 1 of 1", "the child's flush is over"], "{ended}");
    ended.has(1, "the subscriber got 2 of 2");
}

/// Creates so many at one site, and loses all but one.
fn lose_all_but_one(created: usize) {
    let mut permits: Vec<_> = (0..created).map(|_| track(Permit)).collect();
    permits.pop().map(Tracked::release).expect("there is one");
}

fn forks() {
    log_to_stdout(LevelFilter::Info);
    let _guard = leaktrail::guard();
    let detector = LeakDetector::global();
    lose_all_but_one(3);
    let mut inherited: Vec<_> = (0..2).map(|number| detector.resource("Inherited").track(number)).collect();
    let child = Child::fork(|| {
        lose_all_but_one(2);
        inherited.pop().map(Tracked::release).expect("the child has a copy of it");
        inherited.clear();
    });
    print("child", &child.end());
    lose_all_but_one(2);
    inherited.pop().map(Tracked::release).expect("the parent's are still there");
    std::mem::forget(inherited);
    detector.flush();
}

fn forks_twice() {
    log_to_stdout(LevelFilter::Info);
    let _guard = leaktrail::guard();
    lose_all_but_one(2);
    let child = Child::fork(|| {
        lose_all_but_one(3);
        print("grandchild", &Child::fork(|| lose_all_but_one(4)).end());
    });
    print("child", &child.end());
}

fn forks_a_child_that_loses_nothing() {
    log_to_stdout(LevelFilter::Info);
    LeakDetector::global().set_level(Level::Paranoid);
    lose_all_but_one(3);
    let traced = track(Permit);
    LeakDetector::global().set_level(Level::Simple);
    let mut counted: Vec<_> = (0..10).map(|_| track(Permit)).collect();
    LeakDetector::global().set_level(Level::Paranoid);
    print("idle", &Child::fork(|| {}).end());
    let mut traced = Some(traced);
    let child = Child::fork(|| {
        traced.take();
        counted.clear();
        LeakDetector::global().flush();
    });
    print("dropping", &child.end());
    let child = Child::fork(|| {
        Tracked::release(track(Permit));
        counted.clear();
        traced.take();
        LeakDetector::global().flush();
    });
    print("clean", &child.end());
}

fn forks_a_child_that_returns() {
    log_to_stdout(LevelFilter::Info);
    let _guard = leaktrail::guard();
    // SAFETY: as in `Child::fork`; no other thread of the program's own runs.
    let pid = unsafe { libc::fork() };
    if pid > 0 {
        // SAFETY: the child was not waited for; a null status is not written to.
        assert_eq!(unsafe { libc::waitpid(pid, std::ptr::null_mut(), 0) }, pid);
        drop(track(Permit));
    }
    drop(track(Permit));
}

fn forks_after_a_flood() {
    log_to_stdout(LevelFilter::Info);
    let detector = LeakDetector::global();
    detector.set_level(Level::Paranoid);
    const RESOURCES: [&str; 25] = [
        "A", "B", "C", "D", "E", "F", "G", "H", "I", "J", "K", "L", "M", "N", "O", "P", "Q", "R", "S", "T", "U", "V",
        "W", "X", "Y",
    ];
    for resource in RESOURCES {
        drop(detector.resource(resource).track(1));
    }
    detector.flush();
    print("child", &Child::fork(|| drop(detector.resource("Z").track(1))).end());
}

fn forks_with_a_subscriber() {
    let detector = LeakDetector::global();
    detector.set_level(Level::Paranoid);
    let _subscription =
        detector.subscribe(|report| println!("the subscriber got {} of {}", report.count(), report.created()));
    let mut permits: Vec<_> = (0..2).map(|_| track(Permit)).collect();
    let child = Child::fork(|| {
        drop(track(Permit));
        detector.flush();
        println!("the child's flush is over");
    });
    print("child", &child.end());
    permits.clear();
    detector.flush();
}
