//! For tests: a detector of their own, so that the test that leaks is the test that fails.
//!
//! A [`LeakScope`] counts what one test opens and says at its end what did not come back. Scopes share nothing: tests that
//! run beside each other, in one process or in many, see their own handles and no others. [`check`] and [`check_async`] do
//! the usual thing in one call; [`Growth`] finds what grows from round to round; [`LogRecorder`] keeps what is logged;
//! [`self_test`] proves that detection is on. `docs/TESTING-YOUR-CODE.md` goes from the first test to a gate.
//!
//! # Examples
//!
//! ```
//! use leaktrail::testing::LeakScope;
//! use leaktrail::{ByteBufAllocator, DirectMemory, UnpooledAllocator};
//!
//! let scope = LeakScope::new("decode");
//! let allocator = scope.wrap(UnpooledAllocator::new(DirectMemory::unlimited()));
//! allocator.allocate(64)?.release(); // the code under test
//! scope.assert_clean();
//! # Ok::<(), leaktrail::AllocError>(())
//! ```

mod balance;
mod check;
mod failure;
mod findings;
mod growth;
mod instrumented;
mod late;
mod log_recorder;
mod rules;
mod scope;
mod scope_handle;
mod self_test;
mod settling;

pub use self::check::{check, check_async};
pub use self::growth::Growth;
pub use self::instrumented::Instrumented;
pub use self::log_recorder::{LogLine, LogRecorder};
pub use self::scope::LeakScope;
pub use self::scope_handle::{ScopeGuard, ScopeHandle};
pub use self::self_test::self_test;
