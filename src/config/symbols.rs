//! Whether addresses get names.

use std::fmt;

/// Whether a report names the functions of its stacks; `LEAK_DETECTION_SYMBOLS` has the names in lower case.
///
/// Names cost memory: the debug information of the program is read when the first report is made, and its memory is given
/// back when the burst is over. The site of a handle needs none, it is known at any setting.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Symbols {
    /// With names, unless the control group has less than 128 MiB left. The default.
    #[default]
    On,
    /// `module+0xoffset` and the build id of each module: names can be found later, on another machine.
    Off,
}

impl Symbols {
    /// The name, as the environment variable takes it.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Symbols::On => "on",
            Symbols::Off => "off",
        }
    }

    /// What a name in any case means; `None` when it is neither.
    pub(super) fn from_name(name: &str) -> Option<Symbols> {
        [Symbols::On, Symbols::Off].into_iter().find(|symbols| name.eq_ignore_ascii_case(symbols.name()))
    }
}

impl fmt::Display for Symbols {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::Symbols;

    #[test]
    fn names_are_read_back_in_any_case() {
        for symbols in [Symbols::On, Symbols::Off] {
            assert_eq!(Symbols::from_name(&symbols.to_string()), Some(symbols));
            assert_eq!(Symbols::from_name(&symbols.to_string().to_uppercase()), Some(symbols));
        }
        assert_eq!(Symbols::from_name("1"), None);
    }
}
