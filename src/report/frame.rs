//! One frame of a stack, as it is shown.

use std::fmt;
use std::sync::Arc;

use super::escape::Escaped;

/// One frame of a stack: a function and a place in the source, or what is known of them.
///
/// A program without debug information has names and no lines; a stripped one has neither, and then the module and the
/// offset in it can be looked up elsewhere. `Display` is the best of it: `gateway::filters::log_body
/// (src/filters.rs:57:9)`, the name alone, the place alone, `module+0x1f40`, or `0x55d0c3a41f40`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Frame {
    pub(crate) function: Option<Arc<str>>,
    pub(crate) file: Option<Arc<str>>,
    pub(crate) line: Option<u32>,
    pub(crate) column: Option<u32>,
    #[cfg_attr(feature = "serde", serde(with = "crate::report::json::hex"))]
    pub(crate) address: u64,
    pub(crate) module: Option<Arc<str>>,
    #[cfg_attr(feature = "serde", serde(with = "crate::report::json::hex"))]
    pub(crate) offset: u64,
    /// Of the module, for a frame without a name.
    #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "Option::is_none"))]
    pub(crate) build_id: Option<Arc<str>>,
}

impl Frame {
    /// The name of the function, demangled.
    pub fn function(&self) -> Option<&str> {
        self.function.as_deref()
    }

    /// The file, normalised as a [`Site`](super::Site)'s is.
    pub fn file(&self) -> Option<&str> {
        self.file.as_deref()
    }

    /// The line, from 1.
    pub fn line(&self) -> Option<u32> {
        self.line
    }

    /// The column, from 1.
    pub fn column(&self) -> Option<u32> {
        self.column
    }

    /// The instruction's address in the process that made the report.
    pub fn address(&self) -> u64 {
        self.address
    }

    /// The executable or shared library that the address is in.
    pub fn module(&self) -> Option<&str> {
        self.module.as_deref()
    }

    /// The address within the module, the same in every run of the same file.
    pub fn offset(&self) -> u64 {
        self.offset
    }

    /// The build id of the module in hex, for a frame that has no name: with it the debug information is found by which the
    /// [`offset`](Frame::offset) has one.
    pub fn build_id(&self) -> Option<&str> {
        self.build_id.as_deref()
    }

    /// What a first line says of it: `src/filters.rs:57:9`, the name of the function without a file, else the rest.
    /// Not escaped: it is data, and the text that shows it escapes it.
    pub(crate) fn place(&self) -> Arc<str> {
        let Some(file) = &self.file else {
            return match &self.function {
                Some(function) => function.clone(),
                None => self.address_text().into(),
            };
        };
        match (self.line, self.column) {
            (Some(line), Some(column)) => format!("{file}:{line}:{column}").into(),
            (Some(line), None) => format!("{file}:{line}").into(),
            (None, _) => file.clone(),
        }
    }

    /// `module+0x1f40`, or the bare address.
    fn address_text(&self) -> String {
        match &self.module {
            Some(module) => format!("{module}+{:#x}", self.offset),
            None => format!("{:#x}", self.address),
        }
    }
}

impl fmt::Display for Frame {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let place = self.place();
        match (&self.function, &self.file) {
            (Some(function), Some(_)) => write!(f, "{} ({})", Escaped(function), Escaped(&place)),
            _ => write!(f, "{}", Escaped(&place)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_best_of_what_is_known_is_shown() {
        let mut frame = Frame {
            function: Some("gateway::filters::log_body".into()),
            file: Some("src/filters.rs".into()),
            line: Some(57),
            column: Some(9),
            address: 0x55d0_c3a4_1f40,
            module: Some("gateway".into()),
            offset: 0x1f40,
            build_id: None,
        };
        assert_eq!(frame.to_string(), "gateway::filters::log_body (src/filters.rs:57:9)");
        assert_eq!(&*frame.place(), "src/filters.rs:57:9");
        frame.column = None;
        assert_eq!(frame.to_string(), "gateway::filters::log_body (src/filters.rs:57)");
        frame.line = None;
        assert_eq!(frame.to_string(), "gateway::filters::log_body (src/filters.rs)");
        frame.file = None;
        assert_eq!(frame.to_string(), "gateway::filters::log_body");
        frame.function = None;
        assert_eq!(frame.to_string(), "gateway+0x1f40");
        frame.module = None;
        assert_eq!(frame.to_string(), "0x55d0c3a41f40");
        frame.file = Some("src/filters.rs".into());
        assert_eq!(frame.to_string(), "src/filters.rs");
    }

    #[test]
    fn names_cannot_break_the_line() {
        let frame = Frame {
            function: Some("f\nLEAK: forged".into()),
            file: Some("a\u{1b}[31m.rs".into()),
            line: Some(1),
            column: None,
            address: 0,
            module: None,
            offset: 0,
            build_id: None,
        };
        assert_eq!(frame.to_string(), r"f\nLEAK\u{3a} forged (a\u{1b}[31m.rs:1)");
        assert_eq!(&*frame.place(), "a\u{1b}[31m.rs:1");
    }
}
