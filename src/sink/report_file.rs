//! The report file: a line of JSON for each report, appended where an operator asked for it.

use std::fs::File;
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, SystemTime};

use super::directory::Directory;
use crate::report::JsonLine;

/// What the file may grow to, in bytes, before it is put aside as `<name>.1`, in the place of the one before it: so the two
/// together take at most twice as much. A full report has some 10 KiB.
pub(crate) const MAX_BYTES: u64 = 8 << 20;

/// The file of `LEAK_DETECTION_REPORT_FILE`.
///
/// It is opened for each line and closed again. Reports are rare, and so there is nothing that a forked child inherits, that
/// holds on to a file which somebody has moved, or that keeps a disk from being unmounted. A line is one `write` at the end
/// of the file, so lines of several detectors and processes stand whole beside each other.
#[derive(Debug)]
pub(crate) struct ReportFile {
    path: PathBuf,
    max_bytes: u64,
    /// Lines that could not be written.
    dropped: AtomicU64,
    /// That it cannot be written was told.
    told: AtomicBool,
    /// The last line may have no end: nothing was written yet, or the last time failed.
    may_be_torn: AtomicBool,
}

impl ReportFile {
    pub(crate) fn new(path: &Path) -> ReportFile {
        // A program that changes its folder later goes on writing where it began.
        let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
        ReportFile {
            path,
            max_bytes: MAX_BYTES,
            dropped: AtomicU64::new(0),
            told: AtomicBool::new(false),
            may_be_torn: AtomicBool::new(true),
        }
    }

    /// Writes a line. What is wrong comes back the first time, as a line to tell.
    pub(crate) fn write(&self, line: JsonLine<'_>) -> Option<String> {
        let written = self.append(&line.text(std::process::id(), SystemTime::now()));
        written.err().and_then(|error| {
            // Relaxed: a figure.
            self.dropped.fetch_add(1, Ordering::Relaxed);
            self.trouble(&error)
        })
    }

    /// Looks whether the file can be written, so that one that cannot is told at the start and not at the first leak.
    pub(crate) fn check(&self) -> Option<String> {
        let opened = Directory::of(&self.path).and_then(|directory| directory.open());
        opened.err().and_then(|error| self.trouble(&error))
    }

    /// Lines that could not be written so far.
    pub(crate) fn dropped(&self) -> u64 {
        self.dropped.load(Ordering::Relaxed)
    }

    fn trouble(&self, error: &io::Error) -> Option<String> {
        // Relaxed: the mark only keeps it from being told twice.
        let is_news = !self.told.swap(true, Ordering::Relaxed);
        is_news.then(|| {
            let path = self.path.to_string_lossy();
            format!(
                "the report file \"{}\" cannot be written: {error}; what it should have had is counted, and the program \
                 goes on",
                path.escape_debug()
            )
        })
    }

    fn append(&self, line: &str) -> io::Result<()> {
        let directory = Directory::of(&self.path)?;
        let mut file = directory.open()?;
        let length = line.len() as u64;
        let size = file.metadata()?.len();
        if size > 0 && size.saturating_add(length) > self.max_bytes {
            let mut aside = directory.name().clone();
            aside.push(".1");
            // Whether this process did it or another one: the name has a file with room now, or soon.
            directory.rename(&file, &aside)?;
            file = directory.open()?;
        }
        // Relaxed: of two at once each may look for itself.
        let is_torn = self.may_be_torn.load(Ordering::Relaxed) && is_torn(&mut file)?;
        let written =
            if is_torn { file.write_all(format!("\n{line}").as_bytes()) } else { file.write_all(line.as_bytes()) };
        self.may_be_torn.store(written.is_err(), Ordering::Relaxed);
        written
    }
}

/// True if the last line has no end: the disk was full, or whoever wrote it was killed. One that somebody is just writing has
/// its end a moment later: it may be seen in pieces, a page at a time.
fn is_torn(file: &mut File) -> io::Result<bool> {
    for _ in 0..3 {
        if file.metadata()?.len() == 0 {
            return Ok(false);
        }
        let mut last = [0];
        file.seek(SeekFrom::End(-1))?;
        file.read_exact(&mut last)?;
        if last == *b"\n" {
            return Ok(false);
        }
        thread::sleep(Duration::from_millis(1));
    }
    Ok(true)
}

