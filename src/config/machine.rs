//! How much memory this process may have.

use std::fmt;
use std::fs;
use std::path::{Component, Path, PathBuf};

/// The files in which Linux tells how much memory a process may have, under a root that tests replace.
#[derive(Debug)]
pub(super) struct Machine {
    root: PathBuf,
}

/// What this process has in memory, in bytes; `None` where no file tells.
pub(crate) fn resident_bytes() -> Option<u64> {
    if cfg!(all(target_os = "linux", not(miri))) { Machine::this().resident_bytes() } else { None }
}

/// What the control group of this process uses of its memory, and how much it may: of the group, or one above it, that is
/// nearest to its limit. `None` where no limit is set or no file tells.
pub(crate) fn group_memory() -> Option<(u64, u64)> {
    if cfg!(all(target_os = "linux", not(miri))) { Machine::this().group_memory() } else { None }
}

/// An amount of memory and what sets it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Memory {
    pub(super) bytes: u64,
    set_by: SetBy,
}

#[derive(Debug, PartialEq, Eq)]
enum SetBy {
    Machine,
    ControlGroup(PathBuf),
}

/// A control group, by its folder under the root.
#[derive(Debug)]
pub(super) struct Group {
    pub(super) folder: PathBuf,
    pub(super) files: &'static GroupFiles,
}

/// Where one version of control groups is mounted, and what the files of a group are called there.
#[derive(Debug)]
pub(super) struct GroupFiles {
    mount: &'static str,
    pub(super) limit: &'static str,
    pub(super) usage: &'static str,
    /// In `memory.stat`, with that of the groups below: what the kernel takes back before it kills.
    pub(super) inactive: &'static str,
}

static VERSION_2: GroupFiles =
    GroupFiles { mount: "sys/fs/cgroup", limit: "memory.max", usage: "memory.current", inactive: "inactive_file" };
static VERSION_1: GroupFiles = GroupFiles {
    mount: "sys/fs/cgroup/memory",
    limit: "memory.limit_in_bytes",
    usage: "memory.usage_in_bytes",
    inactive: "total_inactive_file",
};

impl Machine {
    /// The machine that this process runs on.
    pub(super) fn this() -> Machine {
        Machine::at("/")
    }

    /// A machine whose `proc` and `sys` are under `root`.
    pub(super) fn at(root: impl Into<PathBuf>) -> Machine {
        Machine { root: root.into() }
    }

    /// The least of the machine's memory and the limits of the process's control group and of every group above it;
    /// `None` where no file tells (another system than Linux, a sandbox).
    pub(super) fn memory(&self) -> Option<Memory> {
        let machine = self.total_memory().map(|bytes| Memory { bytes, set_by: SetBy::Machine });
        // The machine's figure comes first, so that it wins a tie: a group may be given all there is.
        machine.into_iter().chain(self.control_group_limits()).min_by_key(|memory| memory.bytes)
    }

    fn total_memory(&self) -> Option<u64> {
        self.kibibytes("proc/meminfo", "MemTotal:")
    }

    /// Each limit that is set for a group of this process or above it.
    fn control_group_limits(&self) -> Vec<Memory> {
        // Version 2 says `max` for no limit, which does not parse; version 1 says a number that is larger than any machine's
        // memory, which loses against it.
        let limit = |group: Group| {
            let file = group.folder.join(group.files.limit);
            let bytes = self.figure(&file)?;
            Some(Memory { bytes, set_by: SetBy::ControlGroup(Path::new("/").join(file)) })
        };
        self.groups().into_iter().filter_map(limit).collect()
    }

    fn group_memory(&self) -> Option<(u64, u64)> {
        let figures = self.groups().into_iter().filter_map(|group| {
            let limit = self.figure(group.folder.join(group.files.limit)).filter(|&limit| limit > 0)?;
            Some((self.figure(group.folder.join(group.files.usage))?, limit))
        });
        // By the share that is used: a / b > c / d is a * d > c * b.
        figures.max_by_key(|&(used, limit)| u128::from(used) * (1 << 32) / u128::from(limit))
    }

    /// The group of this process and every one above it.
    ///
    /// The controllers are looked for where systemd and the container engines mount them. A path that
    /// `/proc/self/cgroup` names may be the host's while the mount shows the container's own group as its root; the
    /// walk ends at that root, so the group's files are found either way.
    pub(super) fn groups(&self) -> Vec<Group> {
        let mut groups = Vec::new();
        for line in self.read("proc/self/cgroup").unwrap_or_default().lines() {
            // hierarchy:controllers:path, where the controllers of version 2 are an empty list.
            let mut fields = line.splitn(3, ':');
            let (Some(hierarchy), Some(controllers), Some(path)) = (fields.next(), fields.next(), fields.next()) else {
                continue;
            };
            let files = if hierarchy == "0" && controllers.is_empty() {
                &VERSION_2
            } else if controllers.split(',').any(|controller| controller == "memory") {
                &VERSION_1
            } else {
                continue;
            };
            // A group outside of the namespace shows as `/../name`; going up would leave the mount.
            let group: PathBuf =
                Path::new(path).components().filter(|part| matches!(part, Component::Normal(_))).collect();
            groups.extend(group.ancestors().map(|group| Group { folder: Path::new(files.mount).join(group), files }));
        }
        groups
    }

