//! Which file names which: `use` lines and paths, followed through re-exports to the file that has the item.

use std::collections::{BTreeMap, BTreeSet};

use super::source::Source;

/// One file names another.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Import {
    pub(super) from: String,
    pub(super) to: String,
    pub(super) line: usize,
    /// The path as it was resolved, from the crate's root.
    pub(super) path: String,
}

/// How much of each file is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Read {
    Everything,
    WithoutTests,
}

/// Every import from one file of the library to another.
pub(super) fn imports(files: &[Source], read: Read) -> Vec<Import> {
    let mut library = Library { files: BTreeMap::new(), names: BTreeMap::new() };
    for file in files {
        library.files.insert(module_of(&file.path), file.path.clone());
    }
    let scans: Vec<(&Source, Scan)> = files
        .iter()
        .map(|file| (file, Scan::of(file, if read == Read::Everything { &file.code } else { &file.production })))
        .collect();
    for (file, scan) in &scans {
        let names = scan.uses.iter().map(|found| (found.name.clone(), library.absolute(found))).collect();
        library.names.insert(module_of(&file.path), names);
    }
    let mut imports = BTreeSet::new();
    for (file, scan) in &scans {
        let aliases = &library.names[&module_of(&file.path)];
        let through_alias = scan.paths.iter().filter_map(|found| {
            let module = aliases.iter().find(|(name, _)| *name == found.path[0]).and_then(|(_, path)| path.as_ref())?;
            Some((module.iter().chain(&found.path[1..]).cloned().collect(), found.line))
        });
        let direct = scan.uses.iter().chain(&scan.paths);
        let direct = direct.filter_map(|found| library.absolute(found).map(|path| (path, found.line)));
        for (path, line) in direct.chain(through_alias) {
            let to = library.file_of(&path, 8);
            if to != file.path {
                imports.insert(Import { from: file.path.clone(), to, line, path: path.join("::") });
            }
        }
    }
    imports.into_iter().collect()
}

/// `src/a/b.rs` and `src/a/b/mod.rs` are the module a::b; so is a command's `src/a/b/main.rs`.
fn module_of(path: &str) -> Vec<String> {
    let inside = path.trim_start_matches("src/").trim_end_matches(".rs");
    let inside = inside.strip_suffix("/mod").or_else(|| inside.strip_suffix("/main")).unwrap_or(inside);
    if inside == "lib" { Vec::new() } else { inside.split('/').map(str::to_owned).collect() }
}

/// A path from the crate's root, `report::text` as its two names.
type Module = Vec<String>;

struct Library {
    files: BTreeMap<Module, String>,
    /// What each file's `use` lines bring in: the name, and what it stands for unless that is another crate's.
    names: BTreeMap<Module, Vec<(String, Option<Module>)>>,
}

impl Library {
    /// The path from the crate's root; nothing for a path into another crate.
    fn absolute(&self, found: &Found) -> Option<Vec<String>> {
        let mut path = match found.path.first()?.as_str() {
            "crate" => Vec::new(),
            "self" | "super" => found.module.clone(),
            child => {
                let mut path = found.module.clone();
                path.push(child.to_owned());
                return self.files.contains_key(&path).then(|| [path, found.path[1..].to_vec()].concat());
            }
        };
        for name in &found.path {
            match name.as_str() {
                "crate" | "self" => {}
                "super" => {
                    path.pop();
                }
                name => path.push(name.to_owned()),
            }
        }
        Some(path)
    }

    /// The file that has what the path names; re-exports are followed.
    fn file_of(&self, path: &[String], patience: u32) -> String {
        let known = (0..=path.len()).rev().find(|length| self.files.contains_key(&path[..*length])).unwrap_or(0);
        let (module, item) = path.split_at(known);
        let exported = item.first().and_then(|item| {
            self.names.get(module)?.iter().find(|(name, _)| name == item).and_then(|(_, path)| path.clone())
        });
        match exported {
            Some(exported) if patience > 0 => self.file_of(&[&exported, &item[1..]].concat(), patience - 1),
            _ => self.files.get(module).cloned().unwrap_or_else(|| "src/lib.rs".to_owned()),
        }
    }
}

