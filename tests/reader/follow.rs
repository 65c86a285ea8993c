//! Logs that are still being written.

use std::fs::{self, OpenOptions};
use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::Duration;

use super::harness::{FP, Folder, SITE, again, command, first};

/// The command while it runs; ended with the test.
struct Following {
    child: Child,
    lines: Receiver<String>,
}

impl Following {
    fn start(args: &[&str]) -> Following {
        let args = [&["top", "--follow", "--format", "json"], args].concat();
        let mut child = command(&args).stdin(Stdio::piped()).spawn().expect("the command starts");
        let stdout = child.stdout.take().expect("it was piped");
        let (sender, lines) = channel();
        thread::spawn(move || {
            BufReader::new(stdout).lines().map_while(Result::ok).try_for_each(|line| sender.send(line))
        });
        Following { child, lines }
    }

    /// Waits for a row with this count. The bound is for a machine that is busy.
    fn wait_for(&self, count: u64) {
        let wanted = format!("\"count\":{count},");
        loop {
            match self.lines.recv_timeout(Duration::from_secs(60)) {
                Ok(line) if line.contains(&wanted) => return,
                Ok(_) => {}
                Err(error) => panic!("no row with {wanted}: {error}"),
            }
        }
    }
}

impl Drop for Following {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn append(file: &str, text: &str) {
    let mut file = OpenOptions::new().append(true).open(file).expect("the file is there");
    file.write_all(text.as_bytes()).expect("it takes more");
}

#[test]
fn what_is_added_is_shown_also_after_a_rotation() {
    let folder = Folder::new();
    let log = folder.file("app.log", first(1, SITE, 1, FP));
    let following = Following::start(&[&log]);
    following.wait_for(1);
    let line = again(2, SITE, 64, "03:01:00Z", FP);
    // A line comes in two pieces.
    append(&log, &line[..50]);
    append(&log, &line[50..]);
    following.wait_for(64);
    fs::rename(&log, format!("{log}.1")).expect("a file can be renamed");
    folder.file("app.log", again(3, SITE, 900, "03:01:00Z", FP));
    following.wait_for(900);
}

#[test]
fn standard_input_is_followed_to_its_end() {
    let mut following = Following::start(&[]);
    let mut stdin = following.child.stdin.take().expect("it was piped");
    stdin.write_all(first(1, SITE, 5, FP).as_bytes()).expect("it is read");
    following.wait_for(5);
    stdin.write_all(again(2, SITE, 77, "03:01:00Z", FP).as_bytes()).expect("it is read");
    drop(stdin);
    following.wait_for(77);
    assert!(following.child.wait().expect("it ends").success());
}
