//! The budget that the environment asks for.

use crate::config::{ComesTo, Config, DirectMemoryLimit};
use crate::memory::DirectMemory;
use crate::sink;

impl DirectMemory {
    /// The budget that `LEAK_DETECTION_MAX_DIRECT_MEMORY` asks for: `512m`, `0` for no limit, below 0 or unset for half
    /// of what this process may have.
    ///
    /// A value that means nothing counts as unset and is warned about, as every mistake in a variable of this crate: once a
    /// process, whoever reads it first, on the log or, where no logger shows warnings, on standard error. A program that must not start with one
    /// asks [`Config::from_env`](crate::Config::from_env), which gives an error.
    /// What the limit comes to, and where that is from, is logged at DEBUG.
    ///
    /// Each call reads the environment and makes a budget of its own: make one, and clone it.
    ///
    /// # Examples
    ///
    /// ```
    /// use leaktrail::DirectMemory;
    ///
    /// let memory = DirectMemory::from_env();
    /// assert_eq!(memory.used(), 0);
    /// ```
    #[must_use]
    pub fn from_env() -> DirectMemory {
        let (limit, errors) = Config::max_direct_memory_from_env();
        sink::warn_about(&errors);
        sink::echo(&format_args!("a budget by {}={limit}: {}", DirectMemoryLimit::VARIABLE, ComesTo(limit)));
        let (limit_bytes, _origin) = limit.resolve();
        limit_bytes.map_or_else(DirectMemory::unlimited, DirectMemory::with_limit)
    }
}
