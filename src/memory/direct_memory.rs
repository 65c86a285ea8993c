//! A budget of bytes.

use std::fmt;
use std::panic::Location;
use std::sync::Arc;

use super::budget::{Budget, Turn};
use super::figures::MemoryFigures;
use super::fill::Fill;
use super::out_of_direct_memory::OutOfDirectMemory;
use super::reclaim::{self, ReclaimHook};
use super::reservation::Reservation;
use super::stock::Stock;

/// A budget of bytes: what is reserved is counted exactly, and what would go over the limit is refused.
///
/// Give one to each allocator that is to share it; a clone is the same budget. It is the counterpart of Netty's
/// `io.netty.maxDirectMemory`, but a value: a program may have as many as it has kinds of memory.
///
/// It never hands out more than its limit, not for an instant, and it never refuses what fits beside what is kept for who
/// waits longest, however many threads ask at once. [`try_reserve`](DirectMemory::try_reserve) answers at once,
/// [`reserve`](DirectMemory::reserve) and [`reserve_async`](DirectMemory::reserve_async) wait their turn;
/// [`child`](DirectMemory::child) makes a budget within this one. It does not allocate: it counts what you, or an
/// allocator, are about to allocate.
///
/// # Examples
///
/// ```
/// use leaktrail::DirectMemory;
///
/// let memory = DirectMemory::with_limit(1024);
/// let first = memory.try_reserve(1000)?;
/// let refused = memory.try_reserve(100).unwrap_err();
/// assert_eq!(refused.to_string(), "failed to allocate 100 byte(s) of direct memory (used: 1000, max: 1024)");
/// drop(first);
/// assert!(memory.try_reserve(100).is_ok());
/// assert_eq!((memory.used(), memory.peak()), (0, 1000));
/// # Ok::<(), leaktrail::OutOfDirectMemory>(())
/// ```
///
/// # Cost
/// A reservation is three atomic read-modify-writes (a compare-and-swap of the bytes, a count, a clone of the budget's
/// handle) and one more while the peak rises; giving it back is three. No lock, no allocation, while nobody waits and for
/// a budget that is no child. Each also asks whether anybody waits: a load.
#[derive(Clone)]
pub struct DirectMemory {
    pub(super) budget: Arc<Budget>,
}

impl DirectMemory {
    /// A budget that hands out at most so many bytes at once.
    #[must_use]
    pub fn with_limit(bytes: u64) -> DirectMemory {
        DirectMemory { budget: Arc::new(Budget::root(Some(bytes))) }
    }

    /// A budget that counts and does not refuse.
    ///
    /// Only its counter is finite: a sum above `u64::MAX - 1` is refused.
    ///
    /// # Examples
    ///
    /// ```
    /// use leaktrail::DirectMemory;
    ///
    /// let memory = DirectMemory::unlimited();
    /// let reservation = memory.try_reserve(1 << 40)?;
    /// assert_eq!((memory.limit(), memory.used()), (None, 1 << 40));
    /// # drop(reservation);
    /// # Ok::<(), leaktrail::OutOfDirectMemory>(())
    /// ```
    #[must_use]
    pub fn unlimited() -> DirectMemory {
        DirectMemory { budget: Arc::new(Budget::root(None)) }
    }

    /// Reserves so many bytes, at once or not at all.
    ///
    /// # Errors
    /// [`OutOfDirectMemory`] when they do not fit. It names the caller of this function, and the budget is as it was.
    #[track_caller]
    pub fn try_reserve(&self, bytes: u64) -> Result<Reservation, OutOfDirectMemory> {
        Reservation::take_at_once(&self.budget, bytes, Location::caller())
    }

    /// Reserves so many bytes at once, or not at all and without an error: for a pool that has other ways when they do not
    /// fit.
    pub(crate) fn try_take(&self, bytes: u64) -> Option<Reservation> {
        Reservation::take(&self.budget, bytes, Turn::AtOnce).ok()
    }

    /// Asks the reclaim hooks to give back what is missing for so many bytes. Nothing is waited for; within a hook, nothing
    /// is done.
    pub(crate) fn reclaim(&self, bytes: u64) {
        self.budget.reclaim(bytes);
    }