    /// What this process has in memory. Not from `statm`, which counts in pages: only a foreign function tells how large
    /// those are.
    fn resident_bytes(&self) -> Option<u64> {
        self.kibibytes("proc/self/status", "VmRSS:")
    }

    /// A line of a file of `/proc` with a number of kB.
    fn kibibytes(&self, file: &str, name: &str) -> Option<u64> {
        let text = self.read(file)?;
        let figure = text.lines().find_map(|line| line.strip_prefix(name))?;
        figure.trim().strip_suffix("kB")?.trim_end().parse::<u64>().ok()?.checked_mul(1024)
    }

    /// The number that is all that a file has.
    pub(super) fn figure(&self, file: impl AsRef<Path>) -> Option<u64> {
        self.read(file)?.trim().parse().ok()
    }

    pub(super) fn read(&self, file: impl AsRef<Path>) -> Option<String> {
        fs::read_to_string(self.root.join(file)).ok()
    }
}

impl fmt::Display for Memory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.set_by {
            SetBy::Machine => write!(f, "the machine's {} B", self.bytes),
            // A group's name is anybody's text, and this goes to the log.
            SetBy::ControlGroup(file) => {
                write!(f, "the {} B of {}", self.bytes, file.to_string_lossy().escape_debug())
            }
        }
    }
}

#[cfg(test)]
pub(super) mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;

    /// A directory of its own for each machine that a test makes up, removed with it.
    pub(in crate::config) struct Made(pub(in crate::config) Machine);

    impl Made {
        pub(in crate::config) fn of(files: &[(&str, &str)]) -> Made {
            static NEXT: AtomicU32 = AtomicU32::new(0);
            // Relaxed: the number only has to differ from those of the other tests.
            let number = NEXT.fetch_add(1, Ordering::Relaxed);
            let root = std::env::temp_dir().join(format!("leaktrail-machine-{}-{number}", std::process::id()));
            for (file, text) in files {
                let file = root.join(file);
                fs::create_dir_all(file.parent().unwrap()).unwrap();
                fs::write(file, text).unwrap();
            }
            Made(Machine::at(root))
        }

        fn memory(&self) -> String {
            self.0.memory().map_or("unknown".to_owned(), |memory| memory.to_string())
        }
    }

    impl Drop for Made {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0.root);
        }
    }

    const MEMINFO: (&str, &str) = ("proc/meminfo", "MemTotal:        1024 kB\nMemFree:          512 kB\n");

    #[test]
    #[cfg_attr(miri, ignore = "works on files")]
    fn without_a_control_group_it_is_the_machine() {
        assert_eq!(Made::of(&[MEMINFO]).memory(), "the machine's 1048576 B");
        assert_eq!(Made::of(&[MEMINFO, ("proc/self/cgroup", "0::/\n")]).memory(), "the machine's 1048576 B");
    }

    #[test]
    #[cfg_attr(miri, ignore = "works on files")]
    fn version_2_takes_the_least_of_the_group_and_those_above() {
        let files = [
            MEMINFO,
            ("proc/self/cgroup", "0::/a/b/c\n"),
            ("sys/fs/cgroup/a/memory.max", "5000\n"),
            ("sys/fs/cgroup/a/b/memory.max", "4000\n"),
            ("sys/fs/cgroup/a/b/c/memory.max", "max\n"),
        ];
        assert_eq!(Made::of(&files).memory(), "the 4000 B of /sys/fs/cgroup/a/b/memory.max");
    }

    #[test]
    #[cfg_attr(miri, ignore = "works on files")]
    fn version_1_finds_a_container_whose_path_is_the_hosts() {
        let files = [
            MEMINFO,
            ("proc/self/cgroup", "3:cpu:/docker/f00\n5:hugetlb,memory:/docker/f00\n0::/docker/f00\n"),
            ("sys/fs/cgroup/memory/memory.limit_in_bytes", "6000\n"),
        ];
        assert_eq!(Made::of(&files).memory(), "the 6000 B of /sys/fs/cgroup/memory/memory.limit_in_bytes");
    }

    #[test]
    #[cfg_attr(miri, ignore = "works on files")]
    fn a_limit_above_the_machine_is_none() {
        let files = [
            MEMINFO,
            ("proc/self/cgroup", "5:memory:/\n"),
            ("sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712\n"),
        ];
        assert_eq!(Made::of(&files).memory(), "the machine's 1048576 B");
    }

    #[test]
    #[cfg_attr(miri, ignore = "works on files")]
    fn the_walk_stays_below_the_mount() {
        let files = [
            MEMINFO,
            ("proc/self/cgroup", "0::/../../outside\n"),
            ("sys/memory.max", "1\n"),
            ("sys/fs/cgroup/memory.max", "7000\n"),
        ];
        assert_eq!(Made::of(&files).memory(), "the 7000 B of /sys/fs/cgroup/memory.max");
    }

    #[test]
    #[cfg_attr(miri, ignore = "works on files")]
    fn files_that_say_nothing_are_passed_over() {
        let files = [("proc/meminfo", "MemTotal: lots\n"), ("proc/self/cgroup", "\n:\n0:\nmemory\n0::\n")];
        assert_eq!(Made::of(&files).memory(), "unknown");
        assert_eq!(Made::of(&[]).memory(), "unknown");
    }
}
