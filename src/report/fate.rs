//! What became of a lost resource.

/// What became of the resource behind a handle that was dropped without release.
///
/// Reports always say it: `4096 B given back`, `4096 B still out` or `4096 B dropped with its handle`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "snake_case"))]
pub enum Fate {
    /// The loss was repaired: the memory went back to its budget.
    GivenBack,
    /// The memory stays reserved, as in Netty; nothing will ever give it back.
    StillOut,
    /// The value was dropped with its handle. What that gave back is the value's own business.
    DroppedWithHandle,
}

impl Fate {
    /// The words that reports use: `given back`, `still out`, `dropped with its handle`.
    pub fn words(self) -> &'static str {
        match self {
            Fate::GivenBack => "given back",
            Fate::StillOut => "still out",
            Fate::DroppedWithHandle => "dropped with its handle",
        }
    }
}
