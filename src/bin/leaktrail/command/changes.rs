//! What has changed between two lists of causes.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};

use serde::Serialize;

use crate::causes::Row;

/// What became of a cause. The order is that of lists: what fails comes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Change {
    New,
    Worse,
    Moved,
    Better,
    Gone,
}

impl Change {
    pub(super) const ALL: [Change; 5] = [Change::New, Change::Worse, Change::Moved, Change::Better, Change::Gone];

    pub(super) fn word(self) -> &'static str {
        match self {
            Change::New => "new",
            Change::Worse => "worse",
            Change::Moved => "moved",
            Change::Better => "better",
            Change::Gone => "gone",
        }
    }

    /// Whether it is a reason for exit status 1.
    pub(super) fn fails(self) -> bool {
        matches!(self, Change::New | Change::Worse)
    }
}

/// One cause that is not as it was. The names of the fields are a contract: `docs/READER.md`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Changed {
    pub(super) change: Change,
    pub(super) fingerprint: String,
    pub(super) verdict: Cow<'static, str>,
    pub(super) resource: String,
    pub(super) site: String,
    pub(super) count_before: u64,
    pub(super) count: u64,
    pub(super) bytes: Option<u64>,
    pub(super) source: Cow<'static, str>,
}

/// Causes that a moved line cannot tell apart: the same resource and verdict in the same file.
type Place<'a> = (&'a str, &'a str, &'a str, &'a str);

fn place(row: &Row) -> Place<'_> {
    (&row.source, &row.verdict, &row.resource, row.file())
}

fn key(row: &Row) -> (&str, &str) {
    (&row.verdict, &row.fingerprint)
}

/// What is counted together in one file.
#[derive(Default)]
struct InFile {
    before: u64,
    now: u64,
    has_lost_an_id: bool,
    has_a_new_id: bool,
}

impl InFile {
    /// Some id is gone and another has come: lines have moved, and one cannot be compared with the other any more, even
    /// where by chance a line has the id that another one had before. What can be compared is the file.
    fn has_moved(&self) -> bool {
        self.has_lost_an_id && self.has_a_new_id
    }
}

/// All changes, what fails first. What is as it was is not among them.
pub(super) fn changes(before: &[Row], now: &[Row]) -> Vec<Changed> {
    let before_by_id: HashMap<_, &Row> = before.iter().map(|row| (key(row), row)).collect();
    let now_by_id: HashMap<_, &Row> = now.iter().map(|row| (key(row), row)).collect();
    let mut files: BTreeMap<Place<'_>, InFile> = BTreeMap::new();
    for row in before {
        let file = files.entry(place(row)).or_default();
        file.before = file.before.saturating_add(row.count);
        file.has_lost_an_id |= !now_by_id.contains_key(&key(row));
    }
    for row in now {
        let file = files.entry(place(row)).or_default();
        file.now = file.now.saturating_add(row.count);
        file.has_a_new_id |= !before_by_id.contains_key(&key(row));
    }
    let mut changed = Vec::new();
    for row in now {
        let known = before_by_id.get(&key(row));
        let count_before = known.map_or(0, |known| known.count);
        let change = match (moved(&files, row), known) {
            // Of a file that has more of it than before, every line that has more is suspect.
            (Some(file), _) if file.now > file.before && row.count > count_before => Change::Worse,
            (Some(_), None) => Change::Moved,
            (Some(_), Some(_)) if row.count != count_before => Change::Moved,
            (None, None) => Change::New,
            (None, Some(_)) if row.count > count_before => Change::Worse,
            (None, Some(_)) if row.count < count_before => Change::Better,
            _ => continue,
        };
        changed.push(entry(change, row, count_before, row.count));
    }
    for row in before.iter().filter(|row| !now_by_id.contains_key(&key(row))) {
        // Where lines have moved, its place was taken by one of those above.
        if moved(&files, row).is_none() {
            changed.push(entry(Change::Gone, row, row.count, 0));
        }
    }
    changed.sort_by(|one, other| {
        (one.change, other.bytes, other.count, &one.site).cmp(&(other.change, one.bytes, one.count, &other.site))
    });
    changed
}

