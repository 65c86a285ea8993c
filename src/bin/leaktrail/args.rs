//! What can be asked for.

use std::path::PathBuf;

use clap::builder::styling::{AnsiColor, Styles};
use clap::{Args as ClapArgs, Parser, Subcommand, ValueEnum};

use crate::log::{Kind, Moment};

const STYLES: Styles = Styles::styled()
    .header(AnsiColor::Green.on_default().bold())
    .usage(AnsiColor::Green.on_default().bold())
    .literal(AnsiColor::Cyan.on_default().bold())
    .placeholder(AnsiColor::Cyan.on_default());

const EXAMPLES: &str = "\
Examples:
  leaktrail top app.log                        what was lost, by cause, the most bytes first
  leaktrail top app.log.2.gz app.log.1 app.log   rotated files are one log
  kubectl logs gateway | leaktrail top         from standard input
  leaktrail top --follow --only leak,grow app.log
  leaktrail show 5b1c09e2a4f7d310 app.log      one cause with its whole trail
  leaktrail baseline app.log > leaks.json      what is known today
  leaktrail diff leaks.json new.log            exit status 1 when something is new or worse

Logs of Netty's detector (4.1, 4.2) are read as well, in the same files or in others.
Exit status: 0; 1 when diff finds something new or worse, or show finds nothing; 2 for bad input.";

