//! What the clones of a budget share: its account, its parent, and who waits for its bytes.

use std::iter;
use std::sync::Arc;
use std::time::Duration;

use super::account::Account;
use super::call::Call;
use super::figures::MemoryFigures;
use super::line::{Paid, Payer, Place};
use super::reclaim::{self, Hooks};
use super::room::Room;
use super::stock::{Stocks, Sums};
use super::waits::Waits;
use crate::clock::Stamp;

/// From then on the bytes of the first who waits are kept for it. Until then who asks at once may have what is free: most
/// waits are shorter, and bytes that are kept are bytes that nobody uses.
const KEEP_AFTER: Duration = Duration::from_millis(if cfg!(leaktrail_loom) { 0 } else { 10 });

/// A budget, behind every [`DirectMemory`](super::DirectMemory) of it and every reservation.
///
/// Invariant A3: what a child has taken, each budget above it has taken too. The root's account is exact by itself; those of
/// children are raised under the lock of the [`Room`] alone, so that what was found to fit there still does when the root
/// has paid, and nothing is ever taken in vain and taken back, which would refuse others meanwhile.
#[derive(Debug)]
pub(super) struct Budget {
    pub(super) account: Account,
    parent: Option<Arc<Budget>>,
    /// The root's has the line. A child's is [elsewhere](Room::elsewhere), so that the short way is one question.
    room: Room<Budget>,
    pub(super) hooks: Arc<Hooks>,
    stocks: Arc<Stocks>,
    waits: Waits,
    name: Box<str>,
}

/// Why something did not fit.
#[derive(Debug)]
pub(super) struct Short {
    /// Whose limit it was.
    pub(super) at: Arc<Budget>,
    pub(super) used_bytes: u64,
    /// What is kept there for who waits longest.
    pub(super) kept_bytes: u64,
}

/// How a request that does not wait regards those who do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Turn {
    /// It may have what is not kept yet.
    AtOnce,
    /// It gets into the line itself if anybody waits where it would take from.
    InLine,
}

impl Budget {
    pub(super) fn root(limit_bytes: Option<u64>) -> Budget {
        Budget::new(limit_bytes, None, "direct memory".into())
    }

    pub(super) fn child(parent: &Arc<Budget>, name: Box<str>, limit_bytes: u64) -> Budget {
        Budget::new(Some(limit_bytes), Some(parent.clone()), name)
    }

