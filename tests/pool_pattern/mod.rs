//! A pattern in every byte of a buffer, made of who wrote it: two buffers that share a byte spoil each other's.

use leaktrail::ByteBufMut;

/// Fills the buffer to its capacity.
pub(crate) fn fill(buffer: &mut ByteBufMut, seed: u64) {
    buffer.clear();
    let capacity = buffer.capacity();
    buffer.resize(capacity, 0);
    for (index, byte) in buffer.iter_mut().enumerate() {
        *byte = value(seed, index);
    }
}

/// Fails if a byte is not what `fill` wrote with that seed.
pub(crate) fn check(bytes: &[u8], seed: u64) {
    let spoilt = bytes.iter().enumerate().find(|(index, byte)| **byte != value(seed, *index));
    assert_eq!(spoilt, None, "byte spoilt in a buffer of {} with seed {seed}", bytes.len());
}

fn value(seed: u64, index: usize) -> u8 {
    (seed.wrapping_add(index as u64 / 8).wrapping_mul(0x9E37_79B9_7F4A_7C15) >> (56 - index % 8 * 7)) as u8
}
