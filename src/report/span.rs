//! The span of crate `tracing` in which an access happened.

use std::sync::Arc;

/// The span of crate `tracing` in which an access happened; recorded with feature `tracing`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Span {
    pub(crate) name: Arc<str>,
    #[cfg_attr(feature = "serde", serde(with = "crate::report::json::hex"))]
    pub(crate) id: u64,
}

impl Span {
    /// The span's name. Not escaped.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The subscriber's number for it; it may be given to another span once this one is closed.
    pub fn id(&self) -> u64 {
        self.id
    }
}
