//! `leaktrail baseline`: the causes of today, to be compared with those of another day.

use std::fmt::Display;
use std::fs::File;
use std::io::{self, BufReader, BufWriter, Read as _, Write};
use std::path::Path;
use std::process::ExitCode;

use serde::{Deserialize, Serialize};

use super::read;
use crate::args::BaselineArgs;
use crate::causes::Row;
use crate::failure::Failure;
use crate::input;
use crate::output;

/// What a baseline begins with, so that it is not taken for a log.
const SCHEMA: &str = "leaktrail-baseline-1";

/// How a baseline of whatever version begins.
const BEGIN: &str = "{\"schema\":\"leaktrail-baseline";

/// A baseline of 50,000 causes has 15 MB. More is none of ours.
const MOST_BYTES: u64 = 64 << 20;

#[derive(Debug, Serialize, Deserialize)]
struct Baseline {
    schema: String,
    causes: Vec<Row>,
}

pub(crate) fn run(args: &BaselineArgs) -> Result<ExitCode, Failure> {
    let (causes, code) = read(&args.logs)?;
    if code != ExitCode::SUCCESS {
        // A baseline of half the logs would call the other half new.
        return Ok(code);
    }
    let mut rows = causes.rows();
    // In an order that counts do not change, so that two versions of the file can be compared.
    rows.sort_by(|one, other| (&one.site, &one.fingerprint).cmp(&(&other.site, &other.fingerprint)));
    drop(causes);
    match &args.output {
        Some(path) => {
            let file = File::create(path).map(BufWriter::new);
            let written = file.and_then(|mut file| write(&mut file, &rows));
            written.map_err(|error| Failure::of(&path.to_string_lossy(), error))?;
        }
        None => write(&mut BufWriter::new(output::stdout()), &rows)?,
    }
    Ok(code)
}

fn write(out: &mut impl Write, rows: &[Row]) -> io::Result<()> {
    write!(out, "{{\"schema\":\"{SCHEMA}\",\"causes\":")?;
    output::json(out, rows)?;
    out.write_all(b"}\n")?;
    out.flush()
}

/// The rows of a file that is a baseline. `None` for one that is none, so that it may be a log.
///
/// # Errors
/// It cannot be read, it says that it is a baseline and is none that this version knows, or it is a pipe of something else:
/// what was read of that is gone.
pub(super) fn rows(path: &Path) -> Result<Option<Vec<Row>>, Failure> {
    let failed = |error: &dyn Display| Failure::of(&path.to_string_lossy(), error);
    let mut input = BufReader::new(input::open(path).map_err(|error| failed(&error))?);
    let mut head = Vec::new();
    input.by_ref().take(64).read_to_end(&mut head).map_err(|error| failed(&error))?;
    if !head.trim_ascii_start().starts_with(BEGIN.as_bytes()) {
        let is_file = path.metadata().is_ok_and(|metadata| metadata.is_file());
        return if is_file { Ok(None) } else { Err(failed(&"is no baseline, and a log has to be a file or `-`")) };
    }
    let baseline: Baseline =
        serde_json::from_reader(head.as_slice().chain(input).take(MOST_BYTES)).map_err(|error| failed(&error))?;
    if baseline.schema != SCHEMA {
        return Err(failed(&format!("is a {}, and this version reads {SCHEMA}", baseline.schema)));
    }
    Ok(Some(baseline.causes))
}
