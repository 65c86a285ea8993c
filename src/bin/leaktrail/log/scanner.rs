//! From a stream of bytes to its lines, and only to those that matter.

use std::io::{self, Read};

use memchr::{memchr, memchr_iter, memrchr};

use super::desk::Desk;
use super::sighting::Listener;
use super::tally::Tally;
use super::words::{NOWHERE, Words};

/// What is read and searched at a time: it stays in the processor's cache while one search after the other goes over it.
const CHUNK: usize = 256 << 10;

/// A longer line is read as far as this. Nothing of ours is longer.
const LONGEST_LINE: usize = 1 << 20;

/// What is kept of the last line, for a logger that writes the time into a line of its own.
const KEPT: usize = 256;

/// Reads one log, piece by piece.
pub(crate) struct Scanner {
    words: Words,
    desk: Desk,
    buffer: Vec<u8>,
    filled: usize,
    /// In the rest of a line that was too long.
    is_skipping: bool,
    last_line: Vec<u8>,
}

impl Scanner {
    pub(crate) fn new() -> Scanner {
        Scanner {
            words: Words::new(),
            desk: Desk::default(),
            buffer: vec![0; CHUNK],
            filled: 0,
            is_skipping: false,
            last_line: Vec::new(),
        }
    }

    /// Reads the next piece; 0 bytes mean that there is no more for now.
    ///
    /// # Errors
    /// Those of the input.
    pub(crate) fn read(&mut self, input: &mut dyn Read, listener: &mut impl Listener) -> io::Result<usize> {
        if self.filled == self.buffer.len() {
            if self.filled < LONGEST_LINE {
                self.buffer.resize(self.filled * 2, 0);
            } else {
                self.scan(self.filled, listener);
                (self.filled, self.is_skipping) = (0, true);
            }
        }
        let length = input.read(&mut self.buffer[self.filled..])?;
        let fresh = self.filled..self.filled + length;
        self.filled = fresh.end;
        if let Some(last) = memrchr(b'\n', &self.buffer[fresh.clone()]) {
            let end = fresh.start + last + 1;
            self.scan(end, listener);
            self.buffer.copy_within(end..self.filled, 0);
            self.filled -= end;
        }
        Ok(length)
    }

    /// What was left without a newline is a line too, and nothing more will come.
    pub(crate) fn finish(&mut self, listener: &mut impl Listener) -> Tally {
        if self.filled > 0 || self.is_skipping {
            self.scan(self.filled, listener);
            self.desk.tally.lines += 1;
            (self.filled, self.is_skipping) = (0, false);
        }
        self.desk.finish(listener);
        self.desk.tally
    }

    /// How much was understood so far.
    pub(crate) fn tally(&self) -> Tally {
        self.desk.tally
    }

    /// Goes through the lines in the first so many bytes.
    fn scan(&mut self, end: usize, listener: &mut impl Listener) {
        let mut text = &self.buffer[..end];
        if self.is_skipping {
            let Some(newline) = memchr(b'\n', text) else { return };
            self.is_skipping = false;
            self.desk.tally.lines += 1;
            text = &text[newline + 1..];
        }
        let mut hits = self.words.within(text);
        let (mut at, mut counted) = (0, 0);
        while at < text.len() {
            let hit = hits.from(at);
            if !self.desk.is_waiting() {
                if hit == NOWHERE {
                    break;
                }
                at = memrchr(b'\n', &text[at..hit]).map_or(at, |newline| at + newline + 1);
            }
            let line_end = memchr(b'\n', &text[at..]).map_or(text.len(), |newline| at + newline);
            let line = &text[at..line_end];
            if hit < line_end {
                self.desk.tally.lines += memchr_iter(b'\n', &text[counted..at]).count() as u64;
                counted = at;
                let before = if at == 0 { &self.last_line } else { last_line(&text[..at - 1]) };
                let number = self.desk.tally.lines + 1;
                self.desk.candidate(line, before, number, listener);
            } else {
                self.desk.other(line, listener);
            }
            at = line_end + 1;
        }
        self.desk.tally.lines += memchr_iter(b'\n', &text[counted..]).count() as u64;
        let last = last_line(text.strip_suffix(b"\n").unwrap_or(text));
        self.last_line.clear();
        self.last_line.extend_from_slice(&last[..last.len().min(KEPT)]);
    }
}

fn last_line(text: &[u8]) -> &[u8] {
    &text[memrchr(b'\n', text).map_or(0, |newline| newline + 1)..]
}

#[cfg(test)]
mod tests;
