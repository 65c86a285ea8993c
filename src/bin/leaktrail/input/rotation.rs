//! Which files are one log, and in which order they were written.

use std::cmp::Reverse;
use std::path::{Path, PathBuf};

/// One file and the log that it is a part of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Ordered {
    pub(super) path: PathBuf,
    pub(super) family: String,
}

/// What a file's name says of its age. In this order they were written.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Age {
    /// The day stands in it: `app.log-20261119`, `app.2026-11-19.log`.
    OfDay(String),
    /// `app.log.2` is older than `app.log.1`.
    Number(Reverse<u64>),
    /// It has neither: the one that is being written.
    Newest,
}

/// The files, those of one log together and the oldest of it first. Nothing else is moved.
pub(super) fn in_order(files: &[PathBuf]) -> Vec<Ordered> {
    let stdin = [PathBuf::from("-")];
    let files = if files.is_empty() { &stdin } else { files };
    let mut families: Vec<String> = Vec::new();
    let mut ordered: Vec<(usize, Age, Ordered)> = Vec::new();
    for path in files {
        let (family, age) = family(path);
        let index = families.iter().position(|known| *known == family).unwrap_or_else(|| {
            families.push(family.clone());
            families.len() - 1
        });
        ordered.push((index, age, Ordered { path: path.clone(), family }));
    }
    ordered.sort_by(|one, other| (one.0, &one.1).cmp(&(other.0, &other.1)));
    ordered.into_iter().map(|(_, _, file)| file).collect()
}

/// The name that a log had before it was rotated, and the age that its present name tells.
fn family(path: &Path) -> (String, Age) {
    let whole = path.to_string_lossy();
    let folder_length = whole.rfind(['/', '\\']).map_or(0, |slash| slash + 1);
    let (folder, name) = whole.split_at(folder_length);
    let name = name.strip_suffix(".gz").unwrap_or(name);
    if let Some((before, after, day)) = day_in(name) {
        // A number after the day counts the files of that day, upwards.
        let (number, rest) = leading_number(after);
        let age = Age::OfDay(format!("{day} {:>20}", number));
        return (format!("{folder}{before}{rest}"), age);
    }
    if let Some((before, number)) = name.rsplit_once('.')
        && let Ok(number) = number.parse()
        && !before.is_empty()
    {
        return (format!("{folder}{before}"), Age::Number(Reverse(number)));
    }
    (format!("{folder}{name}"), Age::Newest)
}

/// The day in a name (`-20261119`, `.2026-11-19`), with what stands before its mark and after it.
fn day_in(name: &str) -> Option<(&str, &str, String)> {
    name.match_indices(['-', '.', '_']).find_map(|(mark, _)| {
        let rest = name.get(mark + 1..)?;
        [(10, true), (8, false)].into_iter().find_map(|(length, has_dashes)| {
            let day = rest.get(..length)?;
            let is_day = day.bytes().enumerate().all(|(index, byte)| match (has_dashes, index) {
                (true, 4 | 7) => byte == b'-',
                _ => byte.is_ascii_digit(),
            });
            let after = &rest[length..];
            let ends = !after.starts_with(|c: char| c.is_ascii_digit());
            (is_day && day.starts_with("20") && ends).then(|| (&name[..mark], after, day.replace('-', "")))
        })
    })
}

/// `.3.log` is 3 and `.log`.
fn leading_number(after: &str) -> (&str, &str) {
    let Some(rest) = after.strip_prefix(['.', '-', '_']) else { return ("", after) };
    let length = rest.bytes().take_while(u8::is_ascii_digit).count();
    let (number, after_it) = rest.split_at(length);
    let is_number = length > 0 && (after_it.is_empty() || after_it.starts_with(['.', '-', '_']));
    if is_number { (number, after_it) } else { ("", after) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn order(files: &[&str]) -> Vec<String> {
        let files: Vec<PathBuf> = files.iter().map(PathBuf::from).collect();
        in_order(&files).into_iter().map(|file| file.path.to_string_lossy().into_owned()).collect()
    }

    #[test]
    fn rotated_files_are_one_log_oldest_first() {
        assert_eq!(
            order(&["app.log", "app.log.1", "app.log.10.gz", "app.log.2.gz"]),
            ["app.log.10.gz", "app.log.2.gz", "app.log.1", "app.log"]
        );
        assert_eq!(
            order(&["app.log", "app.log-20261119.gz", "app.log-20261118.gz"]),
            ["app.log-20261118.gz", "app.log-20261119.gz", "app.log"]
        );
        let daily = ["app.log", "app.2026-11-19.1.log", "app.2026-11-19.0.log", "app.2026-11-18.0.log"];
        assert_eq!(order(&daily), ["app.2026-11-18.0.log", "app.2026-11-19.0.log", "app.2026-11-19.1.log", "app.log"]);
        for name in [
            "app.log",
            "app.log.1",
            "app.log.2.gz",
            "app.log-20261119",
            "app.2026-11-19.log",
            "app.2026-11-19.3.log.gz",
        ] {
            assert_eq!(family(Path::new(name)).0, "app.log", "{name}");
        }
    }

    #[test]
    fn other_files_are_other_logs_and_stay_where_they_are() {
        assert_eq!(order(&["b.log", "a.log", "b.log.1"]), ["b.log.1", "b.log", "a.log"]);
        assert_eq!(order(&[]), ["-"]);
        let names = ["pod-1.log", "pod-2.log", "one/app.log", "two/app.log", ".1", "app.v2", "v1.2.3.log", "2026.log"];
        let families: std::collections::BTreeSet<String> = names.iter().map(|name| family(Path::new(name)).0).collect();
        assert_eq!(families.len(), names.len(), "{families:?}");
    }
}
