//! How a handle came to be.

/// How a handle came to be: made anew, or taken from another reference to the same resource.
///
/// Handles of [`track`](crate::track) and [`watch`](crate::watch) are always [`Created`](Origin::Created). A buffer is
/// counted by reference, and each reference has its own row and its own trail.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "snake_case"))]
#[non_exhaustive]
pub enum Origin {
    /// The resource itself was made here.
    #[default]
    Created,
    /// One more reference to a whole buffer.
    Retained,
    /// One more reference to a part of a buffer.
    Sliced,
}

impl Origin {
    /// The word that stands before the site in rows: `created`, `retained` or `sliced`.
    pub fn word(self) -> &'static str {
        match self {
            Origin::Created => "created",
            Origin::Retained => "retained",
            Origin::Sliced => "sliced",
        }
    }
}
