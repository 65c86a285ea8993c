//! The walk by unwind rules: two loads and an addition a frame, for code that was built without frame pointers too.
//!
//! A [`Rule`](rule::Rule) says how to get from a return address to the caller's; the [`table`] keeps those that were needed,
//! [`modules`] know which code stays, and the [`reader`] makes a rule of their unwind tables. What no rule can say is left to
//! the reference, for the whole walk.

mod modules;
mod reader;
#[cfg(test)]
mod reader_tests;
mod rule;
mod table;
mod walk;

pub(super) use walk::Rules;
