//! Files as the rules read them: without comments, strings and tests.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

/// One file.
#[derive(Clone, Debug)]
pub(super) struct Source {
    /// Relative to the repository, with `/`.
    pub(super) path: String,
    /// As it stands.
    pub(super) text: String,
    /// The text with comments, strings and characters blanked, byte for byte, so that places in both are the same.
    pub(super) code: String,
    /// The code with what only tests compile blanked too.
    pub(super) production: String,
}

impl Source {
    pub(super) fn new(path: &str, text: &str) -> Source {
        let code = if path.ends_with(".rs") { without_text(text) } else { text.to_owned() };
        let production = without_tests(&code);
        Source { path: path.to_owned(), text: text.to_owned(), code, production }
    }

    /// The number of the line with that byte.
    pub(super) fn line(&self, at: usize) -> usize {
        1 + self.text[..at].matches('\n').count()
    }
}

/// What a check reads in a sample: paths and texts.
pub(super) fn sample(files: &[(&str, &str)]) -> Vec<Source> {
    whole(files.iter().map(|(path, text)| Source::new(path, text)).collect())
}

/// Every Rust file below `src/`: the library's and the command's.
pub(super) fn sources() -> Vec<Source> {
    let files = repository().into_iter().filter(|file| file.path.starts_with("src/") && file.path.ends_with(".rs"));
    let files = whole(files.collect());
    assert!(files.len() > 100, "the sources are here: {} files", files.len());
    files
}

/// The library's.
pub(super) fn library() -> Vec<Source> {
    sources().into_iter().filter(|file| !file.path.starts_with("src/bin/")).collect()
}

/// Every file of the repository that is text; what is built, and git's own, apart.
pub(super) fn repository() -> Vec<Source> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut files = Vec::new();
    let mut folders = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).expect("a folder of the repository can be read") {
            let path = entry.expect("an entry of a folder").path();
            let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default().to_owned();
            if path.is_dir() {
                if !matches!(name.as_str(), "target" | ".git") {
                    folders.push(path);
                }
            } else if let Ok(text) = fs::read_to_string(&path) {
                let relative = path.strip_prefix(root).expect("below the root").to_string_lossy().replace('\\', "/");
                files.push(Source::new(&relative, &text));
            }
        }
    }
    files.sort_by(|one, other| one.path.cmp(&other.path));
    files
}

/// Blanks the files that only tests compile: those declared by `#[cfg(test)] mod name;`, and what lies below them.
fn whole(mut files: Vec<Source>) -> Vec<Source> {
    let mut tests = BTreeSet::new();
    for file in &files {
        let folder = folder_of_children(&file.path);
        for (at, _) in file.code.match_indices("mod ") {
            let name = file.code[at + 4..].split(|c: char| !c.is_alphanumeric() && c != '_').next().unwrap_or_default();
            let is_declaration = file.code[at + 4 + name.len()..].trim_start().starts_with(';');
            if is_declaration && file.production.as_bytes()[at] == b' ' {
                tests.insert(format!("{folder}/{name}.rs"));
                tests.insert(format!("{folder}/{name}/"));
            }
        }
    }
    for file in &mut files {
        if tests.iter().any(|test| file.path == *test || test.ends_with('/') && file.path.starts_with(test)) {
            file.production = blank(&file.code);
        }
    }
    files
}

/// The folder in which a file's child modules are.
pub(super) fn folder_of_children(path: &str) -> String {
    let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
    match name {
        "mod.rs" | "lib.rs" | "main.rs" => folder.to_owned(),
        _ => path.trim_end_matches(".rs").to_owned(),
    }
}

fn blank(text: &str) -> String {
    text.bytes().map(|byte| if byte == b'\n' { '\n' } else { ' ' }).collect()
}

/// Blanks comments, strings and characters.
fn without_text(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut code = text.as_bytes().to_vec();
    let mut at = 0;
    while at < bytes.len() {
        let end = match bytes[at] {
            b'/' if bytes[at..].starts_with(b"//") => text[at..].find('\n').map_or(bytes.len(), |length| at + length),
            b'/' if bytes[at..].starts_with(b"/*") => end_of_block_comment(bytes, at),
            b'"' => end_of_string(bytes, at),
            b'r' if !continues_a_word(bytes, at) => end_of_raw_string(text, at),
            b'\'' => end_of_character(text, at),
            _ => at,
        };
        for byte in &mut code[at..end] {
            if *byte != b'\n' {
                *byte = b' ';
            }
        }
        at = end.max(at + 1);
    }
    String::from_utf8(code).expect("blanked from one boundary to another")
}

fn continues_a_word(bytes: &[u8], at: usize) -> bool {
    // `br"…"` is one too; no name that is used here ends so.
    at > 0 && (bytes[at - 1].is_ascii_alphanumeric() || bytes[at - 1] == b'_') && bytes[at - 1] != b'b'
}

fn end_of_block_comment(bytes: &[u8], mut at: usize) -> usize {
    let mut depth = 0;
    while at < bytes.len() {
        if bytes[at..].starts_with(b"/*") {
            depth += 1;
            at += 2;
        } else if bytes[at..].starts_with(b"*/") {
            depth -= 1;
            at += 2;
            if depth == 0 {
                break;
            }
        } else {
            at += 1;
        }
    }
    at
}