    /// Counts bytes as abandoned that are a part of a reservation which stays.
    pub(crate) fn abandon_part(&self, bytes: u64) {
        self.budget.abandon_part(bytes);
    }

    /// Has `hook` asked to give memory back before [`reserve`](DirectMemory::reserve) refuses: the counterpart of the
    /// help that the JDK's `Bits.reserveMemory` gives to pending cleaners.
    ///
    /// For who keeps memory ready: a pool, a cache. The hook is told how many bytes are missing, drops
    /// reservations, and answers how many bytes it gave back; the answer is for the figures, what counts is the budget.
    /// Hooks are asked one after another, in the order in which they were attached, until it fits.
    ///
    /// The hook is called by the thread that reserves, with no lock of leaktrail's held. It may reserve and release; in a
    /// hook `reserve` is [`try_reserve`](DirectMemory::try_reserve), which runs no hooks. Several threads may be inside
    /// at once. A hook that panics is not called again; who reserved goes on.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::sync::{Arc, Mutex};
    /// use leaktrail::{DirectMemory, Reservation};
    ///
    /// let memory = DirectMemory::with_limit(1024);
    /// let cache: Arc<Mutex<Vec<Reservation>>> = Arc::default();
    /// cache.lock().unwrap().push(memory.try_reserve(1000)?);
    ///
    /// let kept = cache.clone();
    /// let _attached = memory.on_reclaim(move |wanted| {
    ///     assert_eq!(wanted, 76);
    ///     kept.lock().unwrap().drain(..).map(|reservation| reservation.bytes()).sum()
    /// });
    /// assert!(memory.try_reserve(100).is_err(), "at once means without hooks");
    /// assert_eq!(memory.reserve(100)?.bytes(), 100);
    /// assert_eq!(memory.figures().given_back_by_hooks(), 1000);
    /// # Ok::<(), leaktrail::OutOfDirectMemory>(())
    /// ```
    pub fn on_reclaim(&self, hook: impl Fn(u64) -> u64 + Send + Sync + 'static) -> ReclaimHook {
        reclaim::Hooks::attach(&self.budget.hooks, Box::new(hook))
    }

    /// True while somebody waits for bytes of this budget, or of one that shares its parent.
    ///
    /// For a pool, asked as memory comes back: what it would keep ready for later it gives back, and somebody is served
    /// now. A thread that waits asks the hooks again from time to time; a task has no clock and does not.
    ///
    /// # Cost
    /// One relaxed load.
    #[must_use]
    pub fn is_waited_for(&self) -> bool {
        self.budget.is_waited_for()
    }

    /// Books for a pool that reserves from this budget: how much of it lies ready, and how much alignment costs.
    pub fn stock(&self) -> Stock {
        Stock::new(self.budget.stocks())
    }

    /// All figures of one moment: reserved, by buffers, cached, lost to alignment; peak, refusals, waits.
    #[must_use]
    pub fn figures(&self) -> MemoryFigures {
        self.budget.figures()
    }

    /// A budget within this one: what is reserved from it counts here too, and fits only if it fits both.
    ///
    /// For one tenant, listener or kind of request, so that it cannot take what others need. The limits of children may add
    /// up to more than their parent's: each is the most that one may have, not what it is sure to get. A child may have
    /// children. It does not keep them, but each keeps its parent.
    ///
    /// Who waits for a child's own limit is in the way of that child's requests alone.
    ///
    /// # Examples
    ///
    /// ```
    /// use leaktrail::DirectMemory;
    ///
    /// let memory = DirectMemory::with_limit(1000);
    /// let tenant = memory.child("tenant a", 300);
    /// let _reservation = tenant.try_reserve(200)?;
    /// assert_eq!((memory.used(), tenant.used()), (200, 200));
    ///
    /// let refused = tenant.try_reserve(200).unwrap_err();
    /// assert_eq!((refused.budget(), refused.used(), refused.limit()), ("tenant a", 200, Some(300)));
    ///
    /// let _others = memory.try_reserve(750)?;
    /// let refused = tenant.try_reserve(100).unwrap_err();
    /// assert_eq!((refused.budget(), refused.used(), refused.limit()), ("direct memory", 950, Some(1000)));
    /// # Ok::<(), leaktrail::OutOfDirectMemory>(())
    /// ```
    ///
    /// # Cost
    /// A reservation of a child takes a lock that all children of one tree share, and an atomic addition for each budget
    /// above; giving it back takes none while nobody waits.
    #[must_use]
    pub fn child(&self, name: impl Into<Box<str>>, limit_bytes: u64) -> DirectMemory {
        DirectMemory { budget: Arc::new(Budget::child(&self.budget, name.into(), limit_bytes)) }
    }

