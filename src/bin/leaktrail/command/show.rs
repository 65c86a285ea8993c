//! `leaktrail show`: one cause, with all that is known of how it came about.

use std::io::Write as _;
use std::process::ExitCode;

use super::rows::{bytes, second};
use super::source_lines::SourceLines;
use super::status;
use super::trails::{Kept, Trails};
use crate::args::ShowArgs;
use crate::causes::Row;
use crate::failure::Failure;
use crate::input;
use crate::output::{self, Shown};

pub(crate) fn run(args: &ShowArgs) -> Result<ExitCode, Failure> {
    let mut trails = Trails::new(args.logs.wanted(), &args.fingerprint);
    let (tally, failures) = input::read_all(&args.logs.files, &mut trails)?;
    output::tell(tally);
    let causes = trails.causes();
    let mut fingerprints: Vec<&str> = causes.iter().map(|(row, _)| row.fingerprint.as_str()).collect();
    fingerprints.dedup();
    if fingerprints.len() > 1 {
        let list = fingerprints.iter().take(8).copied().collect::<Vec<_>>().join(", ");
        let more = if fingerprints.len() > 8 { ", …" } else { "" };
        return Err(Failure::Input(format!("{} begins more than one: {list}{more}", args.fingerprint)));
    }
    if causes.is_empty() {
        output::note(&format!("no cause {}", args.fingerprint));
        let code = status(&failures);
        return Ok(if code == ExitCode::SUCCESS { ExitCode::from(1) } else { code });
    }
    let mut lines = SourceLines::below(&args.source);
    let mut text = String::new();
    for (row, trails) in &causes {
        head(&mut text, row);
        for (index, kept) in trails.iter().enumerate() {
            trail(&mut text, kept, &format!("trail {} of {}", index + 1, trails.len()), &mut lines);
        }
        if trails.is_empty() {
            text.push_str("\nno trail in these logs\n");
        }
    }
    let mut stdout = output::stdout();
    stdout.write_all(text.as_bytes())?;
    stdout.flush()?;
    Ok(status(&failures))
}

fn head(text: &mut String, row: &Row) {
    let Row { resource, site, count, source, fingerprint, .. } = row;
    let (resource, site, verdict) = (Shown(resource), Shown(site), row.verdict.to_uppercase());
    let (first, last) = (second(row.first_seen), second(row.last_seen));
    let size = match row.bytes {
        Some(exact) => format!("{exact} B ({})", bytes(row.bytes)),
        None => "bytes not known".to_owned(),
    };
    text.push_str(&format!(
        "{verdict} {resource} {site}\n  count {count}, {size}\n  first seen {first}, last seen {last}\n  \
         from {source}, fp={fingerprint}\n"
    ));
}

fn trail(text: &mut String, kept: &Kept, which: &str, lines: &mut SourceLines) {
    let Kept { trail, file } = kept;
    let mut remarks = String::new();
    if trail.is_cut_off {
        remarks.push_str(", cut off: its end is missing");
    }
    if trail.is_interleaved {
        remarks.push_str(", mixed with other lines: parts may be another report's");
    }
    let place = match trail.line {
        0 => format!("{}", Shown(file)),
        line => format!("{}:{line}", Shown(file)),
    };
    text.push_str(&format!("\n{which}, {place}{remarks}\n"));
    for line in trail.text.lines() {
        let (indent, line) = match line.strip_prefix('\t') {
            Some(line) => ("    ", line),
            None => ("  ", line),
        };
        text.push_str(&format!("{indent}{}\n", Shown(line)));
        if let Some(source) = lines.of(line) {
            text.push_str(&format!("        > {}\n", Shown(source.trim())));
        }
    }
}
