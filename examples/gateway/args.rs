//! The command line: what was asked for, or what was wrong with it.

use std::ffi::OsString;
use std::fmt;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

use leaktrail::Level;

use crate::act::Act;
use crate::filters::cache_body::KEPT_AT_MOST;
use crate::load::LARGEST_BODY;

/// What `--help` prints.
pub(crate) const USAGE: &str = "\
A gateway that leaks, and the log that says which line did it.

  --act NAME         one act alone: hoard, lost, abandon or mended     (default: all four, each a process)
  --level LEVEL      disabled, simple, advanced or paranoid; wins over LEAK_DETECTION_LEVEL
  --limit SIZE       direct memory for bodies, such as 786432, 512k or 8m              (default: 1m)
  --requests N       requests of each act, 1 to 100000; with --serve 0 is possible     (default: 2000)
  --connections N    client connections at a time, 1 to 256                            (default: 8)
  --rate N           requests a second at most, 1 to 1000000                           (default: 2000)
  --wait MS          how long a request waits for memory before it is answered 503, up to 10000
                     (default: 2000; 5 in the acts hoard and abandon, in which nothing comes back)
  --serve ADDR       run one act (default: lost) on ADDR, then stay up until Enter or SIGTERM; ADDR is a port on
                     127.0.0.1 or IP:PORT. GET /debug/leaks as text, with ?format=json as JSON; GET /metrics for a
                     scraper; POST /debug/leaks/level?level=paranoid&for=10m for a look from nearer, for a time

Exit status: 0 each act showed what it promises, 1 one did not, 2 bad arguments.";

const DEFAULT_LIMIT_BYTES: u64 = 1024 * 1024;
const DEFAULT_REQUESTS: u64 = 2_000;
const MAX_REQUESTS: u64 = 100_000;
const DEFAULT_CONNECTIONS: usize = 8;
const MAX_CONNECTIONS: u64 = 256;
/// Slow enough for the log to come in the middle of the traffic that it is about, and not after it.
const DEFAULT_RATE: u32 = 2_000;
const MAX_RATE: u64 = 1_000_000;
/// As long as a client has patience.
const MAX_WAIT_MS: u64 = 10_000;

/// What this process is to do.
#[derive(Debug)]
pub(crate) enum Command {
    /// Print the usage.
    Help,
    /// All acts, each in a process of its own.
    Story(Args),
    /// One act in this process.
    Act(Act, Args),
}

/// The settings of an act.
#[derive(Clone, Debug)]
pub(crate) struct Args {
    /// `None`: as the environment says.
    pub(crate) level: Option<Level>,
    pub(crate) limit_bytes: u64,
    pub(crate) requests: u64,
    pub(crate) connections: usize,
    pub(crate) rate: u32,
    /// `None`: as the act says.
    pub(crate) wait: Option<Duration>,
    /// Where to stay up after the act.
    pub(crate) serve: Option<SocketAddr>,
}

/// An argument that was not understood.
#[derive(Debug)]
pub(crate) struct ArgsError {
    option: String,
    found: Option<String>,
    accepted: String,
}

