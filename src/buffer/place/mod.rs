//! Memory for many buffers at a time: chunks from the budget, and places in them.
//!
//! A [`chunk`] is a few MiB that one reservation pays for. In its pages lie [`run`]s, each of slots of one
//! [`size_class`]; an [`arena`] knows which slots of its chunks are free, under one lock, and threads are spread over
//! several of them ([`arenas`]). What leaves this room is a [`Slot`]: a place that goes back to its arena when it is
//! dropped, whoever has it then. Where no chunk can be had, a buffer is paid for alone ([`Direct`]).
//!
//! Nothing in here knows buffers or threads' caches; they are above.

mod arena;
mod arenas;
mod books;
mod chunk;
mod chunk_size;
mod direct;
mod poison;
mod run;
mod size_class;
mod slot;
mod taking;

pub(super) use self::arena::ArenaFigures;
pub(super) use self::arenas::Arenas;
pub(super) use self::books::{Books, Ledger};
pub use self::chunk_size::ChunkSize;
pub(super) use self::direct::Direct;
pub(super) use self::size_class::{QUANTUM_BYTES, SizeClass};
pub(super) use self::slot::Slot;
pub(super) use self::taking::{Taken, ready, take};
