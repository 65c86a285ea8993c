//! What leaktrail costs, measured beside floors and peers.
//!
//! `instructions` is the program of the gate `.ci/instructions`. `benches/table`, a script, writes the table of
//! `docs/PERFORMANCE.md`; `cargo bench` in this folder runs the same bodies under criterion, for work on one of them.
//!
//! Reading order: [`bodies`] (what is measured), [`peers`] (the same by others), [`rows`] (how: batches in turns, thread
//! CPU time, medians), [`pair`] (two threads at once), [`clock`], [`deep`], [`paths`].

pub mod bodies;
pub mod clock;
pub mod deep;
pub mod pair;
pub mod paths;
pub mod peers;
pub mod rows;
