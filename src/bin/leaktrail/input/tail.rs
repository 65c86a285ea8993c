//! A file that is still being written, and perhaps rotated away meanwhile.

use std::fs::{self, File, Metadata};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::thread;
use std::time::Duration;

use super::is_stdin;
use super::source::Source;

/// So long a read of standard input waits before it says that there is nothing for now.
const WAIT: Duration = Duration::from_millis(100);

/// A log that is followed.
pub(super) enum Tail {
    /// What is compressed, or no plain file, ends once and for all.
    Once {
        input: Source,
        has_ended: bool,
    },
    Piped(Piped),
    File {
        path: PathBuf,
        file: File,
        position: u64,
    },
}

impl Tail {
    /// # Errors
    /// Those of the system.
    pub(super) fn open(path: &Path) -> io::Result<Tail> {
        if is_stdin(path) {
            return Ok(Tail::Piped(Piped::new(Source::open)));
        }
        let is_compressed = path.extension().is_some_and(|extension| extension == "gz");
        if is_compressed || !fs::metadata(path)?.is_file() {
            return Ok(Tail::Once { input: Source::open(path)?, has_ended: false });
        }
        Ok(Tail::File { path: path.to_owned(), file: File::open(path)?, position: 0 })
    }

    pub(super) fn has_ended(&self) -> bool {
        match self {
            Tail::Once { has_ended, .. } | Tail::Piped(Piped { has_ended, .. }) => *has_ended,
            Tail::File { .. } => false,
        }
    }
}

impl Read for Tail {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Tail::Once { input, has_ended } => {
                let length = input.read(buffer)?;
                *has_ended |= length == 0;
                Ok(length)
            }
            Tail::Piped(piped) => piped.read(buffer),
            Tail::File { path, file, position } => {
                let mut length = file.read(buffer)?;
                if length == 0 && is_another(path, file, *position) {
                    // Rotated away, or emptied: what stands there now begins anew.
                    *file = File::open(path)?;
                    *position = 0;
                    length = file.read(buffer)?;
                }
                *position += length as u64;
                Ok(length)
            }
        }
    }
}

/// Standard input, read by a thread of its own: a read of it cannot be told to wait no longer.
pub(super) struct Piped {
    pieces: Receiver<io::Result<Vec<u8>>>,
    piece: io::Cursor<Vec<u8>>,
    has_ended: bool,
}

impl Piped {
    fn new(open: impl FnOnce(&Path) -> io::Result<Source> + Send + 'static) -> Piped {
        // A few pieces ahead, no more: whoever writes faster than we read has to wait.
        let (sender, pieces) = sync_channel(4);
        thread::spawn(move || {
            let mut source = match open(Path::new("-")) {
                Ok(source) => source,
                Err(error) => return drop(sender.send(Err(error))),
            };
            loop {
                let mut piece = vec![0; 64 << 10];
                let read = match source.read(&mut piece) {
                    Ok(0) => return,
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                    read => read.map(|length| {
                        piece.truncate(length);
                        piece
                    }),
                };
                let is_last = read.is_err();
                if sender.send(read).is_err() || is_last {
                    return;
                }
            }
        });
        Piped { pieces, piece: io::Cursor::default(), has_ended: false }
    }
}

impl Read for Piped {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = self.piece.read(buffer)?;
        if length > 0 || self.has_ended {
            return Ok(length);
        }
        match self.pieces.recv_timeout(WAIT) {
            Ok(piece) => {
                self.piece = io::Cursor::new(piece?);
                self.piece.read(buffer)
            }
            Err(RecvTimeoutError::Timeout) => Ok(0),
            Err(RecvTimeoutError::Disconnected) => {
                self.has_ended = true;
                Ok(0)
            }
        }
    }
}

/// Whether the path leads to another file by now, or to the same with less in it. While it leads nowhere, the old one goes on.
fn is_another(path: &Path, file: &File, position: u64) -> bool {
    let (Ok(there), Ok(open)) = (fs::metadata(path), file.metadata()) else { return false };
    there.len() < position || !is_same(&there, &open)
}

#[cfg(unix)]
fn is_same(one: &Metadata, other: &Metadata) -> bool {
    use std::os::unix::fs::MetadataExt as _;

    (one.dev(), one.ino()) == (other.dev(), other.ino())
}

#[cfg(not(unix))]
fn is_same(one: &Metadata, other: &Metadata) -> bool {
    // A file that is open cannot be renamed there.
    one.created().ok() == other.created().ok()
}
