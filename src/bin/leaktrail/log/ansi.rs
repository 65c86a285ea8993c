//! Lines without the colours that a logger gave them.

use std::borrow::Cow;

use anstream::adapter::strip_str;

/// The text without escape sequences.
pub(crate) fn plain(text: &str) -> Cow<'_, str> {
    if text.contains('\u{1b}') { strip_str(text).to_string().into() } else { text.into() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_go_and_text_stays() {
        assert_eq!(plain("a\u{1b}[2mb\u{1b}[0m: \u{1b}[31mc"), "ab: c");
        assert_eq!(plain("\ta"), "\ta");
        assert_eq!(plain("\u{1b}[0m\ta"), "\ta");
    }
}
