//! Trails: what is recorded of single handles.
//!
//! A [`Trail`] is the records of one handle: its creation, the first and the newest accesses by Netty's back-off
//! ([`History`](history::History)), and how many were discarded. Live trails stand in the [`registry`], each in a [`slot`]
//! behind a word of its own. Its number is the slot and the slot's generation and never comes again, so a stale one finds
//! nothing; whoever removes a trail owns it, so exactly one of release and loss wins. Which slots are free the threads know
//! themselves ([`free_slots`]). The references of one shared buffer know each other through [`family`].

pub(crate) mod family;
mod free_slots;
mod history;
pub(crate) mod holding;
pub(crate) mod memory;
mod record;
pub(crate) mod registry;
mod slot;
#[cfg(feature = "tracing")]
mod span;
mod thread_label;
#[expect(clippy::module_inception, reason = "the main type of this room bears its name")]
mod trail;

pub(crate) use family::Family;
pub(crate) use free_slots::is_half_free;
pub(crate) use holding::Part;
pub(crate) use record::{Place, Record};
pub(crate) use registry::TrailId;
pub(crate) use thread_label::ThreadLabel;
pub(crate) use trail::{Left, Start, Trail};