/// A path as a file writes it.
#[derive(Debug)]
struct Found {
    path: Vec<String>,
    /// What the file calls it from then on.
    name: String,
    /// The module in which it stands.
    module: Vec<String>,
    line: usize,
}

/// What one file writes.
#[derive(Debug, Default)]
struct Scan {
    uses: Vec<Found>,
    paths: Vec<Found>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Token<'a> {
    Word(&'a str),
    PathSeparator,
    Mark(u8),
}

impl Scan {
    fn of(file: &Source, code: &str) -> Scan {
        let tokens = tokens(code);
        let mut scan = Scan::default();
        let mut module = module_of(&file.path);
        let mut inline_modules = Vec::new();
        let (mut depth, mut at) = (0, 0);
        while at < tokens.len() {
            let (place, token) = tokens[at];
            let next = |n: usize| tokens.get(at + n).map(|(_, token)| *token);
            match token {
                Token::Mark(b'{') => depth += 1,
                Token::Mark(b'}') => {
                    depth -= 1;
                    if inline_modules.last() == Some(&depth) {
                        inline_modules.pop();
                        module.pop();
                    }
                }
                Token::Word("mod") => {
                    if let (Some(Token::Word(name)), Some(Token::Mark(b'{'))) = (next(1), next(2)) {
                        module.push(name.to_owned());
                        inline_modules.push(depth);
                    }
                }
                Token::Word("use") => {
                    let end = tokens[at..]
                        .iter()
                        .position(|(_, token)| *token == Token::Mark(b';'))
                        .map_or(tokens.len(), |n| at + n);
                    let line = file.line(place);
                    tree(&tokens[at + 1..end], &mut 0, &[], &mut |path, name| {
                        scan.uses.push(Found { path, name, module: module.clone(), line });
                    });
                    at = end;
                    continue;
                }
                Token::Word(first) if next(1) == Some(Token::PathSeparator) => {
                    let before = at.checked_sub(1).map(|before| tokens[before].1);
                    if before == Some(Token::PathSeparator) || before == Some(Token::Word("in")) {
                        at += 1;
                        continue;
                    }
                    let mut path = vec![first.to_owned()];
                    while let (Some(Token::PathSeparator), Some(Token::Word(name))) =
                        (next(2 * path.len() - 1), next(2 * path.len()))
                    {
                        path.push(name.to_owned());
                    }
                    let (length, line) = (path.len(), file.line(place));
                    scan.paths.push(Found { path, name: String::new(), module: module.clone(), line });
                    at += 2 * length - 1;
                    continue;
                }
                _ => {}
            }
            at += 1;
        }
        scan
    }
}

/// The leaves of a `use` tree, each with the name that it brings in.
fn tree(tokens: &[(usize, Token<'_>)], at: &mut usize, prefix: &[String], leaf: &mut impl FnMut(Vec<String>, String)) {
    let begin = *at;
    let mut path = prefix.to_vec();
    let mut name = None;
    while let Some((_, token)) = tokens.get(*at) {
        *at += 1;
        match token {
            // `{self, …}` is the module itself; `self::x` keeps its first word.
            Token::Word("self") if !prefix.is_empty() => {}
            Token::Word("as") => {
                if let Some((_, Token::Word(alias))) = tokens.get(*at) {
                    name = Some((*alias).to_owned());
                    *at += 1;
                }
            }
            Token::Word(word) => path.push((*word).to_owned()),
            Token::Mark(b'{') => {
                tree(tokens, at, &path, leaf);
                while let Some((_, Token::Mark(b','))) = tokens.get(*at) {
                    *at += 1;
                    tree(tokens, at, &path, leaf);
                }
                *at += 1;
                return;
            }
            Token::Mark(b',' | b'}') => {
                *at -= 1;
                break;
            }
            // A star is the module itself too.
            Token::PathSeparator | Token::Mark(_) => {}
        }
    }
    if *at > begin
        && let Some(last) = path.last().cloned()
    {
        leaf(path, name.unwrap_or(last));
    }
}

fn tokens(code: &str) -> Vec<(usize, Token<'_>)> {
    let bytes = code.as_bytes();
    let mut tokens = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        let begin = at;
        match bytes[at] {
            byte if byte.is_ascii_alphanumeric() || byte == b'_' => {
                while at < bytes.len() && (bytes[at].is_ascii_alphanumeric() || bytes[at] == b'_') {
                    at += 1;
                }
                tokens.push((begin, Token::Word(&code[begin..at])));
            }
            b':' if bytes.get(at + 1) == Some(&b':') => {
                at += 2;
                tokens.push((begin, Token::PathSeparator));
            }
            byte => {
                at += 1;
                if !byte.is_ascii_whitespace() {
                    tokens.push((begin, Token::Mark(byte)));
                }
            }
        }
    }
    tokens
}

#[cfg(test)]
mod tests {
    use super::super::source::sample;
    use super::*;

    fn found(files: &[(&str, &str)], read: Read) -> Vec<String> {
        imports(&sample(files), read).iter().map(|import| format!("{} {}", import.from, import.to)).collect()
    }

    const ROOMS: [(&str, &str); 4] = [
        ("src/lib.rs", "mod low; mod high; pub use low::Thing;"),
        (
            "src/low/mod.rs",
            "mod thing; mod other; pub use self::thing::Thing; pub(crate) use other::{help, Other as Another};",
        ),
        ("src/low/thing.rs", "use std::fmt; pub struct Thing;"),
        (
            "src/low/other.rs",
            "fn f(_: super::Thing) {} #[cfg(test)] mod tests { use super::super::thing; use super::*; }",
        ),
    ];

    fn with(text: &str) -> Vec<String> {
        let mut files = ROOMS.to_vec();
        files.push(("src/high.rs", text));
        found(&files, Read::WithoutTests).into_iter().filter(|line| line.starts_with("src/high.rs")).collect()
    }

    #[test]
    fn every_way_to_name_a_file_is_seen() {
        for text in [
            "use crate::low::Thing;",
            "use crate::Thing;",
            "use crate::low::{help as _help, Thing};",
            "use super::low::{self, Thing as T};",
            "pub(crate) use crate::{low::thing::{Thing, More}};",
            "fn f(_: &crate::low::Thing) {}",
            "use crate::low; fn f(_: low::Thing) {}",
            "mod inner { use super::super::low::thing; }",
        ] {
            let found = with(text);
            assert!(found.contains(&"src/high.rs src/low/thing.rs".to_owned()), "{text}: {found:?}");
        }
        assert_eq!(with("use crate::low::{Another};"), ["src/high.rs src/low/other.rs"]);
    }

    #[test]
    fn what_is_no_import_is_not_one() {
        for text in [
            "// use crate::low::Thing;",
            "const TEXT: &str = \"use crate::low::Thing;\";",
            "pub(in crate::low) fn f() {}",
            "#[cfg(test)] mod tests { use crate::low::Thing; }",
            "use low_level::Thing; fn f() { std::low::thing() }",
        ] {
            assert_eq!(with(text), [""; 0], "{text}");
        }
    }

    #[test]
    fn tests_are_read_when_asked_for() {
        let inner = "src/low/other.rs src/low/thing.rs".to_owned();
        assert!(found(&ROOMS, Read::Everything).contains(&inner));
        assert_eq!(
            found(&ROOMS[..3], Read::WithoutTests).iter().filter(|line| line.starts_with("src/low/thing")).count(),
            0
        );
    }
}
