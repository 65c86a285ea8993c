//! One file, opened: gzip is seen by its first bytes, whatever the file is called.

use std::cell::Cell;
use std::fs::File;
use std::io::{self, BufReader, Cursor, Read};
use std::path::Path;
use std::rc::Rc;

use flate2::bufread::MultiGzDecoder;

use super::is_stdin;

/// What every gzip file begins with (RFC 1952).
const GZIP: [u8; 2] = [0x1f, 0x8b];

/// An opened file or standard input.
pub(super) struct Source {
    input: Box<dyn Read>,
    consumed: Rc<Cell<u64>>,
}

impl Source {
    /// # Errors
    /// Those of the system, and one for a directory.
    pub(super) fn open(path: &Path) -> io::Result<Source> {
        if is_stdin(path) {
            return Source::over(io::stdin());
        }
        let file = File::open(path)?;
        if file.metadata()?.is_dir() {
            return Err(io::Error::new(io::ErrorKind::IsADirectory, "is a directory"));
        }
        Source::over(file)
    }

    fn over(input: impl Read + 'static) -> io::Result<Source> {
        let consumed = Rc::new(Cell::new(0));
        let mut input = Counted { input, consumed: consumed.clone() };
        let mut head = [0; GZIP.len()];
        let mut length = 0;
        while length < head.len() {
            match input.read(&mut head[length..]) {
                Ok(0) => break,
                Ok(more) => length += more,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        let is_gzip = head[..length] == GZIP;
        let input = Cursor::new(head).take(length as u64).chain(input);
        let input: Box<dyn Read> =
            if is_gzip { Box::new(MultiGzDecoder::new(BufReader::new(input))) } else { Box::new(input) };
        Ok(Source { input, consumed })
    }

    /// How much of the file itself was read.
    pub(super) fn consumed(&self) -> u64 {
        self.consumed.get()
    }
}

impl Read for Source {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.input.read(buffer)
    }
}

struct Counted<R> {
    input: R,
    consumed: Rc<Cell<u64>>,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = self.input.read(buffer)?;
        self.consumed.set(self.consumed.get() + length as u64);
        Ok(length)
    }
}

/// A file, decompressed, for who reads it line by line.
///
/// # Errors
/// Those of the system.
pub(crate) fn open(path: &Path) -> io::Result<impl Read> {
    Source::open(path)
}