    /// The name: a child's own, or `direct memory`.
    #[must_use]
    pub fn name(&self) -> &str {
        self.budget.name()
    }

    /// The bytes that are reserved now, those abandoned included. Never above the limit.
    #[must_use]
    pub fn used(&self) -> u64 {
        self.budget.account.used_bytes()
    }

    /// The most bytes that may be reserved at once; `None` without a limit.
    #[must_use]
    pub fn limit(&self) -> Option<u64> {
        self.budget.account.limit_bytes()
    }

    /// The most bytes that were reserved at once so far.
    #[must_use]
    pub fn peak(&self) -> u64 {
        self.budget.account.peak_bytes()
    }

    /// How many reservations are live, those of 0 bytes included and those abandoned not.
    #[must_use]
    pub fn reservations(&self) -> u64 {
        self.budget.account.live_reservations()
    }

    /// The bytes that were [abandoned](Reservation::abandon): a part of [`used`](DirectMemory::used) that never comes
    /// back.
    #[must_use]
    pub fn abandoned(&self) -> u64 {
        self.budget.account.abandoned_bytes()
    }

    /// How full it is.
    pub(crate) fn fill(&self) -> Fill {
        Fill::of(&self.budget)
    }
}

impl fmt::Debug for DirectMemory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DirectMemory")
            .field("used", &self.used())
            .field("limit", &self.limit())
            .field("peak", &self.peak())
            .field("reservations", &self.reservations())
            .field("abandoned", &self.abandoned())
            .finish()
    }
}

#[cfg(all(test, not(leaktrail_loom)))]
mod tests {
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::thread;

    use proptest::prelude::*;

    use super::*;
    use crate::memory::{Monitor, Reserving};

    const fn assert_send_sync<T: Send + Sync>() {}
    const _: () = {
        assert_send_sync::<DirectMemory>();
        assert_send_sync::<Reservation>();
        assert_send_sync::<OutOfDirectMemory>();
        assert_send_sync::<Reserving>();
        assert_send_sync::<ReclaimHook>();
        assert_send_sync::<Stock>();
        assert_send_sync::<Monitor>();
    };

    #[test]
    fn a_refusal_changes_nothing_and_names_its_caller() {
        let memory = DirectMemory::with_limit(1024);
        let _reservation = memory.try_reserve(1000).unwrap();
        let (refused, line) = (memory.try_reserve(100).unwrap_err(), line!());
        assert_eq!((refused.site().line(), refused.requested(), refused.used()), (line, 100, 1000));
        assert_eq!(refused.limit(), Some(1024));
        assert!(refused.site().file().ends_with("src/memory/direct_memory.rs"), "{}", refused.site());
        assert_eq!((memory.used(), memory.peak(), memory.reservations()), (1000, 1000, 1));
    }

    #[test]
    fn clones_are_one_budget_and_debug_shows_it() {
        let memory = DirectMemory::with_limit(10);
        let _reservation = memory.clone().try_reserve(7).unwrap();
        assert_eq!(
            format!("{memory:?}"),
            "DirectMemory { used: 7, limit: Some(10), peak: 7, reservations: 1, abandoned: 0 }"
        );
    }

