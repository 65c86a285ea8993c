//! The other references to a lost buffer.

use super::{Origin, Site};

/// What became of a reference.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "snake_case"))]
pub enum ReferenceState {
    /// It was alive when the report was made.
    Live,
    /// It was released.
    Released,
    /// It was dropped without release.
    Lost,
}

impl ReferenceState {
    /// The words that reports use: `live`, `released`, `lost`.
    pub fn words(self) -> &'static str {
        match self {
            ReferenceState::Live => "live",
            ReferenceState::Released => "released",
            ReferenceState::Lost => "lost",
        }
    }
}

/// Another reference to the buffer that a report is about, so that the unbalanced one can be told from the rest.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Reference {
    pub(crate) origin: Origin,
    pub(crate) site: Site,
    pub(crate) state: ReferenceState,
}

impl Reference {
    /// How it came to be.
    pub fn origin(&self) -> Origin {
        self.origin
    }

    /// Where it was made.
    pub fn site(&self) -> &Site {
        &self.site
    }

    /// What became of it.
    pub fn state(&self) -> ReferenceState {
        self.state
    }
}
