//! A line that a logger or a runtime wrapped into JSON or into quotes.

use std::borrow::Cow;

use serde_json::{Map, Value};

use super::moment::Moment;
use super::words::first_word;

/// How deep a text may lie within a JSON line.
const DEPTH: u32 = 4;

/// Fields that may hold a line of a program, in which a report goes on.
const TEXT_FIELDS: [&str; 5] = ["log", "message", "msg", "MESSAGE", "text"];

const TIME_FIELDS: [&str; 8] = ["timestamp", "@timestamp", "time", "ts", "t", "datetime", "date", "asctime"];

const PROCESS_FIELDS: [&str; 12] = [
    "host",
    "hostname",
    "pod",
    "pod_name",
    "container",
    "container_name",
    "container_id",
    "service",
    "instance",
    "pid",
    "process_id",
    "_PID",
];

/// What was in a JSON line.
#[derive(Debug, PartialEq)]
pub(super) enum Opened {
    /// A line of a program's log, which may be of several lines.
    Text { text: String, at: Option<Moment>, process: String },
    /// The line as a value, without a text of ours in it: it may be a report itself.
    Value(Value),
}

/// The content of a JSON line; nothing for a line that is none.
pub(super) fn open(line: &str) -> Option<Opened> {
    let value = object(line)?;
    let fields = value.as_object()?;
    Some(match text_with_a_word(&value, DEPTH) {
        Some(text) => Opened::Text { text: text.to_owned(), at: time(fields), process: process(fields) },
        None => Opened::Value(value),
    })
}

/// The line of a program that a JSON line holds, whatever it says.
pub(super) fn inner_line(line: &str) -> Option<String> {
    let value = object(line)?;
    let fields = value.as_object()?;
    let text = TEXT_FIELDS.iter().find_map(|field| fields.get(*field)?.as_str())?;
    Some(text.trim_end_matches(['\r', '\n']).to_owned())
}

/// What was said of the process and the time in the fields beside a report.
pub(super) fn circumstances(fields: &Map<String, Value>) -> (Option<Moment>, String) {
    (time(fields), process(fields))
}

fn object(line: &str) -> Option<Value> {
    let line = line.trim();
    if !line.starts_with('{') {
        return None;
    }
    serde_json::from_str(line).ok()
}

fn text_with_a_word(value: &Value, depth: u32) -> Option<&str> {
    match value {
        Value::String(text) => text.lines().next().and_then(first_word).map(|_| text.as_str()),
        Value::Object(fields) if depth > 0 => fields.values().find_map(|value| text_with_a_word(value, depth - 1)),
        _ => None,
    }
}

fn time(fields: &Map<String, Value>) -> Option<Moment> {
    TIME_FIELDS.iter().find_map(|field| match fields.get(*field)? {
        Value::String(text) => Moment::find(text),
        Value::Number(number) => Moment::from_number(number.as_f64()?),
        _ => None,
    })
}

fn process(fields: &Map<String, Value>) -> String {
    let inner = fields.get("kubernetes").and_then(Value::as_object);
    let mut words: Vec<String> = Vec::new();
    for fields in [Some(fields), inner].into_iter().flatten() {
        words.extend(PROCESS_FIELDS.iter().filter_map(|field| match fields.get(*field)? {
            Value::String(text) => Some(text.clone()),
            Value::Number(number) => Some(number.to_string()),
            _ => None,
        }));
    }
    words.join(" ")
}

/// Where the text begins that was quoted as a whole: after a quote that what stands before the report does not close.
pub(super) fn open_quote(prefix: &str) -> Option<usize> {
    let quote = prefix.rfind('"')?;
    let is_opening = quote == 0 || prefix[..quote].ends_with(['=', ':', ' ', '(']);
    is_opening.then_some(quote + 1)
}

/// The text up to the quote that closes it, its escapes undone. For loggers that write `msg="…\n…"`.
pub(super) fn unquoted(text: &str) -> Cow<'_, str> {
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match c {
            '"' => break,
            '\\' => match chars.next() {
                Some('n') => out.push('\n'),
                Some('t') => out.push('\t'),
                Some('r') => {}
                Some(c @ ('"' | '\\' | '\'')) => out.push(c),
                Some(other) => out.extend(['\\', other]),
                None => out.push('\\'),
            },
            c => out.push(c),
        }
    }
    out.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_text_is_found_wherever_it_lies() {
        let line = r#"{"timestamp":"2026-11-20T03:12:44Z","level":"ERROR","fields":{"message":"LEAK: x\n\ty"},"hostname":"a","pid":7}"#;
        let expected = Opened::Text {
            text: "LEAK: x\n\ty".to_owned(),
            at: Moment::find("2026-11-20T03:12:44Z"),
            process: "a 7".to_owned(),
        };
        assert_eq!(open(line), Some(expected));
        let value = open(r#"{"message":"all well"}"#);
        assert!(matches!(value, Some(Opened::Value(_))), "{value:?}");
        for none in ["LEAK: x", "{", "{\"a\":", "[1]", ""] {
            assert_eq!(open(none), None, "{none}");
        }
    }

    #[test]
    fn a_line_within_a_line() {
        assert_eq!(inner_line(r#"{"log":"\t(dropped\n","stream":"stderr"}"#).as_deref(), Some("\t(dropped"));
        assert_eq!(inner_line(r#"{"a":1}"#), None);
    }

    #[test]
    fn a_quote_that_is_open_begins_the_text() {
        assert_eq!(open_quote("level=error msg=\""), Some(17));
        assert_eq!(open_quote("msg=\"[2026-11-20T03:12:45Z ERROR leaktrail] "), Some(5));
        for none in ["", "ERROR leaktrail: ", "thread \"main\" "] {
            assert_eq!(open_quote(none), None, "{none}");
        }
    }

    #[test]
    fn quotes_end_where_they_do() {
        assert_eq!(unquoted(r#"LEAK: a \"b\" \\n\n\tc" level=error"#), "LEAK: a \"b\" \\n\n\tc");
        assert_eq!(unquoted("LEAK: open\\"), "LEAK: open\\");
    }
}