#[cfg(all(test, unix, not(miri)))]
mod tests {
    use std::fs;
    use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, symlink};

    use super::*;
    use crate::level::Level;
    use crate::report::{Discarded, ExitSummary};

    /// A folder of its own for each test, removed with it.
    struct Folder(PathBuf);

    impl Folder {
        fn new(name: &str) -> Folder {
            let folder = std::env::temp_dir().join(format!("leaktrail-file-{}-{name}", std::process::id()));
            let _ = fs::remove_dir_all(&folder);
            fs::create_dir_all(&folder).unwrap();
            Folder(folder)
        }

        fn file(&self) -> ReportFile {
            ReportFile::new(&self.0.join("reports.jsonl"))
        }

        fn text(&self, name: &str) -> String {
            fs::read_to_string(self.0.join(name)).unwrap_or_default()
        }
    }

    impl Drop for Folder {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    fn refused(file: &ReportFile) -> String {
        file.append("line\n").unwrap_err().to_string()
    }

    fn nothing() -> ExitSummary {
        ExitSummary {
            level: Level::Simple,
            uptime: Duration::ZERO,
            created: 0,
            released: 0,
            leaked: 0,
            leaked_bytes: 0,
            live: 0,
            untracked: 0,
            causes: Vec::new(),
            live_sites: Vec::new(),
            reports_dropped: 0,
            discarded: Discarded::default(),
            faults: 0,
            resident: None,
        }
    }

    #[test]
    fn it_is_made_for_its_user_alone_and_appended_to() {
        let folder = Folder::new("appended");
        folder.file().append("one\n").unwrap();
        folder.file().append("two\n").unwrap();
        assert_eq!(folder.text("reports.jsonl"), "one\ntwo\n");
        assert_eq!(fs::metadata(folder.0.join("reports.jsonl")).unwrap().mode() & 0o777, 0o600);
    }

    #[test]
    fn a_line_that_was_torn_does_not_spoil_the_next() {
        let folder = Folder::new("torn");
        fs::write(folder.0.join("reports.jsonl"), "half a li").unwrap();
        folder.file().append("whole\n").unwrap();
        assert_eq!(folder.text("reports.jsonl"), "half a li\nwhole\n");
    }

    #[test]
    fn past_its_size_it_is_put_aside_and_two_are_kept() {
        let folder = Folder::new("rotated");
        let file = ReportFile { max_bytes: 10, ..folder.file() };
        for line in ["12345\n", "6789\n", "three\n", "four\n", "longer than a whole file\n", "six\n"] {
            file.append(line).unwrap();
        }
        assert_eq!(folder.text("reports.jsonl.1"), "longer than a whole file\n");
        assert_eq!(folder.text("reports.jsonl"), "six\n");
        assert_eq!(fs::read_dir(&folder.0).unwrap().count(), 2);
    }

    #[test]
    fn threads_that_write_and_put_aside_at_once_tear_no_line() {
        let folder = Folder::new("threads");
        thread::scope(|scope| {
            for n in 0..4 {
                let file = ReportFile { max_bytes: 20_000, ..folder.file() };
                scope.spawn(move || {
                    (0..200).for_each(|_| file.append(&format!("{}\n", n.to_string().repeat(80))).unwrap())
                });
            }
        });
        let text = folder.text("reports.jsonl.1") + &folder.text("reports.jsonl");
        assert!(
            text.lines().all(|line| line.len() == 80 && line.bytes().all(|byte| byte == line.as_bytes()[0])),
            "{text}"
        );
        // Some were put aside for good; none of the last two files is larger than its bound and a line of each thread.
        assert!(text.lines().count() >= 200 && text.len() <= 2 * (20_000 + 4 * 81), "{}", text.len());
    }

    #[test]
    fn it_is_never_reached_through_a_link() {
        let folder = Folder::new("link");
        fs::write(folder.0.join("victim"), "").unwrap();
        symlink(folder.0.join("victim"), folder.0.join("reports.jsonl")).unwrap();
        refused(&folder.file());
        assert_eq!(folder.text("victim"), "");
    }

    #[test]
    fn a_folder_is_reached_through_a_link_that_only_its_user_can_have_made() {
        let folder = Folder::new("folder-link");
        fs::create_dir(folder.0.join("real")).unwrap();
        symlink("real", folder.0.join("link")).unwrap();
        let file = ReportFile::new(&folder.0.join("link/reports.jsonl"));
        file.append("through\n").unwrap();
        assert_eq!(folder.text("real/reports.jsonl"), "through\n");

        fs::set_permissions(&folder.0, fs::Permissions::from_mode(0o777)).unwrap();
        assert_eq!(refused(&file), "a link on the way to it lies where others can put one");
        // Where there is no link, a folder that others write to is no obstacle.
        ReportFile::new(&folder.0.join("real/reports.jsonl")).append("straight\n").unwrap();
        assert_eq!(folder.text("real/reports.jsonl"), "through\nstraight\n");
    }

    #[test]
    fn what_goes_in_a_circle_is_given_up() {
        let folder = Folder::new("circle");
        symlink("link", folder.0.join("link")).unwrap();
        refused(&ReportFile::new(&folder.0.join("link/reports.jsonl")));
    }

    #[test]
    fn only_a_plain_file_with_one_name_is_written() {
        let folder = Folder::new("plain");
        fs::create_dir(folder.0.join("reports.jsonl")).unwrap();
        refused(&folder.file());
        assert_eq!(refused(&ReportFile::new(Path::new("/dev/null"))), "it is no plain file");
        assert_eq!(refused(&ReportFile::new(Path::new("/"))), "it names no file");
        fs::write(folder.0.join("victim"), "").unwrap();
        fs::hard_link(folder.0.join("victim"), folder.0.join("twice")).unwrap();
        assert_eq!(refused(&ReportFile::new(&folder.0.join("twice"))), "it has another name elsewhere");
        assert_eq!(folder.text("victim"), "");
    }

    #[test]
    fn trouble_is_told_once_and_each_line_counted() {
        let folder = Folder::new("trouble");
        let file = ReportFile::new(&folder.0.join("not\nthere/reports.jsonl"));
        let told = file.check().unwrap();
        assert!(told.contains("not\\nthere/reports.jsonl\" cannot be written: "), "{told}");
        assert_eq!(file.check(), None);
        assert_eq!(file.write(JsonLine::Summary(&nothing())), None);
        assert_eq!(file.dropped(), 1);
    }
}