impl Command {
    /// Reads the arguments after the program's name.
    pub(crate) fn parse(arguments: impl Iterator<Item = OsString>) -> Result<Command, ArgsError> {
        let mut args = Args {
            level: None,
            limit_bytes: DEFAULT_LIMIT_BYTES,
            requests: DEFAULT_REQUESTS,
            connections: DEFAULT_CONNECTIONS,
            rate: DEFAULT_RATE,
            wait: None,
            serve: None,
        };
        let mut chosen = None;
        let mut arguments = arguments.map(|argument| argument.to_string_lossy().into_owned());
        while let Some(argument) = arguments.next() {
            // Both `--limit 8m` and `--limit=8m`.
            let (option, joined) = match argument.split_once('=') {
                Some((option, value)) => (option.to_owned(), Some(value.to_owned())),
                None => (argument, None),
            };
            if option == "--help" || option == "-h" {
                return Ok(Command::Help);
            }
            let known = ["--act", "--level", "--limit", "--requests", "--connections", "--rate", "--wait", "--serve"];
            if !known.contains(&option.as_str()) {
                let accepted = format!("{} or --help", known.join(", "));
                return Err(ArgsError { option, found: None, accepted });
            }
            let found = joined.or_else(|| arguments.next());
            let refuse = |accepted: &str| ArgsError {
                option: option.clone(),
                found: Some(found.clone().unwrap_or_default()),
                accepted: accepted.to_owned(),
            };
            let value = found.as_deref().unwrap_or_default();
            match option.as_str() {
                "--act" => chosen = Some(value.parse().map_err(|()| refuse("hoard, lost, abandon or mended"))?),
                "--level" => {
                    let accepted = "disabled, simple, advanced, paranoid, or 0 to 3";
                    args.level = Some(value.parse().map_err(|_| refuse(accepted))?);
                }
                "--limit" => {
                    let accepted = "a number of bytes such as 786432, 512k, 8m or 1g";
                    args.limit_bytes = parse_size(value).ok_or_else(|| refuse(accepted))?;
                }
                "--requests" => {
                    let accepted = "a whole number from 1 to 100000, or 0 with --serve";
                    args.requests = parse_up_to(value, MAX_REQUESTS).ok_or_else(|| refuse(accepted))?;
                }
                "--connections" => {
                    let count = parse_up_to(value, MAX_CONNECTIONS).filter(|count| *count > 0);
                    args.connections = count.ok_or_else(|| refuse("a whole number from 1 to 256"))? as usize;
                }
                "--rate" => {
                    let rate = parse_up_to(value, MAX_RATE).filter(|rate| *rate > 0);
                    args.rate = rate.ok_or_else(|| refuse("a whole number from 1 to 1000000"))? as u32;
                }
                "--wait" => {
                    let wait = parse_up_to(value, MAX_WAIT_MS).map(Duration::from_millis);
                    args.wait = Some(wait.ok_or_else(|| refuse("milliseconds, a whole number from 0 to 10000"))?);
                }
                _ => {
                    let accepted = "a port for 127.0.0.1 such as 8080 (0: any free one), or IP:PORT";
                    args.serve = Some(parse_address(value).ok_or_else(|| refuse(accepted))?);
                }
            }
        }
        args.check()?;
        Ok(match (chosen, args.serve) {
            (Some(act), _) => Command::Act(act, args),
            (None, Some(_)) => Command::Act(Act::Lost, args),
            (None, None) => Command::Story(args),
        })
    }
}

impl Args {
    /// Refuses settings under which the mended filter would run out of memory, or nothing would happen.
    fn check(&self) -> Result<(), ArgsError> {
        // What is kept, and one body at work: the others wait their turn.
        let needed = (KEPT_AT_MOST + 1) as u64 * LARGEST_BODY as u64;
        if self.limit_bytes < needed {
            let accepted = format!("at least {needed}: {KEPT_AT_MOST} bodies are kept, and one is at work");
            return Err(ArgsError { option: "--limit".into(), found: Some(self.limit_bytes.to_string()), accepted });
        }
        if self.requests == 0 && self.serve.is_none() {
            let accepted = "at least 1, or 0 with --serve".into();
            return Err(ArgsError { option: "--requests".into(), found: Some("0".into()), accepted });
        }
        Ok(())
    }

    /// The same settings as arguments, for the process of one act.
    pub(crate) fn to_arguments(&self, act: Act) -> Vec<String> {
        let mut arguments = vec![
            format!("--act={act}"),
            format!("--limit={}", self.limit_bytes),
            format!("--requests={}", self.requests),
            format!("--connections={}", self.connections),
        ];
        arguments.push(format!("--rate={}", self.rate));
        arguments.extend(self.wait.map(|wait| format!("--wait={}", wait.as_millis())));
        arguments.extend(self.level.map(|level| format!("--level={level}")));
        arguments
    }
}

impl fmt::Display for ArgsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.found {
            None => write!(f, "{:?} is no option; accepted: {}", self.option, self.accepted),
            Some(found) => write!(f, "{}: read {found:?}; accepted: {}", self.option, self.accepted),
        }
    }
}

/// Digits alone; `usize::from_str` would also take a plus sign.
fn parse_up_to(text: &str, most: u64) -> Option<u64> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    digits.then(|| text.parse().ok()).flatten().filter(|number| *number <= most)
}

fn parse_size(text: &str) -> Option<u64> {
    let text = text.to_ascii_lowercase();
    let (digits, unit) = match text.bytes().last()? {
        b'k' => (&text[..text.len() - 1], 1 << 10),
        b'm' => (&text[..text.len() - 1], 1 << 20),
        b'g' => (&text[..text.len() - 1], 1 << 30),
        _ => (text.as_str(), 1),
    };
    parse_up_to(digits, u64::MAX)?.checked_mul(unit)
}

/// A bare port is on loopback: nothing is shown to a network unless an address says so.
fn parse_address(text: &str) -> Option<SocketAddr> {
    let port = text.parse::<u16>().map(|port| SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), port));
    port.ok().or_else(|| text.parse().ok())
}
