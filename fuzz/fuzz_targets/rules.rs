//! Unwind tables of any bytes: a rule or none, never a fault.
//!
//! The reader and the rule are the library's own files. The first four bytes say where the index ends and which address is asked
//! for; the head of the index is the one that is read, so that what lies behind it is reached.
#![no_main]

#[expect(dead_code, reason = "the walk uses the rest")]
#[path = "../../src/stack/rules/reader.rs"]
mod reader;
#[expect(dead_code, reason = "the walk uses the rest")]
#[path = "../../src/stack/rules/rule.rs"]
mod rule;

use libfuzzer_sys::fuzz_target;

const INDEX_ADDRESS: usize = 0x5555_0000_0000;
const FRAMES_ADDRESS: usize = INDEX_ADDRESS + 0x1000;

fuzz_target!(|bytes: &[u8]| {
    let Some((&[low, high, at, page], rest)) = bytes.split_first_chunk() else { return };
    let (index, frames) = rest.split_at(usize::from(u16::from_le_bytes([low, high])).min(rest.len()));
    let index = [&[1, 0x1b, 0x03, 0x3b], index].concat();
    let tables =
        reader::Tables { index: &index, index_address: INDEX_ADDRESS, frames, frames_address: FRAMES_ADDRESS };
    let address = INDEX_ADDRESS + usize::from(page) * 0x1000 + usize::from(at);
    if let Ok(rule) = tables.rule_at(address) {
        if let Some(packed) = rule::Packed::new(rule) {
            assert!(packed.is_end() || packed.end() > 0);
        }
    }
});
