//! A folder that is held open while a file in it is opened or renamed: nobody can put another one in its place meanwhile.
//!
//! Reports are private, and a report file may lie where others can write, such as `/tmp` or a volume that several
//! containers mount. Whoever can write there could put a link in the file's place, or in the place of a folder on the way
//! to it, and have the program write into a file of its own choosing. So the way is walked folder by folder, each opened
//! within the one before and never through a link, unless that link lies where only root and the program's user can put one
//! (`/var/run` is one on most systems). The file itself is never reached through a link, and must be a plain file of the
//! program's own user with one name.
#![cfg_attr(
    all(unix, not(miri)),
    allow(unsafe_code, reason = "openat, readlinkat and the like are C functions; listed in docs/SAFETY.md")
)]

use std::ffi::OsString;
use std::fs::File;
use std::io;
use std::path::Path;

/// The folder of a file, and the file's name in it.
#[derive(Debug)]
pub(super) struct Directory {
    #[cfg(all(unix, not(miri)))]
    folder: std::os::fd::OwnedFd,
    /// Elsewhere the path is all there is.
    #[cfg(not(all(unix, not(miri))))]
    folder: std::path::PathBuf,
    name: OsString,
}

#[cfg(all(unix, not(miri)))]
mod unix {
    use std::collections::VecDeque;
    use std::ffi::{CStr, CString, OsStr};
    use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};
    use std::os::unix::ffi::{OsStrExt, OsStringExt};
    use std::os::unix::fs::MetadataExt;
    use std::path::{Component, PathBuf};

    use super::*;

    /// Links on the way to a file, as Linux has it.
    const MAX_LINKS: u32 = 40;

    /// To pass through a folder is enough; where there is no flag for that, it has to be readable.
    #[cfg(any(target_os = "linux", target_os = "android"))]
    const PASS_THROUGH: libc::c_int = libc::O_PATH;
    #[cfg(not(any(target_os = "linux", target_os = "android")))]
    const PASS_THROUGH: libc::c_int = libc::O_RDONLY;

    impl Directory {
        /// The folder of `path`, by a way that nobody but root and this user has laid.
        pub(in crate::sink) fn of(path: &Path) -> io::Result<Directory> {
            let mut folder = root()?;
            let mut left = parts(path);
            let mut links = 0;
            while let Some(name) = left.pop_front() {
                if left.is_empty() {
                    return Ok(Directory { folder, name });
                }
                match open(&folder, &name, PASS_THROUGH | libc::O_DIRECTORY | libc::O_NOFOLLOW) {
                    Ok(next) => folder = next,
                    Err(error) => {
                        // It is no folder; perhaps it is a link to one.
                        let Ok(target) = read_link(&folder, &name) else { return Err(error) };
                        links += 1;
                        if links > MAX_LINKS || is_shared(&folder)? {
                            return Err(io::Error::other("a link on the way to it lies where others can put one"));
                        }
                        if target.is_absolute() {
                            folder = root()?;
                        }
                        parts(&target).into_iter().rev().for_each(|part| left.push_front(part));
                    }
                }
            }
            Err(io::Error::other("it names no file"))
        }

        /// The file, made if it is not there, for this user alone.
        pub(in crate::sink) fn open(&self) -> io::Result<File> {
            // Not blocking: of a pipe without a reader the answer is an error, at once.
            let flags = libc::O_RDWR | libc::O_APPEND | libc::O_CREAT;
            let flags = flags | libc::O_NOFOLLOW | libc::O_NONBLOCK | libc::O_NOCTTY;
            let file = File::from(open(&self.folder, &self.name, flags)?);
            let metadata = file.metadata()?;
            // SAFETY: the call reads this process's user and cannot fail.
            let user = unsafe { libc::geteuid() };
            if !metadata.is_file() {
                Err(io::Error::other("it is no plain file"))
            } else if metadata.uid() != user {
                Err(io::Error::other("it is another user's"))
            } else if metadata.nlink() > 1 {
                Err(io::Error::other("it has another name elsewhere"))
            } else {
                Ok(file)
            }
        }

        /// Gives the file another name in its folder. False if `file` is not what has the name any more, or if another
        /// process is at it.
        pub(in crate::sink) fn rename(&self, file: &File, to: &OsStr) -> io::Result<bool> {
            // SAFETY: the descriptor is open while `file` lives; the lock ends with it.
            if unsafe { libc::flock(file.as_raw_fd(), libc::LOCK_EX | libc::LOCK_NB) } != 0 {
                return Ok(false);
            }
            let (mine, now) = (file.metadata()?, self.open()?.metadata()?);
            if (mine.dev(), mine.ino()) != (now.dev(), now.ino()) {
                return Ok(false);
            }
            let (from, to) = (text(&self.name)?, text(to)?);
            let folder = self.folder.as_raw_fd();
            // SAFETY: both names are C strings that live as long as the call, the descriptor is open.
            let done = unsafe { libc::renameat(folder, from.as_ptr(), folder, to.as_ptr()) };
            if done == 0 { Ok(true) } else { Err(io::Error::last_os_error()) }
        }
    }

    fn root() -> io::Result<OwnedFd> {
        open_at(libc::AT_FDCWD, c"/", PASS_THROUGH | libc::O_DIRECTORY)
    }

    fn open(folder: &OwnedFd, name: &OsStr, flags: libc::c_int) -> io::Result<OwnedFd> {
        open_at(folder.as_raw_fd(), &text(name)?, flags)
    }

    fn open_at(folder: RawFd, name: &CStr, flags: libc::c_int) -> io::Result<OwnedFd> {
        // A variadic function: the mode has the type that integers are passed as.
        const FOR_THE_USER_ALONE: libc::c_uint = 0o600;
        loop {
            // SAFETY: the name is a C string that lives as long as the call; the descriptor is open or AT_FDCWD.
            let opened = unsafe { libc::openat(folder, name.as_ptr(), flags | libc::O_CLOEXEC, FOR_THE_USER_ALONE) };
            if opened >= 0 {
                // SAFETY: the call has just opened it, and nobody else knows of it.
                return Ok(unsafe { OwnedFd::from_raw_fd(opened) });
            }
            let error = io::Error::last_os_error();
            if error.kind() != io::ErrorKind::Interrupted {
                return Err(error);
            }
        }
    }

    fn read_link(folder: &OwnedFd, name: &OsStr) -> io::Result<PathBuf> {
        // No target is longer on Linux; one that fills it may have been cut.
        let mut target = vec![0_u8; 4096];
        let name = text(name)?;
        // SAFETY: the name is a C string, and the buffer has as many bytes as the call is told.
        let length =
            unsafe { libc::readlinkat(folder.as_raw_fd(), name.as_ptr(), target.as_mut_ptr().cast(), target.len()) };
        match usize::try_from(length) {
            Ok(length) if length < target.len() => {
                target.truncate(length);
                Ok(OsString::from_vec(target).into())
            }
            Ok(_) => Err(io::Error::other("a link on the way to it is too long")),
            Err(_) => Err(io::Error::last_os_error()),
        }
    }

    /// True if somebody besides root and this user can put a link into the folder.
    fn is_shared(folder: &OwnedFd) -> io::Result<bool> {
        let metadata = File::from(folder.try_clone()?).metadata()?;
        // SAFETY: as above, the call cannot fail.
        let user = unsafe { libc::geteuid() };
        Ok(metadata.mode() & 0o022 != 0 || ![0, user].contains(&metadata.uid()))
    }

    /// The names on a way, without its root and without what stays in place.
    fn parts(path: &Path) -> VecDeque<OsString> {
        let is_step = |part: &Component<'_>| matches!(part, Component::Normal(_) | Component::ParentDir);
        path.components().filter(is_step).map(|part| part.as_os_str().to_owned()).collect()
    }

    fn text(name: &OsStr) -> io::Result<CString> {
        CString::new(name.as_bytes()).map_err(io::Error::other)
    }
}

#[cfg(not(all(unix, not(miri))))]
impl Directory {
    pub(super) fn of(path: &Path) -> io::Result<Directory> {
        match (path.parent(), path.file_name()) {
            (Some(folder), Some(name)) => Ok(Directory { folder: folder.to_owned(), name: name.to_owned() }),
            _ => Err(io::Error::other("it names no file")),
        }
    }

    pub(super) fn open(&self) -> io::Result<File> {
        File::options().read(true).append(true).create(true).open(self.folder.join(&self.name))
    }

    pub(super) fn rename(&self, _file: &File, to: &std::ffi::OsStr) -> io::Result<bool> {
        std::fs::rename(self.folder.join(&self.name), self.folder.join(to)).map(|()| true)
    }
}

impl Directory {
    /// The file's name.
    pub(super) fn name(&self) -> &OsString {
        &self.name
    }
}
