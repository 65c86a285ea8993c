//! Values separated by commas (RFC 4180).

use std::borrow::Cow;
use std::io::{self, Write};

/// Writes a line of names, and one for each row. What is not known is empty.
///
/// # Errors
/// Those of writing.
pub(crate) fn csv<'a, const N: usize>(
    out: &mut impl Write,
    names: [&str; N],
    mut rows: impl Iterator<Item = [Cow<'a, str>; N]>,
) -> io::Result<()> {
    line(out, &names)?;
    rows.try_for_each(|row| line(out, &row))
}

fn line(out: &mut impl Write, values: &[impl AsRef<str>]) -> io::Result<()> {
    for (index, value) in values.iter().enumerate() {
        let value = value.as_ref();
        if index > 0 {
            out.write_all(b",")?;
        }
        if value.contains([',', '"', '\n', '\r']) {
            write!(out, "\"{}\"", value.replace('"', "\"\""))?;
        } else {
            out.write_all(value.as_bytes())?;
        }
    }
    out.write_all(b"\r\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_needs_quotes_has_them() {
        let mut out = Vec::new();
        let rows = [["1,2", "say \"x\""], ["", "é\n"]].map(|row| row.map(Cow::from));
        csv(&mut out, ["a", "b"], rows.into_iter()).expect("a Vec takes everything");
        assert_eq!(String::from_utf8(out).expect("UTF-8"), "a,b\r\n\"1,2\",\"say \"\"x\"\"\"\r\n,\"é\n\"\r\n");
    }
}
