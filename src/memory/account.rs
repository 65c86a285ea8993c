//! The counters of a budget, and the one loop that decides.

use crate::sync::{AtomicU64, Ordering};

/// The most that a budget without a limit counts to.
///
/// One less than the type could hold, so that `u64::MAX`, which is what a negative number becomes by a cast, is refused
/// by every budget but one whose limit is that very number.
const MOST_WITHOUT_LIMIT_BYTES: u64 = u64::MAX - 1;

/// Bytes out against a limit.
///
/// Invariant A1: `used` is the sum of all live reservations and of all abandoned ones, and never above the limit.
/// Invariant A2: what is given back was taken before, once; [`Reservation`](super::Reservation) sees to that.
#[derive(Debug)]
pub(super) struct Account {
    limit_bytes: Option<u64>,
    used_bytes: AtomicU64,
    peak_bytes: AtomicU64,
    abandoned_bytes: AtomicU64,
    live_reservations: AtomicU64,
    refusals: AtomicU64,
}

impl Account {
    pub(super) fn new(limit_bytes: Option<u64>) -> Account {
        Account {
            limit_bytes,
            used_bytes: AtomicU64::new(0),
            peak_bytes: AtomicU64::new(0),
            abandoned_bytes: AtomicU64::new(0),
            live_reservations: AtomicU64::new(0),
            refusals: AtomicU64::new(0),
        }
    }

    /// Takes so many bytes, or says how many were in use when they did not fit.
    ///
    /// Netty adds first, looks, and subtracts again, so that two threads near the limit can both be refused although
    /// one of them fits, and a reader sees more in use than there is. Here the new value is only stored once it is
    /// known to be within the limit.
    pub(super) fn take(&self, bytes: u64) -> Result<(), u64> {
        let most = self.most_bytes();
        // Relaxed: a guess. The exchange below decides on the value that is really there, and a refusal on an old value
        // is one that this thread could have met a moment ago; what happened before this call is never missed.
        let mut used = self.used_bytes.load(Ordering::Relaxed);
        loop {
            let Some(after) = used.checked_add(bytes).filter(|after| *after <= most) else { return Err(used) };
            // Acquire: pairs with the Release in `give_back`. Whoever gets bytes that another thread gave back also
            // sees what that thread did before, for instance that the memory behind them was freed.
            match self.used_bytes.compare_exchange_weak(used, after, Ordering::Acquire, Ordering::Relaxed) {
                Ok(_) => {
                    self.note_taken(after);
                    return Ok(());
                }
                Err(newer) => used = newer,
            }
        }
    }

    /// Takes bytes that are known to fit, since nobody else takes any meanwhile.
    pub(super) fn add(&self, bytes: u64) {
        // AcqRel: as in `take`, and a link between who gives back and who looks.
        let before = self.used_bytes.fetch_add(bytes, Ordering::AcqRel);
        debug_assert!(bytes <= self.most_bytes() - before, "A1: {bytes} byte(s) taken beside {before}");
        self.note_taken(before + bytes);
    }

    fn note_taken(&self, used_bytes: u64) {
        // Relaxed: figures for display, which order nothing.
        self.live_reservations.fetch_add(1, Ordering::Relaxed);
        // The peak moves rarely once a program is warm, so look before writing to a shared cache line.
        if self.peak_bytes.load(Ordering::Relaxed) < used_bytes {
            self.peak_bytes.fetch_max(used_bytes, Ordering::Relaxed);
        }
    }

    /// Gives back the bytes of one reservation.
    pub(super) fn give_back(&self, bytes: u64) {
        self.live_reservations.fetch_sub(1, Ordering::Relaxed);
        // Release: pairs with the Acquire in `take`. Acquire: pairs with the Release in `look`.
        let before = self.used_bytes.fetch_sub(bytes, Ordering::AcqRel);
        debug_assert!(before >= bytes, "A2: {bytes} byte(s) given back of {before}");
    }

