//! How much memory the process may still take.

use super::machine::Machine;

/// Bytes that the process may still take before its control group is at its limit; `None` where there is none, or where
/// nobody tells.
///
/// # Cost
/// A few small files are read, for each group up to the root.
pub(crate) fn memory_left() -> Option<u64> {
    Machine::this().left()
}

impl Machine {
    /// The least that any group of the process, or above it, has left.
    ///
    /// What the kernel takes back before it kills (files that were read once) counts as left, as for Kubernetes' working set:
    /// the figure of use alone goes up to the limit in every process that reads files.
    fn left(&self) -> Option<u64> {
        let left = self.groups().into_iter().filter_map(|group| {
            let limit = self.figure(group.folder.join(group.files.limit))?;
            let used = self.figure(group.folder.join(group.files.usage))?;
            let stat = self.read(group.folder.join("memory.stat")).unwrap_or_default();
            let mut lines = stat.lines().filter_map(|line| line.split_once(' '));
            let inactive = lines.find(|(name, _)| *name == group.files.inactive);
            let inactive = inactive.and_then(|(_, bytes)| bytes.trim().parse::<u64>().ok()).unwrap_or(0);
            Some(limit.saturating_sub(used.saturating_sub(inactive)))
        });
        left.min()
    }
}

#[cfg(test)]
mod tests {
    use crate::config::machine::tests::Made;

    #[test]
    #[cfg_attr(miri, ignore = "works on files")]
    fn the_least_of_the_group_and_those_above_without_what_can_be_taken_back() {
        let files = [
            ("proc/self/cgroup", "0::/a/b\n"),
            ("sys/fs/cgroup/a/memory.max", "5000\n"),
            ("sys/fs/cgroup/a/memory.current", "4500\n"),
            ("sys/fs/cgroup/a/memory.stat", "anon 4000\ninactive_file 300\n"),
            ("sys/fs/cgroup/a/b/memory.max", "max\n"),
            ("sys/fs/cgroup/a/b/memory.current", "100\n"),
        ];
        assert_eq!(Made::of(&files).0.left(), Some(800));
        let version_1 = [
            ("proc/self/cgroup", "5:memory:/docker/f00\n"),
            ("sys/fs/cgroup/memory/memory.limit_in_bytes", "6000\n"),
            ("sys/fs/cgroup/memory/memory.usage_in_bytes", "7000\n"),
            ("sys/fs/cgroup/memory/memory.stat", "inactive_file 9\ntotal_inactive_file 500\n"),
        ];
        assert_eq!(Made::of(&version_1).0.left(), Some(0));
        assert_eq!(Made::of(&[("proc/self/cgroup", "0::/\n")]).0.left(), None);
    }
}
