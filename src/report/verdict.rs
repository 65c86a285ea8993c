//! What is held against a handle.

/// What is held against a handle. Only [`Unreleased`](Verdict::Unreleased) is called a leak.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "snake_case"))]
#[non_exhaustive]
pub enum Verdict {
    /// It was dropped without being released. A fact, not a guess.
    Unreleased,
    /// It is alive where nothing should be, such as at exit. Not a leak by itself.
    Outstanding,
}

impl Verdict {
    /// The word that its lines begin with, without the colon: `LEAK` or `LIVE`.
    pub fn word(self) -> &'static str {
        match self {
            Verdict::Unreleased => "LEAK",
            Verdict::Outstanding => "LIVE",
        }
    }
}