    /// Counts the bytes of one reservation as gone for good: they stay in use.
    pub(super) fn abandon(&self, bytes: u64) {
        self.abandoned_bytes.fetch_add(bytes, Ordering::Relaxed);
        self.live_reservations.fetch_sub(1, Ordering::Relaxed);
        // What can ever fit has changed: a link to who looks, as in `give_back`.
        self.look();
    }

    /// Ties what this thread has written before to everybody who gives back after, and what everybody has given back
    /// before to what this thread reads after: of two read-modify-writes one comes second.
    pub(super) fn look(&self) {
        self.used_bytes.fetch_add(0, Ordering::AcqRel);
    }

    /// Counts bytes of a reservation as gone for good that lives on with the rest of its bytes, for ever.
    pub(super) fn abandon_part(&self, bytes: u64) {
        self.abandoned_bytes.fetch_add(bytes, Ordering::Relaxed);
    }

    /// Counts a request that ends without its bytes.
    pub(super) fn refuse(&self) {
        self.refusals.fetch_add(1, Ordering::Relaxed);
    }

    /// How many bytes have to come back before so many fit.
    pub(super) fn missing(&self, bytes: u64) -> u64 {
        bytes.saturating_sub(self.most_bytes() - self.used_bytes())
    }

    /// True unless so many bytes are more than the limit leaves beside what was abandoned.
    pub(super) fn can_ever_fit(&self, bytes: u64) -> bool {
        bytes <= self.most_bytes().saturating_sub(self.abandoned_bytes())
    }

    pub(super) fn limit_bytes(&self) -> Option<u64> {
        self.limit_bytes
    }

    /// The limit, or what stands in for it.
    pub(super) fn most_bytes(&self) -> u64 {
        self.limit_bytes.unwrap_or(MOST_WITHOUT_LIMIT_BYTES)
    }

    pub(super) fn used_bytes(&self) -> u64 {
        self.used_bytes.load(Ordering::Relaxed)
    }

    /// The highest that `used` has been. Asks `used` too, since `take` raises that one first.
    pub(super) fn peak_bytes(&self) -> u64 {
        self.peak_bytes.load(Ordering::Relaxed).max(self.used_bytes())
    }

    pub(super) fn abandoned_bytes(&self) -> u64 {
        self.abandoned_bytes.load(Ordering::Relaxed)
    }

    pub(super) fn live_reservations(&self) -> u64 {
        self.live_reservations.load(Ordering::Relaxed)
    }

    pub(super) fn refusals(&self) -> u64 {
        self.refusals.load(Ordering::Relaxed)
    }
}

#[cfg(all(test, not(leaktrail_loom)))]
mod tests {
    use super::*;

    #[test]
    fn the_last_byte_fits_and_the_next_does_not() {
        let account = Account::new(Some(100));
        assert_eq!(account.take(100), Ok(()));
        assert_eq!(account.take(1), Err(100));
        assert_eq!(account.take(0), Ok(()));
        account.give_back(100);
        assert_eq!(account.take(101), Err(0));
        assert_eq!((account.used_bytes(), account.peak_bytes(), account.live_reservations()), (0, 100, 1));
    }

    #[test]
    fn the_largest_number_is_refused_without_overflow() {
        for limit in [Some(0), Some(100), Some(u64::MAX - 1), None] {
            let account = Account::new(limit);
            assert_eq!(account.take(u64::MAX), Err(0), "{limit:?}");
            assert_eq!(account.take(0), Ok(()), "{limit:?}");
        }
        for limit in [Some(u64::MAX), None] {
            let account = Account::new(limit);
            assert_eq!(account.take(2), Ok(()), "{limit:?}");
            assert_eq!(account.take(u64::MAX - 1), Err(2), "{limit:?}");
            assert_eq!(account.take(u64::MAX), Err(2), "{limit:?}");
            assert_eq!(account.take(u64::MAX - 3), Ok(()), "{limit:?}");
        }
    }
}
