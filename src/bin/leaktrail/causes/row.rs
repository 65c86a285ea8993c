//! What is shown of a cause.

use std::borrow::Cow;
use std::cmp::Ordering;

use serde::{Deserialize, Serialize};

use crate::log::Moment;

/// One cause as lists, JSON, CSV and baselines have it. The names of the fields are a contract: `docs/READER.md`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(crate) struct Row {
    pub(crate) fingerprint: String,
    pub(crate) verdict: Cow<'static, str>,
    pub(crate) resource: String,
    pub(crate) site: String,
    pub(crate) count: u64,
    /// Nothing where nobody says it.
    pub(crate) bytes: Option<u64>,
    pub(crate) source: Cow<'static, str>,
    pub(crate) first_seen: Option<Moment>,
    pub(crate) last_seen: Option<Moment>,
}

impl Row {
    /// The order of lists: most bytes first, then most often, then by place.
    pub(crate) fn by_weight(one: &Row, other: &Row) -> Ordering {
        let key = |row: &Row| (row.bytes, row.count);
        key(other).cmp(&key(one)).then_with(|| (&one.site, &one.fingerprint).cmp(&(&other.site, &other.fingerprint)))
    }

    /// The source file that the site is in. A line that moves stays in it.
    pub(crate) fn file(&self) -> &str {
        if let Some((method, place)) = self.site.split_once('(')
            && self.source == "netty"
        {
            // `package.Class.method(File.java:26)`: the class is in one file, whatever its methods are called.
            let is_place = place.contains(".java") || place.contains(':');
            return if is_place { method.rsplit_once('.').map_or(method, |(class, _)| class) } else { &self.site };
        }
        let mut parts = self.site.rsplitn(3, ':');
        match (parts.next(), parts.next(), parts.next()) {
            (Some(_column), Some(_line), Some(file)) => file,
            _ => &self.site,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(source: &'static str, site: &str, count: u64, bytes: Option<u64>) -> Row {
        Row {
            fingerprint: String::new(),
            verdict: "leak".into(),
            resource: "ByteBuf".into(),
            site: site.into(),
            count,
            bytes,
            source: source.into(),
            first_seen: None,
            last_seen: None,
        }
    }

    #[test]
    fn the_heaviest_comes_first_and_what_has_no_size_last() {
        let mut rows =
            [row("", "c", 9, None), row("", "b", 1, Some(5)), row("", "a", 2, Some(5)), row("", "d", 0, Some(9))];
        rows.sort_by(Row::by_weight);
        assert_eq!(rows.map(|row| row.site), ["d", "a", "b", "c"]);
    }

    #[test]
    fn a_file_has_no_line() {
        for (source, site, file) in [
            ("leaktrail", "src/filters.rs:41:22", "src/filters.rs"),
            ("leaktrail", "C:/a.rs:1:2", "C:/a.rs"),
            ("leaktrail", "(other sites)", "(other sites)"),
            ("netty", "com.example.BodyCache.keep(BodyCache.java:9)", "com.example.BodyCache"),
            ("netty", "(no stack)", "(no stack)"),
        ] {
            assert_eq!(row(source, site, 0, None).file(), file);
        }
    }
}
