//! However much there is: a bounded memory, and a word about what had no room.

use super::harness::{Folder, array, first, run};

fn causes(number: u32) -> String {
    (1..=number)
        .map(|line| {
            first(1, &format!("src/some/deep/path/of/a/real/project/file.rs:{line}:22"), 1, &format!("{line:016x}"))
        })
        .collect()
}

#[test]
#[ignore = "long in a build for debugging: .ci/reader runs it"]
fn past_fifty_thousand_causes_the_rest_is_one_row() {
    let folder = Folder::new();
    let file = folder.file("app.log", causes(50_007));
    let ran = run(&["top", "--format", "csv", &file]);
    assert_eq!(ran.out.lines().count(), 1 + 50_000 + 1);
    assert!(
        ran.out.lines().last().is_some_and(|line| line.starts_with("other,other,") && line.contains(",7,")),
        "{:?}",
        ran.out.lines().last()
    );
    assert_eq!(array(&run(&["top", "--format", "json", "--rows", "3", &file]).out).len(), 3);
    let table = run(&["top", &file]).out;
    assert!(table.ends_with("and 49001 more; --rows 50001 shows all\n"), "{:?}", table.lines().last());
}

/// Asked of the system while the command waits for somebody to read what it has to say.
#[cfg(target_os = "linux")]
#[test]
#[ignore = "long in a build for debugging: .ci/reader runs it"]
fn fifty_thousand_causes_take_at_most_64_mib() {
    use std::time::{Duration, Instant};

    use super::harness::command;

    /// Kibibytes: the most that the process had in memory.
    fn peak(pid: u32) -> Option<u64> {
        let status = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
        status.lines().find_map(|line| line.strip_prefix("VmHWM:")?.trim().strip_suffix(" kB")?.parse().ok())
    }

    let folder = Folder::new();
    let file = folder.file("app.log", causes(50_000));
    for args in [
        &["top", "--format", "json", &file][..],
        &["top", "--rows", "50000", &file],
        &["baseline", &file],
        &["diff", "gateway.log", &file],
    ] {
        let mut child = command(args).spawn().expect("the command starts");
        let mut stdout = child.stdout.take().expect("it was piped");
        std::io::Read::read_exact(&mut stdout, &mut [0; 1]).expect("it says something");
        // It has read everything, and has more to say than the pipe holds: from here on it writes and keeps nothing.
        let begun = Instant::now();
        let mut most = peak(child.id()).expect("it runs");
        while begun.elapsed() < Duration::from_millis(200) {
            most = most.max(peak(child.id()).unwrap_or(0));
            std::thread::sleep(Duration::from_millis(20));
        }
        child.kill().expect("it can be ended");
        child.wait().expect("it ends");
        assert!(most <= 64 << 10, "{args:?}: {most} KiB");
    }
}
