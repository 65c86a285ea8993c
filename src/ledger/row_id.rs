//! The number of a row.

/// The place of a row in the table: 23 bits, so that a handle's word has room for it beside 40 bits of size.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct RowId(u32);

impl RowId {
    /// Bits of a row's number.
    pub(crate) const BITS: u32 = 23;
    /// Rows that the table can hold.
    pub(crate) const COUNT: u32 = 1 << Self::BITS;

    /// The row with that number.
    pub(crate) const fn from_bits(bits: u32) -> RowId {
        debug_assert!(bits < Self::COUNT);
        RowId(bits)
    }

    /// The row's number.
    pub(crate) const fn bits(self) -> u32 {
        self.0
    }
}
