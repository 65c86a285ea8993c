//! Random numbers on any thread at any time, also while its thread-locals are being destroyed.
//!
//! `rand::rng()` aborts the process inside a thread-local destructor, and a buffer may be dropped there. A generator
//! without drop glue in a `const` thread-local needs no destructor, so it can be used until the thread is gone.

use std::cell::Cell;

use rand::rngs::{SmallRng, SysRng};
use rand::{Rng, SeedableRng};

use crate::clock::Stamp;

thread_local! {
    static GENERATOR: Cell<Option<SmallRng>> = const { Cell::new(None) };
}

const _: () =
    assert!(!std::mem::needs_drop::<SmallRng>(), "a generator with drop glue could not be used while a thread ends");

/// 64 random bits.
pub(super) fn bits() -> u64 {
    GENERATOR
        .try_with(|cell| {
            let mut generator = cell.take().unwrap_or_else(seeded);
            let bits = generator.next_u64();
            cell.set(Some(generator));
            bits
        })
        .unwrap_or_else(|_| seeded().next_u64())
}

/// True with probability 2^-exponent; `exponent` is at most 63.
pub(super) fn one_in_power_of_two(exponent: u32) -> bool {
    bits() & ((1 << exponent) - 1) == 0
}

/// A number evenly in (0, 1].
pub(super) fn unit() -> f64 {
    // 53 bits are what a f64 holds; one is added so that 0 never comes and the logarithm is finite.
    ((bits() >> 11) + 1) as f64 / (1_u64 << 53) as f64
}

/// Seeds this thread's generator, so that a test draws the same numbers each time.
#[cfg(test)]
pub(super) fn seed(seed: u64) {
    GENERATOR.set(Some(SmallRng::seed_from_u64(seed)));
}

fn seeded() -> SmallRng {
    SmallRng::try_from_rng(&mut SysRng).unwrap_or_else(|_| {
        // No entropy from the system: the thread's own address and the clock are enough to make samples differ.
        let here = 0_u8;
        SmallRng::seed_from_u64(
            std::ptr::from_ref(&here) as u64 ^ Stamp::now().since(Stamp::default()).as_nanos() as u64,
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_repeats_and_probabilities_hold() {
        seed(7);
        let first = (bits(), bits());
        seed(7);
        assert_eq!((bits(), bits()), first);
        let rounds = if cfg!(miri) { 2_000 } else { 100_000 };
        let hits = (0..rounds).filter(|_| one_in_power_of_two(3)).count() as f64;
        assert!((hits / f64::from(rounds) - 0.125).abs() < 0.03, "{hits}");
        assert!(one_in_power_of_two(0));
        assert!((0..1_000).map(|_| unit()).all(|x| x > 0.0 && x <= 1.0));
    }
}