    /// Netty's limit of 512 MiB near its end, from four threads that each ask for more than is left.
    #[test]
    fn threads_near_the_limit_never_pass_it() {
        const LIMIT: u64 = 536_870_912;
        let rounds: u64 = if cfg!(miri) { 50 } else { 20_000 };
        let memory = DirectMemory::with_limit(LIMIT);
        let done = AtomicBool::new(false);
        thread::scope(|scope| {
            let takers: Vec<_> = (1..=4_u64)
                .map(|taker| {
                    let memory = memory.clone();
                    scope.spawn(move || {
                        let mut held = None;
                        for round in 0..rounds {
                            let bytes = LIMIT / 8 * ((round + taker) % 7);
                            // The one before is held meanwhile, so that the budget is always near its end.
                            let reserved = memory.try_reserve(bytes).ok();
                            assert!(reserved.as_ref().is_none_or(|reservation| reservation.bytes() == bytes));
                            drop(std::mem::replace(&mut held, reserved));
                        }
                    })
                })
                .collect();
            let watcher = scope.spawn(|| {
                while !done.load(Ordering::Relaxed) {
                    assert!(memory.used() <= LIMIT && memory.peak() <= LIMIT, "{memory:?}");
                    std::hint::spin_loop();
                }
            });
            takers.into_iter().for_each(|taker| taker.join().unwrap());
            done.store(true, Ordering::Relaxed);
            watcher.join().unwrap();
        });
        assert_eq!((memory.used(), memory.reservations(), memory.abandoned()), (0, 0, 0));
        assert!(memory.peak() > 0);
    }

    #[derive(Clone, Debug)]
    enum Action {
        Reserve(u64),
        GiveBack(prop::sample::Index),
        Abandon(prop::sample::Index),
        Absorb(prop::sample::Index, prop::sample::Index),
    }

    fn actions() -> impl Strategy<Value = Vec<Action>> {
        // Around the limit of 1000, and around the end of the numbers.
        let bytes = prop_oneof![8 => 0..400_u64, 1 => 900..1100_u64, 1 => u64::MAX - 2..=u64::MAX];
        let action = prop_oneof![
            4 => bytes.prop_map(Action::Reserve),
            3 => any::<prop::sample::Index>().prop_map(Action::GiveBack),
            1 => any::<prop::sample::Index>().prop_map(Action::Abandon),
            1 => any::<(prop::sample::Index, prop::sample::Index)>().prop_map(|(a, b)| Action::Absorb(a, b)),
        ];
        prop::collection::vec(action, 1..60)
    }

    proptest! {
        #![proptest_config(ProptestConfig {
            cases: if cfg!(miri) { 2 } else { 512 }, failure_persistence: None, ..ProptestConfig::default()
        })]

        /// Against a list of what is out, summed up each time.
        #[test]
        fn counts_as_a_list_would(actions in actions(), limit in prop::option::of(Just(1000_u64))) {
            let memory = limit.map_or_else(DirectMemory::unlimited, DirectMemory::with_limit);
            let most = u128::from(limit.unwrap_or(u64::MAX - 1));
            let (mut live, mut abandoned, mut peak) = (Vec::<Reservation>::new(), 0_u128, 0_u128);
            for action in actions {
                let used = live.iter().map(|reservation| u128::from(reservation.bytes())).sum::<u128>() + abandoned;
                match action {
                    Action::Reserve(bytes) => {
                        let reserved = memory.try_reserve(bytes);
                        prop_assert_eq!(reserved.is_ok(), used + u128::from(bytes) <= most);
                        live.extend(reserved);
                    }
                    Action::GiveBack(index) if !live.is_empty() => drop(live.swap_remove(index.index(live.len()))),
                    Action::Abandon(index) if !live.is_empty() => {
                        let reservation = live.swap_remove(index.index(live.len()));
                        abandoned += u128::from(reservation.bytes());
                        reservation.abandon();
                    }
                    Action::Absorb(from, into) if live.len() > 1 => {
                        let from = live.swap_remove(from.index(live.len()));
                        let into = into.index(live.len());
                        live[into].absorb(from);
                    }
                    _ => {}
                }
                let used = live.iter().map(|reservation| u128::from(reservation.bytes())).sum::<u128>() + abandoned;
                peak = peak.max(used);
                prop_assert_eq!(u128::from(memory.used()), used);
                prop_assert_eq!(u128::from(memory.peak()), peak);
                prop_assert_eq!(u128::from(memory.abandoned()), abandoned);
                prop_assert_eq!(memory.reservations(), live.len() as u64);
            }
            drop(live);
            prop_assert_eq!(u128::from(memory.used()), abandoned);
            prop_assert_eq!(memory.reservations(), 0);
        }
    }
}