/// Reads leak reports, wherever they were logged: behind any logger's prefix, as JSON, compressed, Netty's too.
#[derive(Debug, Parser)]
#[command(name = "leaktrail", version, styles = STYLES, after_help = EXAMPLES, max_term_width = 100)]
pub(crate) struct Args {
    /// When to use colours; `auto` honours NO_COLOR and pipes
    #[arg(long, global = true, value_enum, default_value_t = Color::Auto, value_name = "WHEN")]
    pub(crate) color: Color,
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Color {
    Auto,
    Always,
    Never,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// A row for each cause: how often, how many bytes, where, since when; most bytes first
    #[command(after_help = TOP_EXAMPLES)]
    Top(TopArgs),
    /// One cause with its whole trail, and the source lines where the source is at hand
    #[command(after_help = SHOW_EXAMPLES)]
    Show(ShowArgs),
    /// The causes of today as JSON, for `diff` to compare with
    #[command(after_help = BASELINE_EXAMPLES)]
    Baseline(BaselineArgs),
    /// What is new, worse, better, gone or moved; exit status 1 when something is new or worse
    #[command(after_help = DIFF_EXAMPLES)]
    Diff(DiffArgs),
    /// Names for `module+0xoffset`, from a file with debug information
    #[command(after_help = SYMBOLIZE_EXAMPLES)]
    Symbolize(SymbolizeArgs),
}

const TOP_EXAMPLES: &str = "\
Examples:
  leaktrail top app.log
  leaktrail top --since 2h --only leak app.log app.log.1.gz
  leaktrail top --format json app.log | jq '.[0].site'
  journalctl -u gateway -f | leaktrail top --follow";

const SHOW_EXAMPLES: &str = "\
Examples:
  leaktrail show 5b1c09e2a4f7d310 app.log
  leaktrail show 5b1c app.log                  the first digits are enough
  leaktrail show 5b1c --source ../gateway app.log";

const BASELINE_EXAMPLES: &str = "\
Examples:
  leaktrail baseline test-run.log > leaks.json
  cargo test 2>&1 | leaktrail baseline --output leaks.json";

const DIFF_EXAMPLES: &str = "\
Examples:
  leaktrail diff leaks.json test-run.log
  leaktrail diff yesterday.log today.log
  leaktrail diff --format json leaks.json test-run.log | jq '.[] | select(.change == \"new\")'";

const SYMBOLIZE_EXAMPLES: &str = "\
Examples:
  leaktrail symbolize --debug-file gateway.debug app.log
  leaktrail show 5b1c app.log | leaktrail symbolize --debug-file libcodec.so=build/libcodec.so.debug";

#[derive(Debug, ClapArgs)]
pub(crate) struct Logs {
    /// Log files, gzip or not; `-` or none is standard input
    #[arg(value_name = "FILE")]
    pub(crate) files: Vec<PathBuf>,
    /// Only these, separated by commas: leak, grow, held, pinned, live, refused
    #[arg(long, value_delimiter = ',', value_parser = kind, value_name = "VERDICT")]
    pub(crate) only: Vec<Kind>,
    /// Only what came since: a moment (2026-11-20T03:00Z, 2026-11-20) or a span up to now (90m, 2h, 1d)
    #[arg(long, value_parser = since, value_name = "WHEN")]
    pub(crate) since: Option<Moment>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// For people
    Table,
    /// An array of rows
    Json,
    /// With a line of names
    Csv,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct TopArgs {
    #[command(flatten)]
    pub(crate) logs: Logs,
    /// How the rows are written
    #[arg(long, value_enum, default_value_t = Format::Table)]
    pub(crate) format: Format,
    /// How many rows; without it 1000 in a table, and all elsewhere
    #[arg(long, value_name = "N")]
    pub(crate) rows: Option<usize>,
    /// Go on as the logs grow, and show the rows again when they change
    #[arg(long)]
    pub(crate) follow: bool,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct ShowArgs {
    /// The cause: its 16 hex digits, or so many of the first that there is one
    #[arg(value_parser = digits)]
    pub(crate) fingerprint: String,
    #[command(flatten)]
    pub(crate) logs: Logs,
    /// Where the source is
    #[arg(long, default_value = ".", value_name = "DIR")]
    pub(crate) source: PathBuf,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct BaselineArgs {
    #[command(flatten)]
    pub(crate) logs: Logs,
    /// Write it there instead of to standard output
    #[arg(long, short, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct DiffArgs {
    /// What is known: the output of `baseline`, or a log
    pub(crate) baseline: PathBuf,
    /// What is there now: logs, or the output of `baseline`; `-` is standard input
    #[arg(required = true)]
    pub(crate) new: Vec<PathBuf>,
    /// Only these, separated by commas: leak, grow, held, pinned, live, refused
    #[arg(long, value_delimiter = ',', value_parser = kind, value_name = "VERDICT")]
    pub(crate) only: Vec<Kind>,
    /// How the changes are written
    #[arg(long, value_enum, default_value_t = Format::Table)]
    pub(crate) format: Format,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct SymbolizeArgs {
    /// A file with debug information, for the module of its name (`.debug` apart), or MODULE=FILE
    #[arg(long = "debug-file", required = true, value_name = "[MODULE=]FILE")]
    pub(crate) debug_files: Vec<String>,
    /// Texts with frames; `-` or none is standard input
    #[arg(value_name = "FILE")]
    pub(crate) files: Vec<PathBuf>,
}

fn kind(text: &str) -> Result<Kind, String> {
    let names: Vec<&str> = Kind::ALL.into_iter().map(Kind::name).collect();
    Kind::named(text.trim()).ok_or_else(|| format!("one of {}", names.join(", ")))
}

fn digits(text: &str) -> Result<String, String> {
    let is_hex = (1..=16).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    if is_hex { Ok(text.to_ascii_lowercase()) } else { Err("up to 16 hex digits".to_owned()) }
}

fn since(text: &str) -> Result<Moment, String> {
    Moment::since(text, Moment::now()).ok_or_else(|| "a moment (2026-11-20T03:00Z) or a span (90m, 2h, 1d)".to_owned())
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_command_line_is_well_formed() {
        Args::command().debug_assert();
    }

    #[test]
    fn values_are_checked() {
        assert_eq!(kind(" Leak"), Ok(Kind::Leak));
        assert_eq!(kind("unreleased"), Ok(Kind::Leak));
        assert!(kind("guilty").is_err_and(|error| error.contains("leak, grow")));
        assert_eq!(digits("5B1C"), Ok("5b1c".to_owned()));
        assert!(digits("").is_err() && digits("xyz").is_err() && digits("5b1c09e2a4f7d3100").is_err());
        assert!(since("yesterday").is_err());
    }
}
