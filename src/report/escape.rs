//! Text from outside, made harmless for a log.

use std::fmt;

/// Text from outside as a log may show it: one line, no control, and no word that begins one of our lines.
///
/// Hints, names of resources, threads, functions and files come from the program, and through it from the network. A
/// newline or a cursor movement in one of them could forge a report or hide one; a bidi control could make one read as
/// something else; and `LEAK:` in the middle of a line would be counted by whoever counts with `grep`. So controls
/// become `\n`, `\u{1b}`, the colon of such a word becomes `\u{3a}`, and, so that this can be undone, a backslash
/// becomes two.
pub(crate) struct Escaped<'a>(pub(crate) &'a str);

/// The words that lines of leaktrail begin with, in this version and in those to come.
const LINE_WORDS: [&str; 6] = ["LEAK", "LIVE", "REFUSED", "HELD", "GROW", "PINNED"];

impl fmt::Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = self.0;
        // What has been looked at and needs no change, written in one piece.
        let mut plain_from = 0;
        for (index, c) in text.char_indices() {
            let harmless = match c {
                ':' => !ends_a_line_word(&text[..index], &text[index + 1..]),
                '\\' => false,
                _ => !is_control(c),
            };
            if harmless {
                continue;
            }
            f.write_str(&text[plain_from..index])?;
            plain_from = index + c.len_utf8();
            match c {
                '\n' => f.write_str("\\n")?,
                '\r' => f.write_str("\\r")?,
                '\t' => f.write_str("\\t")?,
                '\\' => f.write_str("\\\\")?,
                c => write!(f, "\\u{{{:x}}}", u32::from(c))?,
            }
        }
        f.write_str(&text[plain_from..])
    }
}

/// Whether a colon between these two makes a word that begins lines. `leaktrail::` is a path and stays.
fn ends_a_line_word(before: &str, after: &str) -> bool {
    LINE_WORDS.iter().any(|word| before.ends_with(word)) || (before.ends_with("leaktrail") && !after.starts_with(':'))
}

/// Whether a terminal or a log reader would obey it instead of showing it.
fn is_control(c: char) -> bool {
    // Cc: C0, DEL and C1, which has one-byte forms of ESC [ and the like.
    c.is_control()
        || matches!(c,
            // Line and paragraph separators: newlines to some readers.
            '\u{2028}' | '\u{2029}'
            // Bidi: the marks, the embeddings and overrides, the isolates ("Trojan Source", CVE-2021-42574).
            | '\u{061c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}'
            // Invisible: could split a word that a reader looks for.
            | '\u{200b}' | '\u{2060}' | '\u{feff}')
}

/// Whether a line has anything in it that a terminal would obey. For the tests of whole reports.
#[cfg(test)]
pub(in crate::report) fn has_control(line: &str) -> bool {
    line.chars().any(is_control)
}

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;

    use proptest::prelude::*;

    use super::*;

    fn escaped(text: &str) -> String {
        let mut out = String::new();
        write!(out, "{}", Escaped(text)).expect("a String takes everything");
        out
    }

    #[test]
    fn harmless_text_stays_as_it_is() {
        for text in [
            "",
            "worker-3",
            "'decode' will handle the buffer from this point.",
            "größe 4 ≥ 3, 日本語",
            "leaktrail::detector::Tracked<T>",
            "C:/src/main.rs",
        ] {
            assert_eq!(escaped(text), text);
        }
    }

    #[test]
    fn controls_are_shown_instead_of_obeyed() {
        assert_eq!(escaped("a\nb\r\tc"), r"a\nb\r\tc");
        assert_eq!(escaped("\u{1b}[2J\u{7f}\u{0}\u{9b}"), r"\u{1b}[2J\u{7f}\u{0}\u{9b}");
        assert_eq!(escaped("\u{202e}gnp.exe\u{2066}"), r"\u{202e}gnp.exe\u{2066}");
        assert_eq!(escaped("a\u{2028}b\u{feff}"), r"a\u{2028}b\u{feff}");
        assert_eq!(escaped(r"a\nb"), r"a\\nb");
    }

    #[test]
    fn each_bidi_control_and_separator_is_shown() {
        let controls = [0x61c, 0x200b, 0x200e, 0x200f, 0x2028, 0x2029, 0x2060, 0xfeff];
        for code in controls.into_iter().chain(0x202a..=0x202e).chain(0x2066..=0x2069) {
            let control = char::from_u32(code).expect("a character");
            assert_eq!(escaped(&control.to_string()), format!("\\u{{{code:x}}}"));
        }
    }

    #[test]
    fn no_word_that_begins_a_line_survives() {
        assert_eq!(escaped("x\nLEAK: forged"), r"x\nLEAK\u{3a} forged");
        assert_eq!(escaped("LEAK:REFUSED:LIVE:"), r"LEAK\u{3a}REFUSED\u{3a}LIVE\u{3a}");
        assert_eq!(escaped("leaktrail: clean at exit"), r"leaktrail\u{3a} clean at exit");
        assert_eq!(escaped("LEAK\u{200b}:"), r"LEAK\u{200b}:");
    }

    /// What a parser does to have the text back.
    fn unescaped(text: &str) -> String {
        let mut out = String::new();
        let mut chars = text.chars();
        while let Some(c) = chars.next() {
            if c != '\\' {
                out.push(c);
                continue;
            }
            match chars.next().expect("an escape has a second character") {
                'n' => out.push('\n'),
                'r' => out.push('\r'),
                't' => out.push('\t'),
                '\\' => out.push('\\'),
                'u' => {
                    let digits: String = chars.by_ref().skip(1).take_while(|&c| c != '}').collect();
                    let number = u32::from_str_radix(&digits, 16).expect("hex digits");
                    out.push(char::from_u32(number).expect("a character"));
                }
                other => panic!("\\{other} is no escape"),
            }
        }
        out
    }

    proptest! {
        #[test]
        fn any_text_becomes_one_harmless_line_and_comes_back(text in "(LEAK|LIVE|leaktrail|REFUSED|[:\\\\ \n\r\t\u{1b}\u{202e}]|\\PC|\\p{Any})*") {
            let line = escaped(&text);
            prop_assert!(!has_control(&line), "{}", line);
            for word in LINE_WORDS {
                prop_assert!(!line.contains(&[word, ":"].concat()), "{}", line);
            }
            prop_assert_eq!(unescaped(&line), text);
        }
    }
}
