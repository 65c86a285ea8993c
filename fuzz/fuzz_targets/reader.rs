//! Any bytes are a log: read in pieces of a size that the first byte says, and added up.
#![no_main]

use std::io::Read;

use libfuzzer_sys::fuzz_target;

#[allow(dead_code, reason = "the command uses all of it")]
#[path = "../../src/bin/leaktrail/causes/mod.rs"]
mod causes;
#[allow(dead_code, reason = "the command uses all of it")]
#[path = "../../src/bin/leaktrail/log/mod.rs"]
mod log;

struct Pieces<'a>(&'a [u8], usize);

impl Read for Pieces<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let length = self.1.min(self.0.len()).min(buffer.len());
        buffer[..length].copy_from_slice(&self.0[..length]);
        self.0 = &self.0[length..];
        Ok(length)
    }
}

fuzz_target!(|bytes: &[u8]| {
    let Some((&size, bytes)) = bytes.split_first() else { return };
    let mut input = Pieces(bytes, usize::from(size) + 1);
    let (mut scanner, mut causes) = (log::Scanner::new(), causes::Causes::new(causes::Wanted::default()));
    while scanner.read(&mut input, &mut causes).is_ok_and(|length| length > 0) {}
    let tally = scanner.finish(&mut causes);
    assert!(tally.understood <= tally.lines, "{tally:?}");
    for row in causes.rows() {
        let text = serde_json::to_string(&row).expect("a row is JSON");
        let read: causes::Row = serde_json::from_str(&text).expect("and comes back");
        assert_eq!((read.file(), &read), (row.file(), &row));
    }
});