    fn new(limit_bytes: Option<u64>, parent: Option<Arc<Budget>>, name: Box<str>) -> Budget {
        Budget {
            account: Account::new(limit_bytes),
            room: if parent.is_some() { Room::elsewhere() } else { Room::new() },
            parent,
            hooks: Arc::new(Hooks::new()),
            stocks: Arc::new(Stocks::new()),
            waits: Waits::default(),
            name,
        }
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    pub(super) fn is_waited_for(&self) -> bool {
        self.top().room.is_anybody_waiting()
    }

    pub(super) fn is_child(&self) -> bool {
        self.parent.is_some()
    }

    /// Takes the bytes if that is a short way: one budget, nobody who waits, and they fit.
    #[inline]
    pub(super) fn take_quickly(&self, bytes: u64) -> bool {
        // Who sees nobody waiting may take a moment after somebody began to: it asked before that one's bytes were kept.
        !self.room.is_anybody_waiting() && self.account.take(bytes).is_ok()
    }

    /// Takes the bytes, here and above, or says what is in the way.
    pub(super) fn take(self: &Arc<Self>, bytes: u64, turn: Turn) -> Result<(), Short> {
        if self.room.is_anybody_waiting() {
            return self.take_beside_others(bytes, turn);
        }
        self.account.take(bytes).map_err(|used_bytes| self.short(used_bytes, 0))
    }

    /// Gives the bytes back, here and above, to who waits for them first.
    #[inline]
    pub(super) fn give_back(&self, bytes: u64) {
        self.account.give_back(bytes);
        if self.room.is_anybody_waiting() {
            self.give_back_to_others(bytes);
        }
    }

    #[cold]
    fn give_back_to_others(&self, bytes: u64) {
        self.path().skip(1).for_each(|budget| budget.account.give_back(bytes));
        self.serve();
    }

    /// Serves whoever waits, if anybody does.
    fn serve(&self) {
        let room = &self.top().room;
        if room.is_anybody_waiting() {
            room.serve();
        }
    }

    /// Counts the bytes of one reservation as gone for good.
    pub(super) fn abandon(&self, bytes: u64) {
        self.path().for_each(|budget| budget.account.abandon(bytes));
        // Whoever waits for more than can ever be free now is told.
        self.serve();
    }

    /// Counts bytes of a reservation as gone for good that lives on with the rest of its bytes, for ever.
    pub(super) fn abandon_part(&self, bytes: u64) {
        self.path().for_each(|budget| budget.account.abandon_part(bytes));
        // As above.
        self.serve();
    }

    /// Gets into the line; the answer is the number there.
    pub(super) fn enter(self: &Arc<Self>, bytes: u64, call: Arc<Call>) -> u64 {
        self.top().room.enter(self, bytes, call, || self.path().for_each(|budget| budget.account.look()))
    }

    /// Gets out of the line, if it stands there still.
    pub(super) fn leave_line(&self, number: u64) {
        self.top().room.with_line(|line, _| line.leave(number));
    }

    pub(super) fn is_first_in_line(&self, number: u64) -> bool {
        self.top().room.with_line(|line, _| line.is_first(number))
    }

    /// Asks the hooks, this budget's first, to give back what is missing. Holds no lock. A hook is asked by nobody that is
    /// in a hook already.
    pub(super) fn reclaim(&self, bytes: u64) {
        if reclaim::is_inside_a_hook() {
            return;
        }
        for budget in self.path() {
            budget.hooks.run(|| Some(self.missing(bytes)).filter(|missing| *missing > 0));
        }
    }

    /// Notes a wait that is over.
    pub(super) fn note_wait(&self, waited: Duration) {
        self.path().for_each(|budget| budget.waits.note(waited));
    }

    /// Notes a request that ended without its bytes.
    pub(super) fn note_refusal(&self) {
        self.path().for_each(|budget| budget.account.refuse());
    }

    /// The books of this budget and of each above it.
    pub(super) fn stocks(&self) -> impl Iterator<Item = &Arc<Stocks>> {
        self.path().map(|budget| &budget.stocks)
    }

    pub(super) fn figures(&self) -> MemoryFigures {
        let account = &self.account;
        let waiting = || self.top().room.with_line(|line, _| line.waiting_at(self.place()));
        let waiting = if self.top().room.is_anybody_waiting() { waiting() } else { 0 };
        // What a pool has is read before what is reserved; where both moved meanwhile, no part is more than the whole.
        let Sums { cached_bytes, overhead_bytes } = self.stocks.sums();
        let reserved_bytes = account.used_bytes();
        let cached_bytes = cached_bytes.min(reserved_bytes);
        MemoryFigures {
            limit_bytes: account.limit_bytes(),
            reserved_bytes,
            cached_bytes,
            overhead_bytes: overhead_bytes.min(reserved_bytes - cached_bytes),
            abandoned_bytes: account.abandoned_bytes(),
            peak_bytes: account.peak_bytes(),
            given_back_by_hooks_bytes: self.hooks.given_back_bytes(),
            reservations: account.live_reservations(),
            refusals: account.refusals(),
            waiting,
            waited: self.waits.histogram(),
        }
    }

    /// As `take` where somebody waits, or where several budgets pay: under the lock, so that all is of one moment.
    fn take_beside_others(self: &Arc<Self>, bytes: u64, turn: Turn) -> Result<(), Short> {
        self.top().room.with_line(|_, kept| {
            let now = Stamp::now();
            for kept in kept.iter().filter(|kept| bytes > 0 && self.pays_from(kept.place)) {
                let at = self.budget_at(kept.place);
                let used_bytes = at.account.used_bytes();
                let free_bytes = (at.account.most_bytes() - used_bytes).saturating_sub(kept.bytes);
                let is_in_the_way = match turn {
                    Turn::AtOnce => kept.age(now) >= KEEP_AFTER && bytes > free_bytes,
                    Turn::InLine => true,
                };
                if is_in_the_way {
                    return Err(at.short(used_bytes, kept.bytes));
                }
            }
            match self.pay(bytes) {
                Paid::Yes => Ok(()),
                Paid::Short(place, used_bytes) | Paid::Never(place, used_bytes) => {
                    Err(self.budget_at(place).short(used_bytes, 0))
                }
            }
        })
    }

    /// How many bytes have to come back before so many fit, here and above.
    fn missing(&self, bytes: u64) -> u64 {
        self.path().map(|budget| budget.account.missing(bytes)).max().unwrap_or(0)
    }

    /// True unless so many bytes are more than some limit leaves beside what was abandoned.
    pub(super) fn can_ever_fit(&self, bytes: u64) -> bool {
        self.path().all(|budget| budget.account.can_ever_fit(bytes))
    }

    fn short(self: &Arc<Self>, used_bytes: u64, kept_bytes: u64) -> Short {
        Short { at: self.clone(), used_bytes, kept_bytes }
    }

    /// This budget and each above it, the root last.
    pub(super) fn path(&self) -> impl Iterator<Item = &Budget> {
        iter::successors(Some(self), |budget| budget.parent.as_deref())
    }

    fn path_of_arcs(self: &Arc<Self>) -> impl Iterator<Item = &Arc<Budget>> {
        iter::successors(Some(self), |budget| budget.parent.as_ref())
    }

    fn budget_at(self: &Arc<Self>, place: Place) -> &Arc<Budget> {
        self.path_of_arcs().find(|budget| budget.place() == place).unwrap_or(self)
    }

    fn top(&self) -> &Budget {
        self.path().last().unwrap_or(self)
    }
}

impl Payer for Budget {
    fn place(&self) -> Place {
        Place(std::ptr::from_ref(self).addr())
    }

    fn pays_from(&self, place: Place) -> bool {
        self.path().any(|budget| budget.place() == place)
    }

    /// Called under the lock of the room.
    fn pay(&self, bytes: u64) -> Paid {
        if let Some(small) = self.path().find(|budget| !budget.account.can_ever_fit(bytes)) {
            return Paid::Never(small.place(), small.account.used_bytes());
        }
        let children = || self.path().take_while(|budget| budget.parent.is_some());
        // Nobody else raises these meanwhile (A3), so what fits goes on fitting.
        for budget in children() {
            let used_bytes = budget.account.used_bytes();
            if bytes > budget.account.most_bytes() - used_bytes {
                return Paid::Short(budget.place(), used_bytes);
            }
        }
        let root = self.top();
        if let Err(used_bytes) = root.account.take(bytes) {
            return Paid::Short(root.place(), used_bytes);
        }
        children().for_each(|budget| budget.account.add(bytes));
        Paid::Yes
    }
}
