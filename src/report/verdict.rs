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
    /// Its site has had more and more alive for a while: something keeps them.
    Growing,
    /// It is alive for longer than its program said that it should be.
    HeldTooLong,
    /// It is a small part of a large buffer, and nothing else keeps the buffer alive.
    Pinned,
}

impl Verdict {
    /// The word that its lines begin with, without the colon: `LEAK`, `LIVE`, `GROW`, `HELD` or `PINNED`.
    pub fn word(self) -> &'static str {
        match self {
            Verdict::Unreleased => "LEAK",
            Verdict::Outstanding => "LIVE",
            Verdict::Growing => "GROW",
            Verdict::HeldTooLong => "HELD",
            Verdict::Pinned => "PINNED",
        }
    }
}
