//! A process that is killed for want of memory has named its holder before.
//!
//! The kernel kills without a word, so the words come at nine tenths of the control group's limit. Two ways to see it: with
//! files in the place of the control groups' (in a mount namespace of the program's own), and with a real group, in a
//! directory that `LEAKTRAIL_TEST_CGROUP` names and in which groups may be made.

#![allow(clippy::disallowed_methods, reason = "what the test is told by who runs it, and tells its program")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use leaktrail::{
    ByteBuf, ByteBufAllocator, DirectMemory, LeakAware, LeakDetector, LeakReport, Limited, Pressure, Severity, Sink,
    UnpooledAllocator,
};
use log::LevelFilter;

use crate::process::{Ended, Named, log_to_stdout};

pub(crate) const TESTS: &[Named] =
    named![who_is_killed_has_named_its_holder, who_is_killed_by_the_kernel_has_named_its_holder];

pub(crate) const PROGRAMS: &[Named] = named![kills_itself_when_its_group_is_nearly_full, hoards_until_it_is_killed];

const LIMIT: u64 = 1 << 30;

/// One version's files, and the words by which `/proc/self/cgroup` has a group of it.
const VERSIONS: [(&str, &str, &str); 2] = [
    ("0::", "memory.max", "memory.current"),
    (":memory:", "memory/memory.limit_in_bytes", "memory/memory.usage_in_bytes"),
];

/// The variable by which the program learns which file tells what is used.
const USED_FILE: &str = "USED_FILE";

fn assert_it_named_its_holder(ended: &Ended, made_at: u32) {
    assert_eq!(ended.status, None, "it was killed\n{ended}");
    ended.log_has(1, "[ERROR leaktrail] LIVE: control group at 9");
    let holder = ended.lines().find(|line| line.contains("LIVE: #1 ")).unwrap_or_else(|| panic!("no holder\n{ended}"));
    assert!(holder.contains(" (never released), ByteBuf created tests/programs/killed.rs:"), "{holder}");
    assert!(holder.contains(&format!(":{made_at}:")), "{holder}");
    ended.log_has(1, "LIVE: tracked live ");
}

fn who_is_killed_has_named_its_holder() {
    let known = fs::read_to_string("/proc/self/cgroup").unwrap_or_default();
    let mut seen = 0;
    for (nth, (words, limit, used)) in VERSIONS.into_iter().enumerate() {
        if !known.contains(words) {
            continue;
        }
        let root = Scratch::new(nth);
        root.write(limit, LIMIT);
        root.write(used, LIMIT / 2);
        // Its own mounts: nobody else sees the files there.
        let Some(wrapper) = root.as_control_groups() else { continue };
        let used = Path::new("/sys/fs/cgroup").join(used);
        let ended = program!(kills_itself_when_its_group_is_nearly_full).within(&wrapper).env(USED_FILE, used).run();
        assert_it_named_its_holder(&ended, HOARDED_AT);
        seen += 1;
    }
    if seen == 0 {
        eprintln!("SKIPPED: no mount namespace can be made here, or the system has no control groups");
    }
}

fn who_is_killed_by_the_kernel_has_named_its_holder() {
    let Some(parent) = std::env::var_os("LEAKTRAIL_TEST_CGROUP") else {
        eprintln!("SKIPPED: LEAKTRAIL_TEST_CGROUP names no directory of control groups in which one may be made");
        return;
    };
    let group = RealGroup(PathBuf::from(parent).join(format!("leaktrail-{}", std::process::id())));
    fs::create_dir(&group.0).expect("LEAKTRAIL_TEST_CGROUP is a directory in which groups may be made");
    let limit =
        ["memory.max", "memory.limit_in_bytes"].map(|name| group.0.join(name)).into_iter().find(|file| file.exists());
    fs::write(limit.expect("the group has the memory controller"), "67108864").expect("the limit can be set");
    let enter = format!("echo $$ > '{}' && exec \"$0\" \"$@\"", group.0.join("cgroup.procs").display());
    let ended = program!(hoards_until_it_is_killed).within(&["sh".to_owned(), "-c".to_owned(), enter]).run();
    assert_it_named_its_holder(&ended, HOARDED_AT);
}