fn end_of_string(bytes: &[u8], mut at: usize) -> usize {
    at += 1;
    while at < bytes.len() && bytes[at] != b'"' {
        at += if bytes[at] == b'\\' { 2 } else { 1 };
    }
    (at + 1).min(bytes.len())
}

/// `at` itself when it is a raw name (`r#type`) or a word that begins with r.
fn end_of_raw_string(text: &str, at: usize) -> usize {
    let rest = &text[at + 1..];
    let hashes = rest.len() - rest.trim_start_matches('#').len();
    if !rest[hashes..].starts_with('"') {
        return at;
    }
    let end = format!("\"{}", "#".repeat(hashes));
    let begin = at + 1 + hashes + 1;
    text[begin..].find(&end).map_or(text.len(), |length| begin + length + end.len())
}

/// `at` itself when it is a lifetime.
fn end_of_character(text: &str, at: usize) -> usize {
    let rest = &text[at + 1..];
    let mut characters = rest.char_indices();
    match characters.next() {
        Some((_, '\\')) => rest[2..].find('\'').map_or(at, |length| at + 1 + 2 + length + 1),
        Some(_) => match characters.next() {
            Some((closing, '\'')) => at + 1 + closing + 1,
            _ => at,
        },
        None => at,
    }
}

/// Blanks each item with an attribute that makes it a test's.
fn without_tests(code: &str) -> String {
    let mut kept = code.as_bytes().to_vec();
    let mut from = 0;
    while let Some(found) = code[from..].find("#[") {
        let at = from + found;
        let end = closing(code, at + 1);
        let attribute = &code[at..end];
        from = end;
        if is_test_attribute(attribute) {
            from = end_of_item(code, end);
            for byte in &mut kept[at..from] {
                if *byte != b'\n' {
                    *byte = b' ';
                }
            }
        }
    }
    String::from_utf8(kept).expect("blanked from one boundary to another")
}

fn is_test_attribute(attribute: &str) -> bool {
    let plain: String = attribute.chars().filter(|c| !c.is_whitespace()).collect();
    let is_word = |text: &str| text.split(|c: char| !c.is_alphanumeric() && c != '_').any(|word| word == "test");
    plain == "#[test]" || plain.starts_with("#[cfg(") && is_word(&plain) && !plain.contains("not(test)")
}

/// The end of the item at `at`: its `;`, or the brace that closes it. Further attributes belong to it.
fn end_of_item(code: &str, mut at: usize) -> usize {
    while at < code.len() {
        match code.as_bytes()[at] {
            b';' | b',' => return at + 1,
            b'{' => return closing(code, at),
            b'(' | b'[' => at = closing(code, at),
            _ => at += 1,
        }
    }
    at
}

/// The place after the bracket that closes the one at `at`.
pub(super) fn closing(code: &str, at: usize) -> usize {
    let mut depth = 0;
    for (place, byte) in code.bytes().enumerate().skip(at) {
        match byte {
            b'(' | b'[' | b'{' => depth += 1,
            b')' | b']' | b'}' => {
                depth -= 1;
                if depth == 0 {
                    return place + 1;
                }
            }
            _ => {}
        }
    }
    code.len()
}

/// The places where one of the words stands as a whole word. A word may end with a mark (`dbg!`) or contain one (`a::b`).
pub(super) fn places_of(code: &str, words: &[&str]) -> Vec<usize> {
    let is_part = |c: char| c.is_alphanumeric() || c == '_';
    let mut places = Vec::new();
    for word in words {
        for (at, _) in code.match_indices(word) {
            let before = code[..at].chars().next_back().is_some_and(is_part);
            let after = word.ends_with(is_part) && code[at + word.len()..].starts_with(is_part);
            if !before && !after {
                places.push(at);
            }
        }
    }
    places.sort_unstable();
    places
}

#[test]
fn what_is_no_code_is_blanked_and_places_stay() {
    let text = "let a = \"unsafe \\\" {\"; // unsafe\nlet b = r#\"un\"safe\"#; /* un /* s */ afe */ let c = '\\''; let d: &'x u8 = 'u';\n";
    let code = without_text(text);
    assert_eq!(code.len(), text.len());
    assert!(!code.contains("safe") && !code.contains('"'), "{code}");
    assert!(code.contains("let c =") && code.contains("let d: &'x u8 ="), "{code}");
    assert_eq!(places_of("my_dbg!(x); dbg!(y); std::env::vars", &["dbg!", "env::var"]), [12]);
}

#[test]
fn what_only_tests_compile_is_blanked() {
    let files = sample(&[
        (
            "src/room/mod.rs",
            "#[cfg(test)]\nmod golden;\nmod kept;\n#[cfg(all(test, not(loom)))]\nmod tests {\n fn a() { unsafe_thing() }\n}\nfn after() {}\n#[cfg(not(test))]\nfn real() {}\n",
        ),
        ("src/room/golden/mod.rs", "mod deep;"),
        ("src/room/golden/deep.rs", "fn only_in_tests() {}"),
        ("src/room/kept.rs", "fn kept() {} #[test] #[ignore] fn gone() {}"),
    ]);
    let production: String = files.iter().map(|file| file.production.as_str()).collect();
    for gone in ["golden", "unsafe_thing", "only_in_tests", "gone"] {
        assert!(!production.contains(gone), "{gone} in {production}");
    }
    for kept in ["mod kept", "fn after", "fn real", "fn kept"] {
        assert!(production.contains(kept), "{kept} not in {production}");
    }
}
