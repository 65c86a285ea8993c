//! Finds what nobody gave back, and names the line that should have.
//!
//! Wrap an allocator, or any value that must be given back, and every handle is counted at the line that created it. One
//! that is dropped without release is reported at once, with its trail: where it was created, where it was touched, where
//! it was dropped. One that is kept for ever never drops, so the ledger of what is alive names its line instead: on
//! demand, when the budget refuses, and at exit.
//!
//! ```
//! use leaktrail::{Config, LeakDetector, Level, Tracked};
//!
//! let detector = LeakDetector::new(Config::new().level(Level::Paranoid));
//! let handle = detector.track("a resource");
//! Tracked::touch_with(&handle, "in the cache");
//! drop(handle); // forgotten
//!
//! let seen = detector.snapshot();
//! assert_eq!(seen.sites()[0].site().line(), line!() - 5);
//! assert_eq!(seen.leaked(), 1);
//! ```
//!
//! **Which handle?** Does dropping the value give it back? Yes (buffers, permits, files): [`watch`] it. No (it needs an
//! `&mut Device`, an async close, a foreign free; or every release is to be written down): [`track`] it.
//!
//! **Which level?** [`Level`] says what each records. The default, SIMPLE, counts exactly and is made for production;
//! `LEAK_DETECTION_LEVEL=paranoid` gives every handle a full trail.
//!
//! Reading order of the source: `level`, `report/` (what is said), `ledger/` (what is counted), `stack/` and `trail/`
//! (what is recorded), `detector/` (how it comes together); beside them `memory/` and `buffer/`, which know none of that,
//! and `leak_aware/`, which joins the two; on top [`testing`], scopes for tests. `docs/ARCHITECTURE.md` has the map and the
//! invariants.

mod clock;
mod fork;
mod hash;
mod level;
mod shared_map;
mod sync;

mod config;
mod report;

mod ledger;
mod memory;
mod sink;
mod stack;

mod buffer;
mod trail;

mod detector;

mod leak_aware;

pub mod testing;

pub use buffer::{
    AllocError, Allocating, ArenaStats, BudgetedAllocator, ByteBuf, ByteBufAllocator, ByteBufMut, ChunkSize,
    JoinedByteBuf, PoolStats, PooledAllocator, PooledAllocatorBuilder, RetainError, UnpooledAllocator,
};
pub use config::{AgeLimit, Config, ConfigError, DirectMemoryLimit, FrameLimit, GrowthRule, ReportTo, Symbols, Walker};
pub use detector::{
    AlreadyInstalled, Guard, LeakDetector, RawTicket, Resource, StaleTicket, Subscription, Tracked, Watched, guard,
    install, track, watch,
};
#[cfg(feature = "bytes")]
pub use leak_aware::watch_bytes;
pub use leak_aware::{DropPolicy, LeakAware};
pub use level::{Level, ParseLevelError};
pub use memory::{
    Climb, DirectMemory, MemoryFigures, MemorySample, Monitor, OutOfDirectMemory, ReclaimHook, Reservation, Reserving,
    Stock, WaitHistogram,
};
pub use report::{
    Access, AccessRecord, Discarded, ExitSummary, Fate, Fingerprint, Form, Frame, Hint, LastTouch, LeakReport, Limited,
    Metrics, Observation, Origin, ParseFingerprintError, Pressure, Recent, Reference, ReferenceState, Refusal, Seen,
    Severity, Sink, Site, SiteStats, Snapshot, Span, TrailDepth, Verdict,
};

/// The snippets of the README and of the pages, as documentation tests.
#[cfg(doctest)]
mod pages {
    #[doc = include_str!("../README.md")]
    struct Readme;

    #[doc = include_str!("../docs/ARCHITECTURE.md")]
    struct Architecture;

    #[doc = include_str!("../docs/CONFIGURATION.md")]
    struct Configuration;

    #[doc = include_str!("../docs/NETTY.md")]
    struct Netty;

    #[doc = include_str!("../docs/OPERATING.md")]
    struct Operating;

    #[doc = include_str!("../docs/PERFORMANCE.md")]
    struct Performance;

    #[doc = include_str!("../docs/READER.md")]
    struct Reader;

    #[doc = include_str!("../docs/REPORT-FORMAT.md")]
    struct ReportFormat;

    #[doc = include_str!("../docs/SAFETY.md")]
    struct Safety;

    #[doc = include_str!("../docs/TESTING.md")]
    struct Testing;

    #[doc = include_str!("../docs/TESTING-YOUR-CODE.md")]
    struct TestingYourCode;
}
