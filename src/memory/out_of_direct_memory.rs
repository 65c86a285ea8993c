//! The error of a budget that is used up.

use std::fmt;
use std::panic::Location;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use super::budget::{Budget, Short};
use crate::report::{Escaped, Refusal, Site};

/// So many bytes did not fit into a [`DirectMemory`](super::DirectMemory).
///
/// Displayed, it is Netty's text to the letter, so that what parses or alerts on that goes on working. `{:#}` and
/// `Debug` add how long was waited, whose limit it was if that is a child's, and who holds the memory, where that is known:
/// a leak-aware allocator adds it, a bare budget cannot know.
///
/// # Examples
///
/// ```
/// use leaktrail::DirectMemory;
///
/// let refused = DirectMemory::with_limit(1024).try_reserve(4096).unwrap_err();
/// assert_eq!(refused.to_string(), "failed to allocate 4096 byte(s) of direct memory (used: 0, max: 1024)");
/// assert_eq!((refused.requested(), refused.used(), refused.limit()), (4096, 0, Some(1024)));
/// assert!(refused.site().line() > 0);
/// ```
///
/// # Cost
/// One allocation when it is made; the site's text is made when it is asked for.
#[derive(Clone)]
pub struct OutOfDirectMemory {
    /// Boxed, so that a `Result` which holds it stays small on the path that succeeds.
    inner: Box<Inner>,
}

#[derive(Clone)]
struct Inner {
    requested_bytes: u64,
    used_bytes: u64,
    abandoned_bytes: u64,
    kept_bytes: u64,
    waited: Duration,
    /// Whose limit it was.
    budget: Arc<Budget>,
    limit_bytes: Option<u64>,
    /// What is displayed as the limit: the limit, or the most that a budget without one counts to.
    most_bytes: u64,
    location: &'static Location<'static>,
    site: OnceLock<Site>,
    refusal: Option<Arc<Refusal>>,
}

impl OutOfDirectMemory {
    /// The refusal of a request that was made of `asked`, at once.
    #[cold]
    pub(super) fn new(
        asked: &Budget,
        requested_bytes: u64,
        short: &Short,
        location: &'static Location<'static>,
    ) -> OutOfDirectMemory {
        asked.note_refusal();
        let Short { at, used_bytes, kept_bytes } = short;
        OutOfDirectMemory {
            inner: Box::new(Inner {
                requested_bytes,
                used_bytes: *used_bytes,
                abandoned_bytes: at.account.abandoned_bytes(),
                kept_bytes: *kept_bytes,
                waited: Duration::ZERO,
                budget: at.clone(),
                limit_bytes: at.account.limit_bytes(),
                most_bytes: at.account.most_bytes(),
                location,
                site: OnceLock::new(),
                refusal: None,
            }),
        }
    }

    /// The same error of a request that has waited.
    pub(super) fn after(mut self, waited: Duration) -> OutOfDirectMemory {
        self.inner.waited = waited;
        self
    }

    /// The same error, which now knows who holds the memory.
    pub(crate) fn with_refusal(mut self, refusal: Arc<Refusal>) -> OutOfDirectMemory {
        self.inner.refusal = Some(refusal);
        self
    }

    /// How many bytes were asked for.
    #[must_use]
    pub fn requested(&self) -> u64 {
        self.inner.requested_bytes
    }

    /// How many bytes were in use when they were asked for.
    #[must_use]
    pub fn used(&self) -> u64 {
        self.inner.used_bytes
    }

    /// How many of the bytes in use were [abandoned](super::Reservation::abandon): nobody gives them back.
    #[must_use]
    pub fn abandoned(&self) -> u64 {
        self.inner.abandoned_bytes
    }

    /// How many bytes were kept for the request that has waited longest: what is left beside those and what is in use was
    /// not enough.
    #[must_use]
    pub fn kept(&self) -> u64 {
        self.inner.kept_bytes
    }

    /// How long the request waited before it was refused; zero if it was refused at once.
    #[must_use]
    pub fn waited(&self) -> Duration {
        self.inner.waited
    }

    /// The name of the budget whose limit it was: a [child](super::DirectMemory::child)'s or the whole's, which is called
    /// `direct memory`. `used` and `limit` are its figures.
    #[must_use]
    pub fn budget(&self) -> &str {
        self.inner.budget.name()
    }

    /// True if `budget` is a child.
    pub(crate) fn is_of_a_child(&self) -> bool {
        self.inner.budget.is_child()
    }

    /// The limit of the budget; `None` when it has none, and only its counter was at its end.
    #[must_use]
    pub fn limit(&self) -> Option<u64> {
        self.inner.limit_bytes
    }

    /// Where the bytes were asked for.
    #[must_use]
    pub fn site(&self) -> &Site {
        self.inner.site.get_or_init(|| Site::from_location(self.inner.location))
    }

    /// Who held the memory at that moment, where a leak-aware allocator was asked.
    #[must_use]
    pub fn holders(&self) -> Option<&Refusal> {
        self.inner.refusal.as_deref()
    }
}

