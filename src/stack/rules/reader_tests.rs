//! Tables written by hand, and damaged by chance.

use proptest::prelude::*;

use super::reader::{NoRule, Tables};
use super::rule::{Base, Packed, Rule};

const INDEX_ADDRESS: usize = 0x5555_0000_0000;
const FRAMES_ADDRESS: usize = INDEX_ADDRESS + 0x1000;
const CODE_ADDRESS: usize = INDEX_ADDRESS + 0x10_0000;
/// Bytes of each function.
const FUNCTION_BYTES: usize = 0x40;

/// The unwind tables of some functions that stand one behind the other.
#[derive(Clone, Debug, Default)]
struct Written {
    index: Vec<u8>,
    frames: Vec<u8>,
    functions: usize,
}

impl Written {
    fn new(functions: &[(&str, &[u8])]) -> Written {
        let mut written = Written::default();
        let mut rows = Vec::new();
        for (augmentation, instructions) in functions {
            let parent = written.parent(augmentation);
            let start = CODE_ADDRESS + written.functions * FUNCTION_BYTES;
            let entry = FRAMES_ADDRESS + written.frames.len();
            written.functions += 1;
            let own = written.frames.len() + 4;
            let mut body = ((own - parent) as u32).to_le_bytes().to_vec();
            body.extend(distance(start, FRAMES_ADDRESS + own + 4));
            body.extend((FUNCTION_BYTES as u32).to_le_bytes());
            body.push(0);
            body.extend(*instructions);
            written.entry(&body);
            rows.extend(distance(start, INDEX_ADDRESS));
            rows.extend(distance(entry, INDEX_ADDRESS));
        }
        written.frames.extend([0; 4]);
        written.index.extend([1, 0x1b, 0x03, 0x3b]);
        written.index.extend(distance(FRAMES_ADDRESS, INDEX_ADDRESS + 4));
        written.index.extend((functions.len() as u32).to_le_bytes());
        written.index.extend(rows);
        written
    }

    /// What functions have in common: the stack pointer after a call, and where the return address is.
    fn parent(&mut self, augmentation: &str) -> usize {
        let at = self.frames.len();
        let mut body = vec![0, 0, 0, 0, 1];
        body.extend(augmentation.as_bytes());
        body.extend([0, 1, 0x78, 16, 1, 0x1b]);
        body.extend([0x0c, 7, 8, 0x90, 1]);
        self.entry(&body);
        at
    }

    fn entry(&mut self, body: &[u8]) {
        self.frames.extend((body.len() as u32).to_le_bytes());
        self.frames.extend(body);
    }

    fn tables(&self) -> Tables<'_> {
        Tables {
            index: &self.index,
            index_address: INDEX_ADDRESS,
            frames: &self.frames,
            frames_address: FRAMES_ADDRESS,
        }
    }

    fn rule(&self, function: usize, offset: usize) -> Result<Rule, NoRule> {
        self.tables().rule_at(CODE_ADDRESS + function * FUNCTION_BYTES + offset)
    }
}

fn distance(to: usize, from: usize) -> [u8; 4] {
    (to.wrapping_sub(from) as i32).to_le_bytes()
}

/// Functions as compilers write them, and some that they do not.
const FUNCTIONS: [(&str, &[u8]); 11] = [
    // 0: push rbp; mov rbp, rsp.
    ("zR", &[0x41, 0x0e, 16, 0x86, 2, 0x43, 0x0d, 6]),
    // 1: two pushes, room for 100 words, and an end in the middle that is remembered and restored.
    ("zR", &[0x41, 0x0e, 16, 0x41, 0x0e, 24, 0x86, 3, 0x44, 0x0e, 0xb8, 0x06, 0x48, 0x0a, 0x0e, 8, 0x41, 0x0b]),
    // 2: a leaf.
    ("zR", &[]),
    // 3: the first frame of a thread: no return address.
    ("zR", &[0x07, 16]),
    // 4: its end is an expression: rsp + 8.
    ("zR", &[0x0f, 2, 0x77, 8]),
    // 5: a signal's frame.
    ("zRS", &[]),
    // 6: counted from rbx.
    ("zR", &[0x0c, 3, 16]),
    // 7: the return address stands elsewhere.
    ("zR", &[0x90, 2]),
    // 8: the frame register is in another one.
    ("zR", &[0x09, 6, 3]),
    // 9: an instruction that there is not.
    ("zR", &[0x3f]),
    // 10: a frame larger than any packed form: 1 MiB.
    ("zR", &[0x0e, 0x80, 0x80, 0x40]),
];

