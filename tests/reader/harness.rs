//! Runs the command as a person would.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;

use serde_json::Value;

/// The captured logs.
pub(crate) const LOGS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/reader/logs");

/// What a run has said.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) status: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

/// The command with these arguments, among the captured logs.
pub(crate) fn command(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_leaktrail"));
    command.args(args).current_dir(LOGS).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

pub(crate) fn run(args: &[&str]) -> Ran {
    run_with(args, b"")
}

/// Runs it with this as its standard input.
pub(crate) fn run_with(args: &[&str], input: &[u8]) -> Ran {
    let mut child = command(args).stdin(Stdio::piped()).spawn().expect("the command starts");
    let mut stdin = child.stdin.take().expect("it was piped");
    let output = thread::scope(|scope| {
        // Beside the reading of its output, or both would wait for each other.
        scope.spawn(move || stdin.write_all(input).ok());
        child.wait_with_output().expect("the command ends")
    });
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("what it writes is UTF-8");
    Ran {
        status: output.status.code().expect("no signal ended it"),
        out: text(output.stdout),
        err: text(output.stderr),
    }
}

/// The rows that `top` makes of a log.
pub(crate) fn rows(log: &str) -> Vec<Value> {
    rows_of(&["-"], log)
}

/// The rows that `top` makes with these arguments.
pub(crate) fn rows_of(args: &[&str], input: &str) -> Vec<Value> {
    let ran = run_with(&[&["top", "--format", "json"], args].concat(), input.as_bytes());
    assert_eq!(ran.status, 0, "{ran:?}");
    array(&ran.out)
}

pub(crate) fn array(text: &str) -> Vec<Value> {
    match serde_json::from_str(text) {
        Ok(Value::Array(rows)) => rows,
        other => panic!("an array: {other:?} in {text}"),
    }
}

/// A folder of a test's own, gone at its end.
#[derive(Debug)]
pub(crate) struct Folder(PathBuf);

impl Folder {
    pub(crate) fn new() -> Folder {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("leaktrail-reader-{}-{number}", std::process::id()));
        fs::create_dir_all(&path).expect("a folder for a test");
        Folder(path)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    /// Writes a file there, and gives its path.
    pub(crate) fn file(&self, name: &str, content: impl AsRef<[u8]>) -> String {
        let path = self.0.join(name);
        fs::create_dir_all(path.parent().expect("it is in the folder")).expect("a folder for a test");
        fs::write(&path, content).expect("a file for a test");
        path.to_str().expect("UTF-8").to_owned()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// A first line of a log, at a minute past three.
pub(crate) fn first(minute: u32, site: &str, count: u64, fp: &str) -> String {
    format!(
        "[2026-11-20T03:{minute:02}:00Z ERROR leaktrail] LEAK: ByteBuf.release() was not called before it was dropped. \
         created {site}, dropped unknown, {count} of 5312 lost, {} B given back, level SIMPLE, fp={fp}\n",
        count * 10
    )
}

/// A line of the same cause again. `since` is a time of day.
pub(crate) fn again(minute: u32, site: &str, count: u64, since: &str, fp: &str) -> String {
    format!(
        "[2026-11-20T03:{minute:02}:00Z ERROR leaktrail] LEAK: ByteBuf again: created {site}, {count} of 48120 lost \
         (+9 in 60 s), {} B given back, since {since}, fp={fp}\n",
        count * 10
    )
}

/// A row of a summary at exit.
pub(crate) fn at_exit(minute: u32, site: &str, count: u64, fp: &str) -> String {
    format!(
        "[2026-11-20T03:{minute:02}:00Z ERROR leaktrail] LEAK: {count} lost, {} B, ByteBuf created {site}, fp={fp}\n",
        count * 10
    )
}

/// A trail below a first line.
pub(crate) const BLOCK: &str = "\
Recent access records:
#1:
\tHint: 'decode' will handle the buffer from this point.
\t(dropped +12 ms, thread worker-3)
\tgateway::filters::log_body (src/filters.rs:57:9)
Created at:
\t(2026-11-20T03:12:44Z, thread worker-3)
\tgateway::filters::cache_body (src/filters.rs:41:22)
";

pub(crate) const FP: &str = "5b1c09e2a4f7d310";
pub(crate) const SITE: &str = "src/filters.rs:41:22";
