//! How values look in JSON, and the punctuation between them.

use std::fmt::{self, Write as _};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use crate::report::moment::has_text;

/// An object that is being written.
pub(super) struct Object<'a> {
    text: &'a mut String,
    separator: &'static str,
}

impl<'a> Object<'a> {
    pub(super) fn begin(text: &'a mut String) -> Object<'a> {
        text.push('{');
        Object { text, separator: "" }
    }

    /// The next field. Names are words of ours and need no escaping.
    pub(super) fn field(&mut self, name: &'static str, value: impl Value) -> &mut Self {
        self.text.push_str(std::mem::replace(&mut self.separator, ","));
        self.text.push('"');
        self.text.push_str(name);
        self.text.push_str("\":");
        value.write(self.text);
        self
    }

    pub(super) fn end(self) {
        self.text.push('}');
    }
}

/// What can stand behind a name.
pub(super) trait Value {
    fn write(&self, text: &mut String);
}

impl<T: Value + ?Sized> Value for &T {
    fn write(&self, text: &mut String) {
        (**self).write(text);
    }
}

impl<T: Value + ?Sized> Value for Arc<T> {
    fn write(&self, text: &mut String) {
        (**self).write(text);
    }
}

impl<T: Value> Value for Option<T> {
    fn write(&self, text: &mut String) {
        match self {
            Some(value) => value.write(text),
            None => text.push_str("null"),
        }
    }
}

impl<T: Value> Value for [T] {
    fn write(&self, text: &mut String) {
        text.push('[');
        for (index, value) in self.iter().enumerate() {
            text.push_str(if index == 0 { "" } else { "," });
            value.write(text);
        }
        text.push(']');
    }
}

impl<T: Value> Value for Vec<T> {
    fn write(&self, text: &mut String) {
        self.as_slice().write(text);
    }
}

/// A pair is an array of two, as serde has it.
impl<A: Value, B: Value> Value for (A, B) {
    fn write(&self, text: &mut String) {
        text.push('[');
        self.0.write(text);
        text.push(',');
        self.1.write(text);
        text.push(']');
    }
}

impl Value for bool {
    fn write(&self, text: &mut String) {
        text.push_str(if *self { "true" } else { "false" });
    }
}

impl Value for u32 {
    fn write(&self, text: &mut String) {
        u64::from(*self).write(text);
    }
}

impl Value for u64 {
    fn write(&self, text: &mut String) {
        push(text, format_args!("{self}"));
    }
}

impl Value for str {
    /// Quotation mark, backslash and the controls below U+0020 are escaped; nothing else has to be (RFC 8259, section 7). DEL
    /// and the C1 controls are too, so that a terminal that shows the file obeys none of it.
    fn write(&self, text: &mut String) {
        text.push('"');
        for c in self.chars() {
            match c {
                '"' | '\\' => text.extend(['\\', c]),
                c if c.is_control() => push(text, format_args!("\\u{:04x}", u32::from(c))),
                c => text.push(c),
            }
        }
        text.push('"');
    }
}

/// What is shown as a text, by its `Display`.
pub(super) struct Shown<T>(pub(super) T);

impl<T: fmt::Display> Value for Shown<T> {
    fn write(&self, text: &mut String) {
        self.0.to_string().as_str().write(text);
    }
}

/// A span in whole milliseconds.
pub(super) struct Millis(pub(super) Duration);

impl Value for Millis {
    fn write(&self, text: &mut String) {
        u64::try_from(self.0.as_millis()).unwrap_or(u64::MAX).write(text);
    }
}

/// A moment as `2026-11-20T03:12:44.123Z`.
pub(super) struct Moment(pub(super) SystemTime);

impl Value for Moment {
    fn write(&self, text: &mut String) {
        // JSON has no word for a moment without a text, and a reader wants one.
        let known = if has_text(self.0) { self.0 } else { SystemTime::UNIX_EPOCH };
        Shown(humantime::format_rfc3339_millis(known)).write(text);
    }
}

/// An address as `0x55d0c3a41f40`: JSON's numbers are exact up to 2^53 only.
pub(super) struct Hex(pub(super) u64);

impl Value for Hex {
    fn write(&self, text: &mut String) {
        push(text, format_args!("\"{:#x}\"", self.0));
    }
}

fn push(text: &mut String, written: fmt::Arguments<'_>) {
    // A String takes everything.
    let _ = text.write_fmt(written);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(value: impl Value) -> String {
        let mut text = String::new();
        value.write(&mut text);
        text
    }

    /// What another program's parser makes of it.
    fn read(text: &str) -> serde_json::Value {
        serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"))
    }

    #[test]
    fn every_character_comes_back() {
        let step = if cfg!(miri) { 4_099 } else { 1 };
        for c in (0..=u32::from(char::MAX)).step_by(step).filter_map(char::from_u32) {
            let whole = format!("a{c}b");
            let text = written(whole.as_str());
            assert_eq!(read(&text), whole, "{c:?}");
            assert!(!text.contains(char::is_control), "{c:?} is one line that no terminal obeys");
        }
        assert_eq!(written("\"\\/\n\u{1b}\u{7f}\u{9b}ä"), r#""\"\\/\u000a\u001b\u007f\u009bä""#);
    }

    #[test]
    fn numbers_are_exact() {
        for number in [0, 1, 1 << 53, (1 << 53) + 1, u64::MAX] {
            assert_eq!(read(&written(number)), number);
        }
        assert_eq!(written(Hex(u64::MAX)), "\"0xffffffffffffffff\"");
        assert_eq!(written(Millis(Duration::MAX)), u64::MAX.to_string());
    }

    #[test]
    fn punctuation_stands_between_values_and_nowhere_else() {
        let mut text = String::new();
        Object::begin(&mut text).end();
        assert_eq!(text, "{}");
        text.clear();
        let mut object = Object::begin(&mut text);
        object.field("none", None::<u64>).field("list", vec![true, false]).field("empty", Vec::<u64>::new());
        object.field("pair", ("x", 1_u32));
        object.end();
        assert_eq!(text, r#"{"none":null,"list":[true,false],"empty":[],"pair":["x",1]}"#);
    }

    #[test]
    fn a_moment_without_a_text_does_no_harm() {
        let before = SystemTime::UNIX_EPOCH - Duration::from_secs(1);
        assert_eq!(written(Moment(before)), "\"1970-01-01T00:00:00.000Z\"");
    }
}
