//! Text from a log, made harmless for a terminal.

use std::fmt::{self, Write as _};

/// Text of which a terminal shows every character and obeys none. A backslash stays as it is: most texts come from lines
/// in which ours are escaped already.
pub(crate) struct Shown<'a>(pub(crate) &'a str);

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.0.chars().any(is_obeyed) {
            return f.write_str(self.0);
        }
        self.0.chars().try_for_each(|c| match c {
            '\n' => f.write_str("\\n"),
            '\r' => f.write_str("\\r"),
            '\t' => f.write_str("\\t"),
            c if is_obeyed(c) => write!(f, "\\u{{{:x}}}", u32::from(c)),
            c => f.write_char(c),
        })
    }
}

/// Controls, separators of lines, bidi controls, and what cannot be seen.
fn is_obeyed(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{2028}' | '\u{2029}' | '\u{061c}' | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}'
            | '\u{2060}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_terminal_obeys_nothing() {
        assert_eq!(Shown("größe 4 ≥ 3 C:\\x").to_string(), "größe 4 ≥ 3 C:\\x");
        assert_eq!(Shown("a\u{1b}[2J\n\u{9b}\u{202e}\tb").to_string(), r"a\u{1b}[2J\n\u{9b}\u{202e}\tb");
    }
}
