//! A named kind of resource.

use std::panic::Location;

use super::handle::{Opening, Ticket};
use super::handle::{Tracked, Watched};
use super::leak_detector::LeakDetector;
use crate::report::{Hint, Origin};

/// A kind of resource under its own name; made by [`LeakDetector::resource`], used once or often.
///
/// # Examples
///
/// ```
/// use leaktrail::{Config, LeakDetector, Tracked};
///
/// struct Pool {
///     connection: leaktrail::Resource,
/// }
///
/// let detector = LeakDetector::new(Config::new());
/// let pool = Pool { connection: detector.resource("Connection").bytes(64) };
/// let handle = pool.connection.track("tcp 10.0.0.7");
/// assert_eq!(detector.holders("Connection")[0].live(), 1);
/// Tracked::release(handle);
/// ```
#[derive(Clone, Debug)]
#[must_use = "a resource counts nothing until `track` or `watch` is called on it"]
pub struct Resource {
    detector: LeakDetector,
    name: &'static str,
    bytes: u64,
    hint: Option<Hint>,
    location: Option<&'static Location<'static>>,
}

impl LeakDetector {
    /// A named kind of resource, with a size, a hint, a place of its own where the caller's will not do.
    ///
    /// # Examples
    ///
    /// ```
    /// use leaktrail::{Config, LeakDetector};
    ///
    /// let detector = LeakDetector::new(Config::new());
    /// let handle = detector.resource("Frame").bytes(4096).watch([0_u8; 4096]);
    /// assert_eq!(detector.holders("Frame")[0].live_bytes(), 4096);
    /// # drop(handle);
    /// ```
    pub fn resource(&self, name: &'static str) -> Resource {
        Resource { detector: self.clone(), name, bytes: 0, hint: None, location: None }
    }
}

impl Resource {
    /// The size of each handle, in bytes. Above 1 TiB it counts as 1 TiB.
    pub fn bytes(mut self, bytes: u64) -> Resource {
        self.bytes = bytes;
        self
    }

    /// A hint for the creation record of each handle that gets a trail.
    pub fn hint(mut self, hint: impl Into<Hint>) -> Resource {
        self.hint = Some(Hint::made(|| hint.into()));
        self
    }

    /// The place that counts as the site, instead of the caller of `track` or `watch`: for wrappers that were called by
    /// somebody who matters more than they do.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::panic::Location;
    ///
    /// use leaktrail::{Config, LeakDetector, Watched};
    ///
    /// struct Cache(LeakDetector);
    ///
    /// impl Cache {
    ///     #[track_caller]
    ///     fn check_out(&self) -> Watched<u32> {
    ///         let caller = Location::caller();
    ///         // In a closure the attribute is lost, so the place is carried by hand.
    ///         let open = || self.0.resource("Entry").at(caller).watch(7);
    ///         open()
    ///     }
    /// }
    ///
    /// let cache = Cache(LeakDetector::new(Config::new()));
    /// let entry = cache.check_out(); // this line
    /// assert_eq!(cache.0.snapshot().sites()[0].site().line(), line!() - 1);
    /// # drop(entry);
    /// ```
    pub fn at(mut self, location: &'static Location<'static>) -> Resource {
        self.location = Some(location);
        self
    }

    /// Tracks a value: its drop without release is a leak.
    #[inline]
    #[track_caller]
    pub fn track<T>(&self, value: T) -> Tracked<T> {
        Tracked::new(value, self.open(Location::caller()))
    }

    /// Watches a value: its drop is the release.
    #[inline]
    #[track_caller]
    pub fn watch<T>(&self, value: T) -> Watched<T> {
        Watched::new(value, self.open(Location::caller()))
    }

    // Inlined, so that at DISABLED nothing is left of it but the look at the level.
    #[inline]
    fn open(&self, caller: &'static Location<'static>) -> Ticket {
        self.detector.core().open(|| Opening {
            resource: self.name,
            is_type: false,
            location: self.location.unwrap_or(caller),
            origin: Origin::Created,
            bytes: self.bytes,
            hint: self.hint.as_ref(),
        })
    }
}