/// The file of a row, if lines have moved in it.
fn moved<'a>(files: &'a BTreeMap<Place<'a>, InFile>, row: &'a Row) -> Option<&'a InFile> {
    files.get(&place(row)).filter(|file| file.has_moved())
}

fn entry(change: Change, row: &Row, count_before: u64, count: u64) -> Changed {
    Changed {
        change,
        fingerprint: row.fingerprint.clone(),
        verdict: row.verdict.clone(),
        resource: row.resource.clone(),
        site: row.site.clone(),
        count_before,
        count,
        bytes: row.bytes,
        source: row.source.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(site: &str, count: u64) -> Row {
        Row {
            fingerprint: format!("id of {site}"),
            verdict: "leak".into(),
            resource: "ByteBuf".into(),
            site: site.into(),
            count,
            bytes: Some(count),
            source: "leaktrail".into(),
            first_seen: None,
            last_seen: None,
        }
    }

    fn words(before: &[Row], now: &[Row]) -> Vec<(&'static str, String)> {
        changes(before, now).into_iter().map(|row| (row.change.word(), row.site)).collect()
    }

    fn found(list: &[(&'static str, &str)]) -> Vec<(&'static str, String)> {
        list.iter().map(|(word, site)| (*word, (*site).to_owned())).collect()
    }

    #[test]
    fn each_change_has_its_word() {
        let before = [row("a.rs:1:1", 5), row("b.rs:1:1", 5), row("c.rs:1:1", 5), row("d.rs:1:1", 5)];
        let now = [row("a.rs:1:1", 5), row("b.rs:1:1", 6), row("c.rs:1:1", 4), row("e.rs:1:1", 1)];
        let expected = [("new", "e.rs:1:1"), ("worse", "b.rs:1:1"), ("better", "c.rs:1:1"), ("gone", "d.rs:1:1")];
        assert_eq!(words(&before, &now), found(&expected));
        assert_eq!(words(&before, &before), []);
        assert_eq!(Change::ALL.map(Change::fails), [true, true, false, false, false]);
    }

    #[test]
    fn a_line_that_moves_fails_only_with_a_higher_count_in_its_file() {
        let before = [row("a.rs:10:1", 5)];
        assert_eq!(words(&before, &[row("a.rs:12:1", 5)]), found(&[("moved", "a.rs:12:1")]));
        assert_eq!(words(&before, &[row("a.rs:12:1", 2)]), found(&[("moved", "a.rs:12:1")]));
        assert_eq!(words(&before, &[row("a.rs:12:1", 6)]), found(&[("worse", "a.rs:12:1")]));
        // Another file, another resource: nothing has moved.
        assert_eq!(words(&before, &[row("b.rs:12:1", 5)]), found(&[("new", "b.rs:12:1"), ("gone", "a.rs:10:1")]));
        let other = Row { resource: "Permit".into(), ..row("a.rs:12:1", 5) };
        assert_eq!(words(&before, &[other]), found(&[("new", "a.rs:12:1"), ("gone", "a.rs:10:1")]));
    }

    #[test]
    fn lines_that_move_onto_each_others_places_are_compared_by_file() {
        let before = [row("a.rs:10:1", 1), row("a.rs:20:1", 2), row("a.rs:30:1", 3)];
        let shifted = [row("a.rs:20:1", 3), row("a.rs:30:1", 2), row("a.rs:40:1", 1)];
        assert!(changes(&before, &shifted).iter().all(|row| row.change == Change::Moved));
        let worse = [row("a.rs:20:1", 3), row("a.rs:30:1", 3), row("a.rs:40:1", 1)];
        assert!(changes(&before, &worse).iter().any(|row| row.change == Change::Worse));
    }

    #[test]
    fn a_new_line_beside_one_that_stays_is_new() {
        let before = [row("a.rs:10:1", 5)];
        assert_eq!(words(&before, &[row("a.rs:10:1", 5), row("a.rs:30:1", 1)]), found(&[("new", "a.rs:30:1")]));
    }
}
