//! The id of a cause: the library's fingerprint where it made one, and one of the same make where nobody did.

use std::fmt;

use leaktrail::Fingerprint;

use super::kind::Kind;

/// The fingerprint of a cause. Netty's reports and some lines of ours have none, and get one here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct CauseId(pub(crate) u64);

impl CauseId {
    /// The 16 hex digits of a report.
    pub(crate) fn parse(digits: &str) -> Option<CauseId> {
        let fingerprint: Fingerprint = digits.parse().ok()?;
        u64::from_str_radix(&fingerprint.to_string(), 16).ok().map(CauseId)
    }

    /// The fingerprint that the library gives this cause: the same hash of the same things.
    pub(crate) fn of(resource: &str, kind: Kind, site: &str) -> CauseId {
        let mut parts = site.rsplitn(3, ':');
        let (column, line, file) = (parts.next(), parts.next(), parts.next());
        let number = |part: Option<&str>| part.and_then(|part| part.parse::<u32>().ok());
        let (file, line, column) = match (file, number(line), number(column)) {
            (Some(file), Some(line), Some(column)) => (file, line, column),
            // The row for all other sites has no line.
            _ => (site, 0, 0),
        };
        let mut hash = Fnv1a::of(&[resource, kind.verdict(), file]);
        hash.write(&line.to_le_bytes());
        hash.write(&column.to_le_bytes());
        CauseId(hash.0)
    }

    /// The id of one of Netty's causes. It begins with a word that no resource of ours stands for, so that the same name
    /// at the same place is two causes.
    pub(crate) fn of_netty(resource: &str, site: &str) -> CauseId {
        CauseId(Fnv1a::of(&["io.netty", resource, site]).0)
    }
}

impl fmt::Display for CauseId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

/// FNV-1a with 64 bits, as the library's fingerprints are made.
struct Fnv1a(u64);

impl Fnv1a {
    fn of(texts: &[&str]) -> Fnv1a {
        let mut hash = Fnv1a(0xcbf2_9ce4_8422_2325);
        for text in texts {
            hash.write(text.as_bytes());
            hash.write(&[0xff]);
        }
        hash
    }

    fn write(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.0 = (self.0 ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The library's own vectors: a cause has one id, whoever works it out.
    #[test]
    fn it_is_the_librarys_fingerprint() {
        for (resource, kind, expected) in [
            ("ByteBuf", Kind::Leak, "a1fc167514906155"),
            ("ByteBuf", Kind::Live, "ceae1f90f32150db"),
            ("PgConnection", Kind::Leak, "4902e588e1c5eb95"),
        ] {
            assert_eq!(CauseId::of(resource, kind, "src/filters.rs:41:22").to_string(), expected);
        }
    }

    #[test]
    fn a_site_without_a_line_and_one_of_netty_have_ids_of_their_own() {
        let ids = [
            CauseId::of("ByteBuf", Kind::Leak, "(other sites)"),
            CauseId::of("ByteBuf", Kind::Leak, "C:/a.rs:1:2"),
            CauseId::of("ByteBuf", Kind::Leak, ""),
            CauseId::of_netty("ByteBuf", "C:/a.rs:1:2"),
        ];
        let different: std::collections::BTreeSet<_> = ids.iter().collect();
        assert_eq!(different.len(), ids.len());
    }

    #[test]
    fn sixteen_hex_digits_and_nothing_else() {
        assert_eq!(CauseId::parse("00000000000000ff"), Some(CauseId(255)));
        assert_eq!(CauseId(255).to_string(), "00000000000000ff");
        for bad in ["", "ff", "+0000000000000ff", "00000000000000fg"] {
            assert_eq!(CauseId::parse(bad), None);
        }
    }
}
