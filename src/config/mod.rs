//! What the user asked for, and what the environment makes of it.
//!
//! A [`Config`] is a plain value that cannot hold a setting that means nothing. The environment is read over it:
//! a variable that is set and understood wins, one that is not becomes a [`ConfigError`] and changes nothing.
//! Only `env.rs` touches the process environment; the rest works on whatever is handed to it, and so do the tests.
//! What each variable means to a user stands in `docs/CONFIGURATION.md`.

mod age_limit;
#[expect(clippy::module_inception, reason = "a file bears the name of its main type")]
mod config;
mod control_file;
mod direct_memory_limit;
mod env;
mod error;
mod frame_limit;
mod growth_rule;
mod headroom;
mod machine;
mod overlay;
mod report_to;
mod setting;
mod symbols;
mod variable;
mod walker;

pub use self::age_limit::AgeLimit;
pub use self::config::Config;
pub(crate) use self::direct_memory_limit::ComesTo;
pub use self::direct_memory_limit::DirectMemoryLimit;
pub use self::error::ConfigError;
pub use self::frame_limit::FrameLimit;
pub use self::growth_rule::GrowthRule;
pub use self::report_to::ReportTo;
pub use self::symbols::Symbols;
pub use self::walker::Walker;

pub(crate) use self::control_file::Control;
pub(crate) use self::headroom::memory_left;
pub(crate) use self::machine::{group_memory, resident_bytes};