fn caller(base: Base, end: u32, saved: u32) -> Result<Rule, NoRule> {
    Ok(Rule::Caller { base, end, saved })
}

#[test]
fn rules_are_those_in_force_at_the_place() {
    let written = Written::new(&FUNCTIONS);
    assert_eq!(Tables::frames_address_in(&written.index, INDEX_ADDRESS), Some(FRAMES_ADDRESS));
    assert_eq!(written.rule(0, 0), caller(Base::Stack, 8, 0));
    assert_eq!(written.rule(0, 1), caller(Base::Stack, 16, 16));
    assert_eq!(written.rule(0, 4), caller(Base::Frame, 16, 16));
    assert_eq!(written.rule(0, 0x3f), caller(Base::Frame, 16, 16));
    assert_eq!(written.rule(1, 0), caller(Base::Stack, 8, 0));
    assert_eq!(written.rule(1, 1), caller(Base::Stack, 16, 0));
    assert_eq!(written.rule(1, 2), caller(Base::Stack, 24, 24));
    assert_eq!(written.rule(1, 6), caller(Base::Stack, 824, 24));
    assert_eq!(written.rule(1, 14), caller(Base::Stack, 8, 24));
    assert_eq!(written.rule(1, 15), caller(Base::Stack, 824, 24));
    assert_eq!(written.rule(2, 0x20), caller(Base::Stack, 8, 0));
    assert_eq!(written.rule(3, 5), Ok(Rule::End));
    for function in 4..=8 {
        assert_eq!(written.rule(function, 5), Err(NoRule::NotSimple), "{function}");
    }
    assert_eq!(written.rule(9, 5), Err(NoRule::Unreadable));
    let large = written.rule(10, 5);
    assert_eq!(large, caller(Base::Stack, 1 << 20, 0));
    assert_eq!(Packed::new(large.unwrap()), None);
}

#[test]
fn where_there_is_no_function_there_is_no_rule() {
    let written = Written::new(&FUNCTIONS);
    for address in [0, 1, CODE_ADDRESS - 1, CODE_ADDRESS + FUNCTIONS.len() * FUNCTION_BYTES, usize::MAX] {
        assert_eq!(written.tables().rule_at(address), Err(NoRule::NoFunction), "{address:x}");
    }
    assert_eq!(Written::new(&[]).tables().rule_at(CODE_ADDRESS), Err(NoRule::NoFunction));
}

#[test]
fn an_index_in_another_form_is_not_read() {
    let written = Written::new(&FUNCTIONS);
    for at in 0..4 {
        let mut index = written.index.clone();
        index[at] ^= 0x10;
        assert_eq!(Tables::frames_address_in(&index, INDEX_ADDRESS), None);
    }
    for len in 0..written.index.len() {
        let tables = Tables { index: &written.index[..len], ..written.tables() };
        assert_eq!(tables.rule_at(CODE_ADDRESS), Err(NoRule::Unreadable), "{len} bytes");
    }
    for len in 0..written.frames.len() {
        let tables = Tables { frames: &written.frames[..len], ..written.tables() };
        let last = CODE_ADDRESS + (FUNCTIONS.len() - 1) * FUNCTION_BYTES;
        assert!(tables.rule_at(last).is_err() || len + 4 >= written.frames.len(), "{len} bytes");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4_096))]

    /// Whatever the bytes are: a rule or none, and never a fault.
    #[test]
    fn damaged_tables_give_a_rule_or_none(
        index in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..4),
        frames in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..12),
        offset in 0..FUNCTIONS.len() * FUNCTION_BYTES,
    ) {
        let mut written = Written::new(&FUNCTIONS);
        for (at, byte) in index {
            let at = at.index(written.index.len());
            written.index[at] = byte;
        }
        for (at, byte) in frames {
            let at = at.index(written.frames.len());
            written.frames[at] = byte;
        }
        if let Ok(rule) = written.tables().rule_at(CODE_ADDRESS + offset)
            && let Some(packed) = Packed::new(rule)
        {
            prop_assert!(packed.is_end() || packed.end() > 0);
        }
    }

    /// Nothing of it has to be a table at all.
    #[test]
    fn noise_gives_a_rule_or_none(index: Vec<u8>, frames: Vec<u8>, address: usize, index_address: usize, frames_address: usize) {
        let mut head = vec![1, 0x1b, 0x03, 0x3b];
        head.extend(index);
        let tables = Tables { index: &head, index_address, frames: &frames, frames_address };
        let _ = tables.rule_at(address);
        let _ = Tables::frames_address_in(&head, index_address);
    }
}
