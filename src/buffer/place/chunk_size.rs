//! How much is reserved at a time.

use std::fmt;

use super::size_class::SizeClass;

/// What a [`PooledAllocator`](crate::PooledAllocator) reserves at a time: a power of two from 64 KiB to 1 GiB.
///
/// # Examples
///
/// ```
/// use leaktrail::ChunkSize;
///
/// assert_eq!(ChunkSize::default().bytes(), 4 << 20);
/// assert_eq!(ChunkSize::new(64 << 10).map(ChunkSize::bytes), Some(65_536));
/// assert_eq!(ChunkSize::new(100_000), None);
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct ChunkSize {
    bytes: usize,
}

impl ChunkSize {
    /// 64 KiB, the smallest: for budgets of a few MiB.
    pub const KIB_64: ChunkSize = ChunkSize { bytes: 64 << 10 };
    /// 4 MiB: Netty's since 4.1.75, and the default.
    pub const MIB_4: ChunkSize = ChunkSize { bytes: 4 << 20 };
    /// 16 MiB: Netty's before, 4.1.6 among them.
    pub const MIB_16: ChunkSize = ChunkSize { bytes: 16 << 20 };

    /// So many bytes; `None` unless they are a power of two from 64 KiB to 1 GiB.
    #[must_use]
    pub const fn new(bytes: usize) -> Option<ChunkSize> {
        let fits = bytes >= ChunkSize::KIB_64.bytes && bytes <= SizeClass::LARGEST_BYTES;
        if fits && bytes.is_power_of_two() { Some(ChunkSize { bytes }) } else { None }
    }

    /// How many bytes.
    #[must_use]
    pub const fn bytes(self) -> usize {
        self.bytes
    }
}

impl Default for ChunkSize {
    fn default() -> ChunkSize {
        ChunkSize::MIB_4
    }
}

impl fmt::Debug for ChunkSize {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ChunkSize({} B)", self.bytes)
    }
}

#[cfg(all(test, not(leaktrail_loom)))]
mod tests {
    use super::*;

    #[test]
    fn powers_of_two_between_the_ends_are_taken_and_nothing_else() {
        for shift in 0..usize::BITS {
            let bytes = 1 << shift;
            assert_eq!(ChunkSize::new(bytes).is_some(), (16..=30).contains(&shift), "{bytes}");
            assert!(bytes < 4 || ChunkSize::new(bytes - 1).is_none() && ChunkSize::new(bytes + 1).is_none());
        }
        assert_eq!((ChunkSize::new(0), ChunkSize::new(usize::MAX)), (None, None));
    }
}
