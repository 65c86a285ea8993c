//! `leaktrail diff`: what has changed since a baseline.

use std::borrow::Cow;
use std::io::{BufWriter, Write as _};
use std::path::PathBuf;
use std::process::ExitCode;

use super::baseline;
use super::changes::{Change, Changed, changes};
use super::rows::{MOST_IN_A_TABLE, bytes};
use super::status;
use crate::args::{DiffArgs, Format};
use crate::causes::{Causes, Row, Wanted};
use crate::failure::Failure;
use crate::input;
use crate::log::Kind;
use crate::output::{self, Column, Side};

pub(crate) fn run(args: &DiffArgs) -> Result<ExitCode, Failure> {
    let before = side(std::slice::from_ref(&args.baseline), &args.only)?;
    let now = side(&args.new, &args.only)?;
    let changed = changes(&before, &now);
    write(&changed, args.format)?;
    let counts = Change::ALL.map(|change| (change, changed.iter().filter(|row| row.change == change).count()));
    let words: Vec<String> = counts.iter().map(|(change, count)| format!("{count} {}", change.word())).collect();
    output::note(&words.join(", "));
    let fails = changed.iter().any(|row| row.change.fails());
    Ok(if fails { ExitCode::from(1) } else { ExitCode::SUCCESS })
}

/// The rows of one side: of baselines, of logs, or of both.
fn side(files: &[PathBuf], only: &[Kind]) -> Result<Vec<Row>, Failure> {
    let mut rows = Vec::new();
    let mut logs = Vec::new();
    for file in files {
        let is_stdin = file.as_os_str() == "-";
        match if is_stdin { None } else { baseline::rows(file)? } {
            Some(known) => rows.extend(known.into_iter().filter(|row| is_wanted(row, only))),
            None => logs.push(file.clone()),
        }
    }
    if !logs.is_empty() {
        let mut causes = Causes::new(Wanted { kinds: only.to_vec(), since: None });
        let (tally, failures) = input::read_all(&logs, &mut causes)?;
        output::tell(tally);
        super::tell_dropped(&causes);
        if !failures.is_empty() {
            // A comparison with half a log would say that the other half is gone.
            status(&failures[1..]);
            return failures.into_iter().next().map_or(Ok(rows), Err);
        }
        rows.extend(causes.rows());
    }
    Ok(rows)
}

fn is_wanted(row: &Row, only: &[Kind]) -> bool {
    only.is_empty() || Kind::named(&row.verdict).is_some_and(|kind| only.contains(&kind))
}

fn write(changed: &[Changed], format: Format) -> Result<(), Failure> {
    let mut out = BufWriter::new(output::stdout());
    match format {
        Format::Json => output::json(&mut out, changed)?,
        Format::Csv => {
            let values = changed.iter().map(|row| -> [Cow<'_, str>; 7] {
                [
                    row.change.word().into(),
                    row.fingerprint.as_str().into(),
                    row.verdict.as_ref().into(),
                    row.resource.as_str().into(),
                    row.site.as_str().into(),
                    row.count_before.to_string().into(),
                    row.count.to_string().into(),
                ]
            });
            let names = ["change", "fingerprint", "verdict", "resource", "site", "count_before", "count"];
            output::csv(&mut out, names, values)?;
        }
        Format::Table if changed.is_empty() => out.write_all(b"nothing has changed\n")?,
        Format::Table => {
            for page in changed.chunks(MOST_IN_A_TABLE) {
                out.write_all(table(page).as_bytes())?;
            }
        }
    }
    Ok(out.flush()?)
}

fn table(changed: &[Changed]) -> String {
    let columns = [
        Column { name: "CHANGE", side: Side::Left },
        Column { name: "BEFORE", side: Side::Right },
        Column { name: "NOW", side: Side::Right },
        Column { name: "BYTES", side: Side::Right },
        Column { name: "VERDICT", side: Side::Left },
        Column { name: "RESOURCE", side: Side::Left },
        Column { name: "SITE", side: Side::Left },
        Column { name: "FINGERPRINT", side: Side::Left },
    ];
    output::table(
        &columns,
        changed.iter().map(|row| {
            vec![
                row.change.word().to_owned(),
                row.count_before.to_string(),
                row.count.to_string(),
                bytes(row.bytes),
                row.verdict.to_uppercase(),
                row.resource.clone(),
                row.site.clone(),
                row.fingerprint.clone(),
            ]
        }),
    )
}
