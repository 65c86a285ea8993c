//! A program as a process of its own: how it is started, and what it printed.

use std::ffi::OsStr;
use std::fmt;
use std::fs;
use std::io::Read;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

/// A function with its path, by which it is asked for.
pub(crate) type Named = (&'static str, fn());

/// The argument that comes before a program's name.
pub(crate) const PROGRAM: &str = "--program";

/// A list of functions with their paths.
macro_rules! named {
    ($($(#[$attribute:meta])* $function:ident),* $(,)?) => {
        &[$($(#[$attribute])* (concat!(module_path!(), "::", stringify!($function)), $function as fn())),*]
    };
}

/// The [`Program`](crate::process::Program) that a function of the same module is.
macro_rules! program {
    ($function:ident) => {{
        let [(name, _)]: &[$crate::process::Named; 1] = named![$function];
        $crate::process::Program::new(name)
    }};
}

/// A program that takes longer hangs. No promise of ours is as long; a machine that compiles meanwhile may need some of it.
const ENDS_WITHIN: Duration = Duration::from_secs(120);

/// A program of this executable, to be run as a process of its own.
#[derive(Debug)]
pub(crate) struct Program {
    command: Command,
}

impl Program {
    /// The program with that path, with an empty environment.
    pub(crate) fn new(name: &str) -> Program {
        let mut command = Command::new(std::env::current_exe().expect("a test knows its own path"));
        command.arg(PROGRAM).arg(name).env_clear().current_dir(env!("CARGO_MANIFEST_DIR"));
        Program { command }
    }

    /// Runs it by another command, which gets the program and its arguments as its last arguments. With this process's `PATH`.
    #[allow(clippy::disallowed_methods, reason = "where this process finds commands, not what it was told")]
    pub(crate) fn within(self, wrapper: &[String]) -> Program {
        let mut command = Command::new(&wrapper[0]);
        command.args(&wrapper[1..]).arg(self.command.get_program()).args(self.command.get_args());
        command.env_clear().envs(std::env::var_os("PATH").map(|path| ("PATH", path)));
        command.current_dir(env!("CARGO_MANIFEST_DIR"));
        Program { command }
    }

    /// Sets a variable.
    pub(crate) fn env(mut self, name: &str, value: impl AsRef<OsStr>) -> Program {
        self.command.env(name, value);
        self
    }

    /// Runs it to its end. One that hangs is killed, and the test fails.
    pub(crate) fn run(mut self) -> Ended {
        let command = self.command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("this executable can be started");
        // One thread for each stream, so that a full pipe never stops the program.
        let stdout = read_on_a_thread(child.stdout.take().expect("stdout is piped"));
        let stderr = read_on_a_thread(child.stderr.take().expect("stderr is piped"));
        let deadline = Instant::now() + ENDS_WITHIN;
        let status = loop {
            if let Some(status) = child.try_wait().expect("a child can be waited for") {
                break Some(status);
            }
            if Instant::now() > deadline {
                let _ = child.kill();
                let _ = child.wait();
                break None;
            }
            thread::sleep(Duration::from_millis(2));
        };
        // The bound is for a process that the program left behind and that has its streams still.
        let text = |stream: mpsc::Receiver<String>| stream.recv_timeout(ENDS_WITHIN).ok();
        let (stdout, stderr) = (text(stdout), text(stderr));
        let left_behind = stdout.is_none() || stderr.is_none();
        let ended = Ended {
            status: status.and_then(|status| status.code()),
            stdout: stdout.unwrap_or_default(),
            stderr: stderr.unwrap_or_default(),
        };
        assert!(status.is_some(), "it did not end within {ENDS_WITHIN:?}\n{ended}");
        assert!(!left_behind, "a process that it left behind did not end within {ENDS_WITHIN:?}\n{ended}");
        ended
    }
}

fn read_on_a_thread(mut stream: impl Read + Send + 'static) -> mpsc::Receiver<String> {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        let mut bytes = Vec::new();
        let _ = stream.read_to_end(&mut bytes);
        let _ = sender.send(String::from_utf8_lossy(&bytes).into_owned());
    });
    receiver
}

/// What a program printed and how it ended. Loggers of these programs write to standard output, so that what leaktrail
/// itself writes to standard error can be told apart.
#[derive(Debug)]
pub(crate) struct Ended {
    /// `None` when a signal ended it.
    pub(crate) status: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Ended {
    /// Its lines on both streams, for what may come by either.
    pub(crate) fn lines(&self) -> impl Iterator<Item = &str> {
        self.stdout.lines().chain(self.stderr.lines())
    }

    /// Fails unless it ended with that status.
    #[track_caller]
    pub(crate) fn with_status(self, status: i32) -> Ended {
        assert_eq!(self.status, Some(status), "{self}");
        self
    }

    /// Fails unless exactly so many lines of both streams have the words in them.
    #[track_caller]
    pub(crate) fn has(&self, lines: usize, words: &str) {
        assert_eq!(self.lines().filter(|line| line.contains(words)).count(), lines, "lines with {words:?}\n{self}");
    }

    /// Fails unless exactly so many lines of standard output, which the log has, have the words in them.
    #[track_caller]
    pub(crate) fn log_has(&self, lines: usize, words: &str) {
        let found = self.stdout.lines().filter(|line| line.contains(words)).count();
        assert_eq!(found, lines, "logged lines with {words:?}\n{self}");
    }

    /// Fails unless exactly so many lines of standard error begin with the words.
    #[track_caller]
    pub(crate) fn stderr_has(&self, lines: usize, words: &str) {
        let found = self.stderr.lines().filter(|line| line.starts_with(words)).count();
        assert_eq!(found, lines, "lines on standard error that begin with {words:?}\n{self}");
    }
}

impl fmt::Display for Ended {
    /// For a failed test: as it was printed.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Ended { status, stdout, stderr } = self;
        write!(f, "--- status {status:?}, standard output\n{stdout}--- standard error\n{stderr}---")
    }
}

/// A logger that writes to standard output, in programs.
pub(crate) fn log_to_stdout(level: log::LevelFilter) {
    env_logger::Builder::new().filter_level(level).target(env_logger::Target::Stdout).init();
}

/// A folder of its own for each test, removed with it.
pub(crate) struct Folder(PathBuf);

impl Folder {
    pub(crate) fn new(name: &str) -> Folder {
        let folder = std::env::temp_dir().join(format!("leaktrail-programs-{}-{name}", std::process::id()));
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).expect("the folder for temporary files takes another");
        Folder(folder)
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// What the programs track.
#[derive(Debug)]
pub(crate) struct Permit;
