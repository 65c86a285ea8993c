//! The stable id of a cause.

use std::fmt;
use std::str::FromStr;

use super::{Site, Verdict};

/// The stable id of a cause: the same resource with the same verdict from the same site has the same id, in every
/// process, on every machine and in every later version of leaktrail.
///
/// Touches, hints, threads, stacks and addresses never enter it. It is a hash (FNV-1a, 64 bits): equal ids mean the
/// same cause for all practical ends, and no more than that. `Display` and `FromStr` have 16 hex digits.
///
/// # Examples
///
/// ```
/// use leaktrail::Fingerprint;
///
/// let known: Fingerprint = "5b1c09e2a4f7d310".parse()?;
/// assert_eq!(known.to_string(), "5b1c09e2a4f7d310");
/// # Ok::<(), leaktrail::ParseFingerprintError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Fingerprint(pub(crate) u64);

/// The text was not 16 hex digits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParseFingerprintError {
    /// How many bytes there were; 16 when one of them was no hex digit.
    length_bytes: usize,
}

impl Fingerprint {
    /// The id of this cause. What goes in, and in which order, is fixed for ever: ids stand in people's baselines.
    pub(crate) fn of(resource: &str, verdict: Verdict, site: &Site) -> Fingerprint {
        // Names of their own, not the words of the report: a reworded report must not change an id.
        let verdict = match verdict {
            Verdict::Unreleased => "unreleased",
            Verdict::Outstanding => "outstanding",
            Verdict::Growing => "growing",
            Verdict::HeldTooLong => "held_too_long",
            Verdict::Pinned => "pinned",
        };
        let mut hash = Fnv1a::new();
        for text in [resource, verdict, &site.file] {
            hash.write(text.as_bytes());
            // No byte of UTF-8, so that ("ab", "c") and ("a", "bc") differ.
            hash.write(&[0xff]);
        }
        hash.write(&site.line.to_le_bytes());
        hash.write(&site.column.to_le_bytes());
        Fingerprint(hash.0)
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

impl FromStr for Fingerprint {
    type Err = ParseFingerprintError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let error = ParseFingerprintError { length_bytes: text.len() };
        // `from_str_radix` alone would take a sign.
        if text.len() != 16 || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(error);
        }
        u64::from_str_radix(text, 16).map(Fingerprint).map_err(|_| error)
    }
}

impl fmt::Display for ParseFingerprintError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.length_bytes {
            16 => f.write_str("a fingerprint has 16 hex digits, and not all of these are"),
            other => write!(f, "a fingerprint has 16 hex digits, and this has {other} bytes"),
        }
    }
}

impl std::error::Error for ParseFingerprintError {}

/// FNV-1a with 64 bits, by Fowler, Noll and Vo: <http://www.isthe.com/chongo/tech/comp/fnv/>. Chosen because it fits
/// in four lines that will never change; std's hashers promise no stable result.
struct Fnv1a(u64);

impl Fnv1a {
    const OFFSET_BASIS: u64 = 0xcbf2_9ce4_8422_2325;
    const PRIME: u64 = 0x0000_0100_0000_01b3;

    fn new() -> Fnv1a {
        Fnv1a(Self::OFFSET_BASIS)
    }

    fn write(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.0 = (self.0 ^ u64::from(byte)).wrapping_mul(Self::PRIME);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn site(file: &str, line: u32, column: u32) -> Site {
        Site { file: file.into(), line, column }
    }

    /// The published vectors of FNV-1a.
    #[test]
    fn the_hash_is_fnv_1a() {
        for (text, expected) in
            [("", 0xcbf2_9ce4_8422_2325), ("a", 0xaf63_dc4c_8601_ec8c), ("foobar", 0x8594_4171_f739_67e8)]
        {
            let mut hash = Fnv1a::new();
            hash.write(text.as_bytes());
            assert_eq!(hash.0, expected, "{text:?}");
        }
    }

    /// Worked out by another program. One that changes would break everybody's baseline.
    #[test]
    fn fingerprints_are_the_same_for_ever() {
        let site = site("src/filters.rs", 41, 22);
        for (resource, verdict, expected) in [
            ("ByteBuf", Verdict::Unreleased, "a1fc167514906155"),
            ("ByteBuf", Verdict::Outstanding, "ceae1f90f32150db"),
            ("ByteBuf", Verdict::Growing, "2f9e01c59117400e"),
            ("ByteBuf", Verdict::HeldTooLong, "81ec1527d9c9f842"),
            ("ByteBuf", Verdict::Pinned, "29a504c68a5e9163"),
            ("PgConnection", Verdict::Unreleased, "4902e588e1c5eb95"),
        ] {
            assert_eq!(Fingerprint::of(resource, verdict, &site).to_string(), expected);
        }
    }

    #[test]
    fn each_part_of_the_cause_counts_and_nothing_runs_together() {
        let base = ("ByteBuf", Verdict::Unreleased, site("src/filters.rs", 41, 22));
        let all = [
            Fingerprint::of(base.0, base.1, &base.2),
            Fingerprint::of("ByteBu", base.1, &site("fsrc/filters.rs", 41, 22)),
            Fingerprint::of("Permit", base.1, &base.2),
            Fingerprint::of(base.0, Verdict::Outstanding, &base.2),
            Fingerprint::of(base.0, base.1, &site("src/filter.rs", 41, 22)),
            Fingerprint::of(base.0, base.1, &site("src/filters.rs", 42, 22)),
            Fingerprint::of(base.0, base.1, &site("src/filters.rs", 41, 23)),
        ];
        let different: std::collections::BTreeSet<_> = all.iter().collect();
        assert_eq!(different.len(), all.len());
    }

    #[test]
    fn sixteen_hex_digits_and_nothing_else_are_read() {
        assert_eq!("00000000000000ff".parse(), Ok(Fingerprint(255)));
        assert_eq!("FFFFFFFFFFFFFFFF".parse(), Ok(Fingerprint(u64::MAX)));
        assert_eq!(Fingerprint(255).to_string(), "00000000000000ff");
        for bad in ["", "ff", "+0000000000000ff", "00000000000000fg", "00000000000000ff ", "ää000000000000ff"] {
            assert!(bad.parse::<Fingerprint>().is_err(), "{bad:?}");
        }
        let error = "ff".parse::<Fingerprint>().unwrap_err();
        assert_eq!(error.to_string(), "a fingerprint has 16 hex digits, and this has 2 bytes");
    }
}
