//! The escapes of our lines, undone.

use std::borrow::Cow;

/// The text as the program gave it. What is no escape of ours stays as it stands.
pub(crate) fn unescaped(text: &str) -> Cow<'_, str> {
    if !text.contains('\\') {
        return text.into();
    }
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('\\') {
        out.push_str(before);
        let (c, length) = escape(after).unwrap_or(('\\', 0));
        out.push(c);
        rest = &after[length..];
    }
    out.push_str(rest);
    out.into()
}

/// The character that this begins with, without its backslash, and how many bytes it took.
fn escape(after: &str) -> Option<(char, usize)> {
    let c = match after.chars().next()? {
        'n' => '\n',
        'r' => '\r',
        't' => '\t',
        '\\' => '\\',
        _ => {
            let digits = after.strip_prefix("u{")?.split_once('}')?.0;
            let c = char::from_u32(u32::from_str_radix(digits, 16).ok()?)?;
            return Some((c, digits.len() + 3));
        }
    };
    Some((c, 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_escaped_comes_back() {
        assert_eq!(unescaped("src/filters.rs"), "src/filters.rs");
        assert_eq!(unescaped(r"a\nb\r\tc\\d"), "a\nb\r\tc\\d");
        assert_eq!(unescaped(r"LEAK\u{3a} x\u{202e}"), "LEAK: x\u{202e}");
    }

    #[test]
    fn what_is_no_escape_stays() {
        for text in [r"\q", r"\", r"\u{}", r"\u{110000}", r"\u{3a", r"C:\é"] {
            assert_eq!(unescaped(text), text);
        }
    }
}
