//! `leaktrail symbolize`: names where a stripped program left `module+0xoffset`.

use std::io::{self, BufRead as _, BufReader, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use super::debug_file::{DebugFile, Named};
use crate::args::SymbolizeArgs;
use crate::failure::Failure;
use crate::input;
use crate::output;

/// A line is read as far as this; the rest is a line of its own.
const LONGEST_LINE: u64 = 1 << 20;

pub(crate) fn run(args: &SymbolizeArgs) -> Result<ExitCode, Failure> {
    let debug_files = args.debug_files.iter().map(|file| DebugFile::open(file)).collect::<Result<Vec<_>, _>>()?;
    let stdin = [PathBuf::from("-")];
    let files = if args.files.is_empty() { &stdin[..] } else { &args.files };
    let mut out = output::stdout();
    let is_seen = io::IsTerminal::is_terminal(&io::stdout());
    for file in files {
        let failed = |error| Failure::of(&file.to_string_lossy(), error);
        let mut input = BufReader::new(input::open(file).map_err(failed)?);
        let mut line = Vec::new();
        loop {
            line.clear();
            if io::Read::take(&mut input, LONGEST_LINE).read_until(b'\n', &mut line).map_err(failed)? == 0 {
                break;
            }
            let has_end = line.pop_if(|byte| *byte == b'\n').is_some();
            let text = String::from_utf8_lossy(&line);
            let text = named(&text, &debug_files);
            if is_seen {
                // Tabs and newlines are the layout; the rest is shown and not obeyed.
                let pieces: Vec<String> = text.split('\n').map(shown).collect();
                out.write_all(pieces.join("\n").as_bytes())?;
            } else {
                out.write_all(text.as_bytes())?;
            }
            if has_end {
                out.write_all(b"\n")?;
            }
        }
    }
    out.flush()?;
    Ok(ExitCode::SUCCESS)
}

fn shown(line: &str) -> String {
    line.split('\t').map(|piece| output::Shown(piece).to_string()).collect::<Vec<_>>().join("\t")
}

/// The line with names for what is known. A frame that has a line to itself gets one for each function inlined there.
fn named(line: &str, debug_files: &[DebugFile]) -> String {
    let mut out = String::new();
    let mut rest = line;
    while let Some((before, token, after)) = next_address(rest) {
        let names = look_up(token, debug_files);
        let indent = line[..line.len() - rest.len() + before.len()].trim_start_matches(|c: char| !c.is_whitespace());
        let has_line_to_itself = after.trim().is_empty() && before.ends_with('\t');
        out.push_str(before);
        match names.as_slice() {
            [] => out.push_str(token),
            frames if has_line_to_itself => {
                let lines: Vec<String> = frames.iter().map(frame).collect();
                out.push_str(&lines.join(&format!("\n{indent}")));
            }
            [innermost, ..] => out.push_str(&place(innermost)),
        }
        rest = after;
    }
    out.push_str(rest);
    out
}

fn frame(named: &Named) -> String {
    match (&named.function, &named.place) {
        (Some(function), Some(place)) => format!("{function} ({place})"),
        (Some(function), None) => function.clone(),
        (None, _) => place(named),
    }
}

fn place(named: &Named) -> String {
    named.place.as_ref().or(named.function.as_ref()).cloned().unwrap_or_default()
}

fn look_up(token: &str, debug_files: &[DebugFile]) -> Vec<Named> {
    let Some((module, offset)) = token.rsplit_once("+0x") else { return Vec::new() };
    let Ok(offset) = u64::from_str_radix(offset, 16) else { return Vec::new() };
    debug_files.iter().find(|file| file.is_of(module)).map_or_else(Vec::new, |file| file.names(offset))
}

/// The first `module+0xoffset`, with what stands before it and after.
fn next_address(text: &str) -> Option<(&str, &str, &str)> {
    text.match_indices("+0x").find_map(|(plus, mark)| {
        let is_end = |c: char| c.is_whitespace() || matches!(c, '(' | ')' | ',' | '"');
        let begin =
            text[..plus].rfind(is_end).map_or(0, |end| end + text[end..].chars().next().map_or(1, char::len_utf8));
        let digits = text[plus + mark.len()..].bytes().take_while(u8::is_ascii_hexdigit).count();
        let end = plus + mark.len() + digits;
        (begin < plus && digits > 0).then(|| (&text[..begin], &text[begin..end], &text[end..]))
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn without_names_every_text_stays_as_it_is(text in "(\\+0x|[0-9a-f]|gateway|[ \t(),\"]|\\PC)*") {
            prop_assert_eq!(named(&text, &[]), text);
        }
    }

    #[test]
    fn an_address_is_found_wherever_it_stands() {
        assert_eq!(next_address("\tgateway+0x1f40"), Some(("\t", "gateway+0x1f40", "")));
        assert_eq!(next_address("dropped a-b.so+0xff, 1 of"), Some(("dropped ", "a-b.so+0xff", ", 1 of")));
        for none in ["", "+0x1f", "gateway+0x", "gateway+0xg", "gateway+1f"] {
            assert_eq!(next_address(none), None, "{none}");
        }
    }

    #[test]
    fn this_program_names_itself() {
        let path = std::env::current_exe().expect("a program has a file");
        let file = DebugFile::open(&format!("me={}", path.display())).expect("it has debug information");
        // Some offset within it that has a name: the table of symbols is not read here, so it is searched for.
        let known = (1..4_000).map(|step| step * 0x1000).find(|offset| file.names(*offset).len() == 1).expect("a name");
        let name = frame(&file.names(known)[0]);
        let files = [file];
        assert_eq!(named(&format!("\tme+{known:#x}"), &files), format!("\t{name}"));
        assert_eq!(named(&format!("\tother+{known:#x}"), &files), format!("\tother+{known:#x}"));
        assert!(!named(&format!("dropped me+{known:#x}, 1 of"), &files).contains("me+0x"));
    }
}
