//! A small multiplicative hasher for keys that this crate makes itself (ids, addresses).
//!
//! Such keys are not chosen by an attacker, so they need no keyed hash; but they are dense or aligned, so they need a
//! mix: the sharded maps take the shard from the upper bits and the bucket from the lower ones, and an identity hasher
//! puts everything into a few of them (measured: 194 ns an operation against 30).

use std::hash::{BuildHasherDefault, Hasher};

/// Builds [`IdHasher`]s.
pub(crate) type BuildIdHasher = BuildHasherDefault<IdHasher>;

/// Folds words by xor and a 64 x 64 -> 128 bit multiplication whose halves are xored.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct IdHasher(u64);

/// 2^64 divided by the golden ratio, made odd: spreads consecutive ids evenly (Knuth, TAOCP 6.4).
const GOLDEN: u64 = 0x9E37_79B9_7F4A_7C15;

impl IdHasher {
    fn fold(&mut self, word: u64) {
        let wide = u128::from(self.0 ^ word ^ GOLDEN.rotate_left(17)).wrapping_mul(u128::from(GOLDEN));
        self.0 = (wide as u64) ^ ((wide >> 64) as u64);
    }
}

impl Hasher for IdHasher {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for chunk in bytes.chunks(8) {
            let mut word = [0; 8];
            word[..chunk.len()].copy_from_slice(chunk);
            self.fold(u64::from_le_bytes(word));
        }
    }

    fn write_u32(&mut self, word: u32) {
        self.fold(u64::from(word));
    }

    fn write_u64(&mut self, word: u64) {
        self.fold(word);
    }

    fn write_usize(&mut self, word: usize) {
        self.fold(word as u64);
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;
    use std::hash::BuildHasher;

    use super::*;

    #[test]
    fn dense_and_aligned_ids_spread_over_both_ends() {
        for stride in [1_u64, 2, 16, 4096] {
            let hashes: Vec<u64> = (0..4096).map(|n| BuildIdHasher::default().hash_one(n * stride)).collect();
            let top: HashSet<u64> = hashes.iter().map(|hash| hash >> 57).collect();
            let low: HashSet<u64> = hashes.iter().map(|hash| hash & 127).collect();
            assert!(top.len() > 120 && low.len() > 120, "stride {stride}: {} and {}", top.len(), low.len());
        }
    }
}
