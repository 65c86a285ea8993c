//! What this crate's records are called in a log.

/// The target of every record that this crate logs.
pub(crate) const TARGET: &str = "leaktrail";
