//! Runs an example of this package as a process of its own, as a reader of the docs would.

use std::io::Read;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

/// An example that takes longer hangs.
const ENDS_WITHIN: Duration = Duration::from_secs(120);

/// What an example printed and how it ended.
#[derive(Debug)]
pub(crate) struct Ended {
    /// `None` when a signal ended it.
    pub(crate) status: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

/// The command for an example, with nothing in its environment that changes what it does.
///
/// `cargo test` builds the examples and puts them beside the directory of the test executables; a run that chose
/// only some tests did not, and then the example of the last full build, or none, is there.
pub(crate) fn command(example: &str) -> Command {
    let test = std::env::current_exe().expect("a test knows its own path");
    let profile = test.parent().and_then(|deps| deps.parent()).expect("tests are in target/<profile>/deps");
    let program: PathBuf = profile.join("examples").join(format!("{example}{}", std::env::consts::EXE_SUFFIX));
    assert!(program.exists(), "{} is not built; `cargo build --examples` builds it", program.display());
    let mut command = Command::new(program);
    #[allow(clippy::disallowed_methods, reason = "what this process hands on to the example, not what it was told")]
    let inherited = std::env::vars_os();
    for (name, _) in inherited {
        if name.to_string_lossy().starts_with("LEAK_DETECTION_") || name.to_string_lossy().starts_with("RUST_") {
            command.env_remove(name);
        }
    }
    command.current_dir(env!("CARGO_MANIFEST_DIR"));
    command
}

/// Runs it to its end; one that does not end is killed and fails the test.
pub(crate) fn run(mut command: Command) -> Ended {
    let spawned = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
    let mut child = spawned.expect("the example starts");
    // One thread for each stream, so that a full pipe never stops the example.
    let stdout = read_on_a_thread(child.stdout.take().expect("stdout is piped"));
    let stderr = read_on_a_thread(child.stderr.take().expect("stderr is piped"));
    let deadline = Instant::now() + ENDS_WITHIN;
    let status = loop {
        if let Some(status) = child.try_wait().expect("a child can be waited for") {
            break status;
        }
        if Instant::now() > deadline {
            let _ = child.kill();
            let _ = child.wait();
            panic!("{command:?} did not end within {ENDS_WITHIN:?}");
        }
        thread::sleep(Duration::from_millis(5));
    };
    let text = |stream: thread::JoinHandle<String>| stream.join().expect("reading a pipe does not panic");
    Ended { status: status.code(), stdout: text(stdout), stderr: text(stderr) }
}

fn read_on_a_thread(mut stream: impl Read + Send + 'static) -> thread::JoinHandle<String> {
    thread::spawn(move || {
        let mut bytes = Vec::new();
        let _ = stream.read_to_end(&mut bytes);
        String::from_utf8_lossy(&bytes).into_owned()
    })
}

/// `file:line` of the only line of a source file that has `marker` in it, as reports write it.
pub(crate) fn site_of(file: &str, marker: &str) -> String {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(file);
    let source = std::fs::read_to_string(path).expect("the sources are here");
    let mut lines = source.lines().enumerate().filter(|(_, line)| line.contains(marker));
    let (index, _) = lines.next().unwrap_or_else(|| panic!("{file} has no line with {marker:?}"));
    assert!(lines.next().is_none(), "{file} has two lines with {marker:?}");
    format!("{file}:{}:", index + 1)
}