impl fmt::Display for OutOfDirectMemory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Inner { requested_bytes, used_bytes, most_bytes, .. } = *self.inner;
        write!(
            f,
            "failed to allocate {requested_bytes} byte(s) of direct memory (used: {used_bytes}, max: {most_bytes})"
        )?;
        if !f.alternate() {
            return Ok(());
        }
        if self.holders().is_none() {
            self.write_circumstances(f)?;
        }
        for line in self.holders().map(holder_lines).unwrap_or_default() {
            write!(f, "\n{line}")?;
        }
        Ok(())
    }
}

impl OutOfDirectMemory {
    /// What the lines about holders begin with, where there are none.
    fn write_circumstances(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_of_a_child() {
            write!(f, "\nlimit of budget {}", Escaped(self.budget()))?;
        }
        if self.kept() > 0 {
            write!(f, "\n{} B kept for who has waited longest", self.kept())?;
        }
        if !self.waited().is_zero() {
            write!(f, "\nwaited {} ms", self.waited().as_millis())?;
        }
        Ok(())
    }
}

impl fmt::Debug for OutOfDirectMemory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OutOfDirectMemory")
            .field("requested", &self.requested())
            .field("used", &self.used())
            .field("limit", &self.limit())
            .field("budget", &self.budget())
            .field("kept", &self.kept())
            .field("waited", &self.waited())
            .field("site", &format_args!("{}", self.site()))
            .field("holders", &self.holders().map(HolderLines))
            .finish()
    }
}

/// The lines of a refusal that say who holds what. Its first line is the text of the error once more.
fn holder_lines(refusal: &Refusal) -> Vec<String> {
    refusal.to_string().lines().skip(1).map(str::to_owned).collect()
}

/// As text, since that is what somebody reads who unwraps.
struct HolderLines<'a>(&'a Refusal);

impl fmt::Debug for HolderLines<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(holder_lines(self.0)).finish()
    }
}

impl std::error::Error for OutOfDirectMemory {}

#[cfg(all(test, not(leaktrail_loom)))]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::level::Level;
    use crate::memory::DirectMemory;
    use crate::report::{Origin, SiteStats};

    fn refused() -> OutOfDirectMemory {
        let memory = DirectMemory::with_limit(536_870_912);
        let _held = memory.try_reserve(520_093_983).unwrap();
        memory.try_reserve(16_777_216).unwrap_err()
    }

    /// The same error, which knows of one holder.
    fn refused_with_holder() -> OutOfDirectMemory {
        let error = refused();
        let holder = SiteStats {
            resource: "ByteBuf".into(),
            site: Site::from_location(Location::caller()),
            origin: Origin::Retained,
            created: 28_672,
            released: 0,
            leaked: 0,
            untracked: 0,
            live_bytes: 469_762_048,
            leaked_bytes: 0,
            recent: None,
            nonzero_for: None,
        };
        let refusal = Refusal {
            error: error.to_string().into(),
            requested: error.requested(),
            used: error.used(),
            limit: 536_870_912,
            budget: None,
            kept: 0,
            site: error.site().clone(),
            thread: "worker-1".into(),
            waited: Duration::ZERO,
            holders: vec![holder],
            abandoned: 0,
            lost: Vec::new(),
            suppressed: 0,
            level: Level::Simple,
        };
        error.with_refusal(Arc::new(refusal))
    }

    #[test]
    fn the_text_is_nettys_to_the_letter() {
        let text = "failed to allocate 16777216 byte(s) of direct memory (used: 520093983, max: 536870912)";
        assert_eq!(refused().to_string(), text);
        assert_eq!(format!("{:#}", refused()), text);
        assert_eq!(refused_with_holder().to_string(), text);
    }

    #[test]
    fn without_a_limit_the_counter_is_the_limit() {
        let memory = DirectMemory::unlimited();
        let error = memory.try_reserve(u64::MAX).unwrap_err();
        assert_eq!(error.limit(), None);
        assert_eq!(
            error.to_string(),
            "failed to allocate 18446744073709551615 byte(s) of direct memory (used: 0, max: 18446744073709551614)"
        );
    }

    #[test]
    fn the_alternate_form_and_debug_name_the_holders() {
        let error = refused_with_holder();
        assert_eq!(error.holders().unwrap().holders().len(), 1);
        let text = format!("{error:#}");
        let mut lines = text.lines();
        assert_eq!(lines.next(), Some(error.to_string().as_str()));
        assert!(lines.next().unwrap().starts_with("REFUSED: short by 287 B at "), "{text}");
        assert!(lines.next().unwrap().contains("469762048 B in 28672 live"), "{text}");
        assert_eq!(lines.next(), None, "{text}");

        let debug = format!("{error:?}");
        assert!(
            debug.starts_with("OutOfDirectMemory { requested: 16777216, used: 520093983, limit: Some(536870912)"),
            "{debug}"
        );
        assert!(debug.contains("469762048 B in 28672 live"), "{debug}");
        assert!(format!("{:?}", refused()).ends_with("holders: None }"));
    }

    #[test]
    fn a_result_with_it_is_as_small_as_a_pointer() {
        assert_eq!(size_of::<OutOfDirectMemory>(), size_of::<usize>());
    }
}
