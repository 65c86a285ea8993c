//! What users hold, and how it is opened and closed.

mod expected;
mod losing;
mod opening;
mod random;
mod raw;
mod sampler;
mod ticket;
mod touching;
mod tracked;
mod watched;

pub(crate) use self::opening::Opening;
pub use self::raw::{RawTicket, StaleTicket};
pub(crate) use self::ticket::Ticket;
pub use self::tracked::Tracked;
pub use self::watched::Watched;
