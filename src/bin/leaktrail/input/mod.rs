//! Where logs come from: files, compressed or not, in the order in which they were written, and standard input.

mod progress;
mod rotation;
mod source;
mod tail;

use std::io;
use std::path::{Path, PathBuf};

use crate::failure::Failure;
use crate::log::{Listener, Scanner, Tally};

use progress::Progress;
use rotation::in_order;
use source::Source;
use tail::Tail;

pub(crate) use source::open;

/// A listener that wants to know which file it hears of.
pub(crate) trait Reader: Listener {
    /// The name of the file, and the name that all files have into which one log was rotated.
    fn begin_file(&mut self, name: &str, family: &str);
}

/// Reads all files to their ends. What was wrong with some of them comes back with the tally.
pub(crate) fn read_all(files: &[PathBuf], reader: &mut impl Reader) -> Result<(Tally, Vec<Failure>), Failure> {
    let (mut tally, mut failures) = (Tally::default(), Vec::new());
    let files = in_order(files);
    let mut progress = Progress::new(&files);
    for file in &files {
        let name = file.path.to_string_lossy();
        let mut source = match Source::open(&file.path) {
            Ok(source) => source,
            Err(error) => {
                failures.push(Failure::of(&name, error));
                continue;
            }
        };
        reader.begin_file(&name, &file.family);
        let mut scanner = Scanner::new();
        loop {
            match scanner.read(&mut source, reader) {
                Ok(0) => break,
                Ok(_) => progress.at(source.consumed()),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                // What was read so far is as good as it was.
                Err(error) => {
                    failures.push(Failure::of(&name, error));
                    break;
                }
            }
        }
        tally.add(scanner.finish(reader));
        progress.end_file(source.consumed());
    }
    Ok((tally, failures))
}

/// A log that is still being written.
pub(crate) struct Followed {
    name: String,
    family: String,
    scanner: Scanner,
    input: Tail,
}

/// Opens all files to be followed.
///
/// # Errors
/// The first file that cannot be opened.
pub(crate) fn follow(files: &[PathBuf]) -> Result<Vec<Followed>, Failure> {
    let open = |file: rotation::Ordered| {
        let name = file.path.to_string_lossy().into_owned();
        let input = Tail::open(&file.path).map_err(|error| Failure::of(&name, error))?;
        Ok(Followed { name, family: file.family, scanner: Scanner::new(), input })
    };
    in_order(files).into_iter().map(open).collect()
}

impl Followed {
    /// Reads the next piece; 0 bytes mean that nothing was added.
    pub(crate) fn read(&mut self, reader: &mut impl Reader) -> Result<usize, Failure> {
        reader.begin_file(&self.name, &self.family);
        match self.scanner.read(&mut self.input, reader) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => Ok(1),
            read => read.map_err(|error| Failure::of(&self.name, error)),
        }
    }

    /// Whether nothing can be added any more.
    pub(crate) fn has_ended(&self) -> bool {
        self.input.has_ended()
    }

    pub(crate) fn finish(&mut self, reader: &mut impl Reader) -> Tally {
        reader.begin_file(&self.name, &self.family);
        self.scanner.finish(reader)
    }

    pub(crate) fn tally(&self) -> Tally {
        self.scanner.tally()
    }
}

/// Whether this stands for standard input.
fn is_stdin(path: &Path) -> bool {
    path.as_os_str() == "-"
}
