//! What part of the process is tracked.

use std::fmt;

/// `tracked live 41 MiB of RSS 812 MiB (5 %): the rest is not in tracked handles`.
pub(super) struct Tracked {
    pub(super) live_bytes: u64,
    pub(super) resident_bytes: u64,
}

impl fmt::Display for Tracked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Tracked { live_bytes, resident_bytes } = *self;
        let percent = (u128::from(live_bytes) * 100).checked_div(u128::from(resident_bytes)).unwrap_or(0);
        write!(f, "tracked live {} of RSS {} ({percent} %)", Rounded(live_bytes), Rounded(resident_bytes))?;
        // What is reserved and was never written to is not in memory, and each reference counts its whole buffer: then there
        // is no rest.
        if live_bytes < resident_bytes { f.write_str(": the rest is not in tracked handles") } else { Ok(()) }
    }
}

/// A size to compare with another at a glance: whole units, cut, with two digits at least from 10 KiB on.
struct Rounded(u64);

impl fmt::Display for Rounded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let units = [(40, "TiB"), (30, "GiB"), (20, "MiB"), (10, "KiB")];
        let unit = units.into_iter().find(|(shift, _)| self.0 >> shift >= 10);
        match unit {
            Some((shift, name)) => write!(f, "{} {name}", self.0 >> shift),
            None => write!(f, "{} B", self.0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_and_whole_units() {
        for (live_bytes, resident_bytes, text) in [
            (42_991_616, 851_443_712, "tracked live 41 MiB of RSS 812 MiB (5 %): the rest is not in tracked handles"),
            (4_096, 12 << 20, "tracked live 4096 B of RSS 12 MiB (0 %): the rest is not in tracked handles"),
            (3 << 30, 4 << 30, "tracked live 3072 MiB of RSS 4096 MiB (75 %): the rest is not in tracked handles"),
            (900 << 20, 800 << 20, "tracked live 900 MiB of RSS 800 MiB (112 %)"),
            (20 << 40, 20 << 30, "tracked live 20 TiB of RSS 20 GiB (102400 %)"),
            (1, 0, "tracked live 1 B of RSS 0 B (0 %)"),
        ] {
            assert_eq!(Tracked { live_bytes, resident_bytes }.to_string(), text);
        }
    }
}
