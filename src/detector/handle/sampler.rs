//! Which handles are sampled: the first of each thread at each site, then one in the interval by geometric skip.

use std::num::NonZeroU32;

use super::random;
use crate::ledger::SiteCell;

/// Decides for one creation: true if its turn has come, and then draws when the next one's does.
///
/// The distance from one sample to the next is drawn once, from the geometric distribution, so that each creation has the
/// same chance and no pattern of allocations falls into step with a counter; between samples a creation costs a
/// subtraction (a draw for each would cost 2.5 ns).
pub(super) fn is_sampled(cell: &SiteCell, interval: NonZeroU32) -> bool {
    let due = cell.is_sample_due();
    if due {
        cell.set_skip(skip(interval));
    } else {
        cell.pass_by();
    }
    due
}

/// How many creations go by before the next sample: floor(ln(u) / ln(1 - 1/interval)), u evenly in (0, 1].
///
/// Its mean is interval - 1, so one in `interval` is sampled. Devroye, Non-Uniform Random Variate Generation, X.2.
fn skip(interval: NonZeroU32) -> u32 {
    if interval.get() == 1 {
        return 0;
    }
    let miss = -1.0 / f64::from(interval.get());
    // ln_1p keeps its digits where 1 - 1/interval would lose them; a float too large for u32 becomes its maximum.
    (random::unit().ln() / miss.ln_1p()) as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sampled(creations: u32, interval: u32) -> u32 {
        let cell = SiteCell::default();
        let interval = NonZeroU32::new(interval).unwrap();
        (0..creations).map(|_| u32::from(is_sampled(&cell, interval))).sum()
    }

    #[test]
    fn the_first_is_sampled_and_then_one_in_the_interval() {
        random::seed(11);
        assert_eq!(sampled(1, u32::MAX), 1);
        assert_eq!(sampled(1_000, 1), 1_000);
        let creations = if cfg!(miri) { 12_800 } else { 1_280_000 };
        let expected = f64::from(creations) / 128.0 + 1.0;
        let found = f64::from(sampled(creations, 128));
        // Four standard deviations of a binomial count.
        assert!((found - expected).abs() < 4.0 * expected.sqrt(), "{found} of {expected}");
    }
}
