//! Shares of a whole.

use std::fmt;

/// A part of a whole in percent with one decimal, `90.3 %`. Rounded half up, by integers, so that it is the same
/// everywhere. More than 100 where parts overlap; `0.0 %` of nothing.
pub(super) struct Share {
    pub(super) part: u64,
    pub(super) whole: u64,
}

impl fmt::Display for Share {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (part, whole) = (u128::from(self.part), u128::from(self.whole));
        let per_mille = (part * 2_000 + whole).checked_div(whole * 2).unwrap_or(0);
        write!(f, "{}.{} %", per_mille / 10, per_mille % 10)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_decimal_rounded_half_up() {
        for (part, whole, text) in [
            (469_762_048, 520_093_983, "90.3 %"),
            (31_457_280, 520_093_983, "6.0 %"),
            (1, 2_000, "0.1 %"),
            (999, 2_000_000, "0.0 %"),
            (1, 1, "100.0 %"),
            (3, 2, "150.0 %"),
            (7, 0, "0.0 %"),
            (u64::MAX, u64::MAX, "100.0 %"),
            (u64::MAX, 1, "1844674407370955161500.0 %"),
        ] {
            assert_eq!(Share { part, whole }.to_string(), text);
        }
    }
}
