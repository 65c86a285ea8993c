//! Rows of causes, in each format.

use std::borrow::Cow;
use std::io::Write;

use bytesize::ByteSize;

use crate::args::Format;
use crate::causes::Row;
use crate::failure::Failure;
use crate::log::Moment;
use crate::output::{self, Column, Side};

/// A table of more is read by nobody.
pub(super) const MOST_IN_A_TABLE: usize = 1_000;

const NAMES: [&str; 9] =
    ["fingerprint", "verdict", "resource", "site", "count", "bytes", "source", "first_seen", "last_seen"];

/// Writes the first so many rows.
pub(super) fn write(out: &mut impl Write, rows: &[Row], format: Format, most: Option<usize>) -> Result<(), Failure> {
    let shown = match (most, format) {
        (Some(most), _) => most,
        (None, Format::Table) => MOST_IN_A_TABLE,
        (None, Format::Json | Format::Csv) => usize::MAX,
    };
    let (shown, rest) = rows.split_at(shown.min(rows.len()));
    match format {
        Format::Json => output::json(out, shown)?,
        Format::Csv => write_csv(out, shown)?,
        Format::Table => {
            if shown.is_empty() {
                out.write_all(b"no reports\n")?;
            }
            // In pages, so that a table of all rows takes no more memory than one of a few.
            for page in shown.chunks(MOST_IN_A_TABLE) {
                out.write_all(table(page).as_bytes())?;
            }
            if !rest.is_empty() {
                writeln!(out, "and {} more; --rows {} shows all", rest.len(), rows.len())?;
            }
        }
    }
    Ok(out.flush()?)
}

fn table(rows: &[Row]) -> String {
    let columns = [
        Column { name: "COUNT", side: Side::Right },
        Column { name: "BYTES", side: Side::Right },
        Column { name: "VERDICT", side: Side::Left },
        Column { name: "RESOURCE", side: Side::Left },
        Column { name: "SITE", side: Side::Left },
        Column { name: "FIRST SEEN", side: Side::Left },
        Column { name: "LAST SEEN", side: Side::Left },
        Column { name: "FINGERPRINT", side: Side::Left },
    ];
    output::table(
        &columns,
        rows.iter().map(|row| {
            vec![
                row.count.to_string(),
                bytes(row.bytes),
                row.verdict.to_uppercase(),
                row.resource.clone(),
                row.site.clone(),
                second(row.first_seen),
                second(row.last_seen),
                row.fingerprint.clone(),
            ]
        }),
    )
}

/// `3.9 MiB`, or `-` where nobody says it.
pub(super) fn bytes(bytes: Option<u64>) -> String {
    bytes.map_or_else(|| "-".to_owned(), |bytes| ByteSize::b(bytes).to_string())
}

/// A moment to the second, or `-` where nobody says it.
pub(super) fn second(moment: Option<Moment>) -> String {
    moment.map_or_else(|| "-".to_owned(), |moment| moment.to_seconds().to_string())
}

fn write_csv(out: &mut impl Write, rows: &[Row]) -> Result<(), Failure> {
    let moment = |moment: Option<Moment>| moment.map_or_else(String::new, |moment| moment.to_string());
    let values = rows.iter().map(|row| -> [Cow<'_, str>; 9] {
        [
            row.fingerprint.as_str().into(),
            row.verdict.as_ref().into(),
            row.resource.as_str().into(),
            row.site.as_str().into(),
            row.count.to_string().into(),
            row.bytes.map_or_else(String::new, |bytes| bytes.to_string()).into(),
            row.source.as_ref().into(),
            moment(row.first_seen).into(),
            moment(row.last_seen).into(),
        ]
    });
    Ok(output::csv(out, NAMES, values)?)
}
