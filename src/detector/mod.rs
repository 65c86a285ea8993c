//! The detector: level, sampler, trails and ledger put together.
//!
//! A [`LeakDetector`] opens a handle ([`Tracked`], [`Watched`]) by counting it and, for some, starting a trail; the handle
//! keeps the outcome in one word, its [`Ticket`]. A handle that is lost leaves that word in a queue and goes on; the
//! reporter turns what is queued into reports, groups them by cause and hands them to the sinks.
//!
//! ```text
//! the user's threads                 │ queue │   the reporter's thread, or whoever calls flush
//! open ──► Ticket ──► release        │       │
//!   │         └─────► lose ──────────┼─►─────┼─► casebook ──► editor ──► delivery ──► log, sinks, subscribers
//! ledger, trails                     │       │   (one cause)  (symbols)
//! ```
//!
//! On a thread that has entered a test's scope the global detector stands for the scope's, see [`state::redirect`].
//!
//! Rooms, each above the one before: [`state`] (what the clones of a detector share), [`telling`] (how it is told),
//! [`handle`] (what users hold, and how it is opened and closed); then the detector itself and its verbs.

mod handle;
mod state;
mod telling;

mod entered;
mod global;
mod guard;
mod leak_detector;
mod resource;
mod subscription;

pub use self::global::{AlreadyInstalled, install, track, watch};
pub use self::guard::{Guard, guard};
pub use self::handle::{RawTicket, StaleTicket, Tracked, Watched};
pub use self::leak_detector::LeakDetector;
pub use self::resource::Resource;
pub use self::subscription::Subscription;

pub(crate) use self::entered::Entered;
pub(crate) use self::handle::{Opening, Ticket};
