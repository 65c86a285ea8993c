//! JSON: an array, one object to a line, so that lines can be counted and compared.

use std::io::{self, Write};

use serde::Serialize;

/// Writes an array.
///
/// # Errors
/// Those of writing.
pub(crate) fn json<T: Serialize>(out: &mut impl Write, rows: &[T]) -> io::Result<()> {
    out.write_all(b"[")?;
    for (index, row) in rows.iter().enumerate() {
        out.write_all(if index == 0 { b"\n" } else { b",\n" })?;
        serde_json::to_writer(&mut *out, row)?;
    }
    out.write_all(if rows.is_empty() { b"]\n" } else { b"\n]\n" })
}
