//! Where and when.

use std::fs;
use std::process::Command;

fn said_by(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).output().ok();
    output
        .map(|output| String::from_utf8_lossy(&output.stdout).lines().next().unwrap_or_default().to_owned())
        .unwrap_or_default()
}

/// One line for the page: date, processor, system, compiler.
pub(crate) fn described() -> String {
    let processors = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = processors
        .lines()
        .find_map(|line| line.strip_prefix("model name")?.split_once(':'))
        .map_or("a processor without a name".to_owned(), |(_, name)| name.trim().to_owned());
    let cpus = std::thread::available_parallelism().map_or(1, |cpus| cpus.get());
    let date = said_by("date", &["-u", "+%-d %B %Y"]);
    let system = said_by("uname", &["-sm"]);
    let c_library = said_by("getconf", &["GNU_LIBC_VERSION"]);
    let compiler = said_by("rustc", &["--version"]);
    let compiler = compiler.split(" (").next().unwrap_or_default().to_owned();
    format!(
        "{date}, {model}, {cpus} CPUs (load {} at the end), {system}, {c_library}, {compiler}, release build with default flags \
         (no frame pointers).",
        load()
    )
}

/// How many wanted to run in the last minute.
pub(crate) fn load() -> String {
    fs::read_to_string("/proc/loadavg")
        .ok()
        .and_then(|text| text.split(' ').next().map(str::to_owned))
        .unwrap_or_default()
}
