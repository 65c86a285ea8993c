//! What a drop without release means.

/// What becomes of a buffer's reference that is dropped without [`release`](crate::ByteBuf::release).
///
/// | policy | a drop is | the memory | for |
/// |---|---|---|---|
/// | `Release` | the release | goes back | code that relies on `Drop`; hoards are found by the ledger |
/// | `Reclaim` (default) | reported as a leak | goes back | code that releases by hand: strict, and repaired |
/// | `Abandon` | reported as a leak | stays out, for ever | reproducing what Netty does |
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum DropPolicy {
    /// A drop is the release, as everywhere in Rust.
    Release,
    /// A drop is reported, and the memory goes back.
    #[default]
    Reclaim,
    /// A drop is reported, and the memory stays out: the reference counts as never released, as in Netty.
    Abandon,
}