/// Removed when the test is over, and every process in it gone.
struct RealGroup(PathBuf);

impl Drop for RealGroup {
    fn drop(&mut self) {
        let _ = fs::remove_dir(&self.0);
    }
}

/// A directory of the test's own.
struct Scratch(PathBuf);

impl Scratch {
    fn new(nth: usize) -> Scratch {
        Scratch(std::env::temp_dir().join(format!("leaktrail-groups-{}-{nth}", std::process::id())))
    }

    fn write(&self, file: &str, bytes: u64) {
        let file = self.0.join(file);
        fs::create_dir_all(file.parent().expect("it is in the directory")).expect("a scratch directory can be made");
        fs::write(file, format!("{bytes}\n")).expect("and written to");
    }

    /// How a command is run that sees the directory in the place of the control groups.
    fn as_control_groups(&self) -> Option<Vec<String>> {
        let mount = format!("mount --bind '{}' /sys/fs/cgroup && exec \"$0\" \"$@\"", self.0.display());
        // As root; else as root of a user namespace, where the system lets anybody have one.
        [&["--mount"][..], &["--mount", "--map-root-user"]].into_iter().find_map(|options| {
            let wrapper: Vec<String> =
                ["unshare"].iter().chain(options).chain(&["sh", "-c", &mount]).map(ToString::to_string).collect();
            let probe = Command::new(&wrapper[0]).args(&wrapper[1..]).arg("true").stderr(Stdio::null()).status();
            probe.is_ok_and(|status| status.success()).then_some(wrapper)
        })
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

static TOLD: AtomicBool = AtomicBool::new(false);

/// Sees what the log has got.
struct Sees;

impl Sink for Sees {
    fn report(&self, _: &LeakReport) {}

    fn pressure(&self, pressure: &Pressure) {
        assert_eq!((pressure.of(), pressure.mark(), pressure.severity()), (Limited::ControlGroup, 90, Severity::Error));
        TOLD.store(true, Ordering::Release);
    }
}

/// Where the hoards of this file are made.
const HOARDED_AT: u32 = line!() + 5;

fn hoard(bytes: usize) -> (LeakAware<UnpooledAllocator>, Vec<ByteBuf>) {
    let allocator = LeakAware::new(UnpooledAllocator::new(DirectMemory::unlimited()), LeakDetector::global().clone());
    let more = |allocator: &LeakAware<UnpooledAllocator>| {
        let mut buffer = allocator.allocate(bytes).expect("there is no limit");
        buffer.resize(bytes, 7);
        buffer.freeze()
    };
    let hoard = vec![more(&allocator)];
    (allocator, hoard)
}

/// What the kernel does when the group is full, but at a moment that a test can wait for.
fn kills_itself_when_its_group_is_nearly_full() {
    log_to_stdout(LevelFilter::Info);
    LeakDetector::global().add_sink(Sees).detach_never();
    let (_allocator, hoard) = hoard(1 << 20);
    let used_file = std::env::var(USED_FILE).expect("the test says which file");
    fs::write(used_file, format!("{}\n", LIMIT / 100 * 95)).expect("the file is the test's own");
    while !TOLD.load(Ordering::Acquire) {
        thread::sleep(Duration::from_millis(1));
    }
    let killed = Command::new("kill").arg("-9").arg(std::process::id().to_string()).status();
    unreachable!("{killed:?}, with {} buffer(s) hoarded", hoard.len());
}

fn hoards_until_it_is_killed() {
    log_to_stdout(LevelFilter::Info);
    let mut hoards = Vec::new();
    // Slowly enough for a look each second to come between nine tenths and the end.
    loop {
        hoards.push(hoard(1 << 20));
        thread::sleep(Duration::from_millis(300));
    }
}
