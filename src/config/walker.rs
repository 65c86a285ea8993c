//! By what means stacks are walked.

use std::fmt;

/// By what means the stacks of records are walked; `LEAK_DETECTION_WALKER` has the names in lower case.
///
/// All of them find the same frames; they differ in what a walk costs and in where they can be had. `docs/CONFIGURATION.md` says
/// who decides: a process has one walker.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Walker {
    /// The fastest that can be had. The default.
    #[default]
    Auto,
    /// The modules' own unwind tables, each rule read once: x86_64 Linux.
    Rules,
    /// The chain of frame pointers: aarch64, macOS, and builds with `-C force-frame-pointers=yes`.
    FramePointer,
    /// The system's unwinder, by the crate `backtrace`. Everywhere, and twenty times slower.
    Backtrace,
    /// No stacks: records have the line of the call, where there is one.
    None,
}

impl Walker {
    const ALL: [Walker; 5] = [Walker::Auto, Walker::Rules, Walker::FramePointer, Walker::Backtrace, Walker::None];

    /// A number for it, to keep in an atomic: its place in `ALL`.
    pub(crate) const fn code(self) -> u8 {
        self as u8
    }

    /// The one with that number.
    #[inline(always)]
    pub(crate) const fn from_code(code: u8) -> Walker {
        match code {
            0 => Walker::Auto,
            1 => Walker::Rules,
            2 => Walker::FramePointer,
            3 => Walker::Backtrace,
            _ => Walker::None,
        }
    }

    /// The name, as the environment variable takes it.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Walker::Auto => "auto",
            Walker::Rules => "rules",
            Walker::FramePointer => "frame-pointer",
            Walker::Backtrace => "backtrace",
            Walker::None => "none",
        }
    }

    /// What a name in any case means; `None` when it is none of the five.
    pub(super) fn from_name(name: &str) -> Option<Walker> {
        Walker::ALL.into_iter().find(|walker| name.eq_ignore_ascii_case(walker.name()))
    }
}

impl fmt::Display for Walker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::Walker;

    #[test]
    fn names_are_read_back_in_any_case() {
        for walker in Walker::ALL {
            assert_eq!(Walker::from_code(walker.code()), walker);
            assert_eq!(Walker::from_name(&walker.to_string()), Some(walker));
            assert_eq!(Walker::from_name(&walker.to_string().to_uppercase()), Some(walker));
        }
        assert_eq!(Walker::from_name("frame pointer"), None);
        assert_eq!(Walker::from_name(""), None);
    }
}
