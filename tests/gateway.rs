//! The gateway tells its story at every level, and its exit status says whether it did.

mod example_process;

use std::io::{BufRead, BufReader, Lines, Read, Write};
use std::net::TcpStream;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use example_process::{Ended, command, run, site_of};

/// The culprit of the story.
const FILTER: &str = "examples/gateway/filters/cache_body.rs";

/// Few requests, but three times as many bytes as the limit: quick, and act 1 and 3 still run out of memory.
const SHORT: [&str; 3] = ["--requests=150", "--limit=512k", "--connections=4"];

fn play(arguments: &[&str]) -> Ended {
    let mut gateway = command("gateway");
    gateway.args(arguments);
    run(gateway)
}

/// What is printed between the headline of `act` and the next one.
fn part<'a>(ended: &'a Ended, act: &str) -> &'a str {
    let headline = format!(": {act} ==");
    let (_, rest) = ended.stdout.split_once(&headline).unwrap_or_else(|| panic!("no act {act} in {ended:#?}"));
    rest.split("\n== ").next().unwrap_or(rest)
}

fn line_with<'a>(text: &'a str, words: &str) -> &'a str {
    text.lines().find(|line| line.contains(words)).unwrap_or_else(|| panic!("no {words:?} in:\n{text}"))
}

/// A figure of the `RESULT:` line.
fn figure(text: &str, key: &str) -> u64 {
    let line = line_with(text, "RESULT:");
    let mut pairs = line.split_whitespace().filter_map(|pair| pair.split_once('='));
    let value = pairs.find_map(|(name, value)| (name == key).then_some(value));
    value.and_then(|value| value.parse().ok()).unwrap_or_else(|| panic!("no {key} in {line}"))
}

fn check_hoard(hoard: &str) {
    let retain = site_of(FILTER, "THE LEAK");
    let growing = line_with(hoard, "GROW: ByteBuf at ");
    assert!(growing.contains(&format!("GROW: ByteBuf at {retain}")), "{growing}");
    assert!(growing.contains(", up in each of the last ") && growing.contains(" windows of 100 ms, "), "{growing}");
    assert!(figure(hoard, "growths") > 0, "{hoard}");
    assert!(hoard.contains("LIVE: budget at "), "{hoard}");
    assert!(hoard.contains("REFUSED: failed to allocate "), "{hoard}");
    let first = line_with(hoard, "REFUSED: #1 ");
    assert!(first.contains(&format!("ByteBuf retained {retain}")), "{first}");
    assert!(first.contains("(never released)"), "{first}");
    assert!(line_with(hoard, "LIVE: summary at exit: ").contains(" live at 1 site"), "{hoard}");
    assert!(figure(hoard, "unavailable") > 0 && figure(hoard, "refusals") > 0, "{hoard}");
    assert_eq!(figure(hoard, "ok") + figure(hoard, "unavailable"), 150, "{hoard}");
    assert_eq!(figure(hoard, "lost"), 0, "{hoard}");
}

fn check_losses(text: &str, fate: &str) {
    let retain = site_of(FILTER, "THE LEAK");
    let first = line_with(text, "LEAK: ByteBuf.release() was not called before it was dropped.");
    assert!(first.contains(&format!("created {retain}")), "{first}");
    let mut traced = text.lines().filter(|line| line.contains("LEAK: ByteBuf.release()"));
    let traced = traced.find(|line| line.contains(&format!(", dropped {FILTER}:")));
    let traced = traced.unwrap_or_else(|| panic!("no report names the line of the drop:\n{text}"));
    assert!(traced.contains(fate), "{traced}");
    assert!(text.contains("Hint: CacheBody keeps it for a replay"), "{text}");
    let lost = figure(text, "lost");
    // Each request that got memory lost exactly one reference.
    assert_eq!(lost, figure(text, "ok"), "{text}");
    assert!(text.contains(&format!("LEAK: {lost} lost, ")), "{text}");
}

fn check_mended(mended: &str) {
    assert!(mended.contains("leaktrail: clean at exit: 300 created, all released"), "{mended}");
    for key in ["unavailable", "refusals", "leaks", "lost", "live", "used"] {
        assert_eq!(figure(mended, key), 0, "{key} in {mended}");
    }
}

fn check_story(ended: &Ended, level: &str) {
    assert_eq!(ended.status, Some(0), "{ended:#?}");
    for act in ["hoard", "lost", "abandon", "mended"] {
        assert!(part(ended, act).contains(&format!("Level {level}: ")), "{ended:#?}");
    }
    check_hoard(part(ended, "hoard"));
    check_losses(part(ended, "lost"), " given back");
    assert_eq!(figure(part(ended, "lost"), "ok"), 150, "{ended:#?}");
    check_losses(part(ended, "abandon"), " still out");
    assert!(part(ended, "abandon").contains("REFUSED: failed to allocate "), "{ended:#?}");
    check_mended(part(ended, "mended"));
    let (_, table) = ended.stdout.split_once("== what came of it ").expect("the table is told");
    assert_eq!(table.matches("as promised").count(), 4, "{table}");
    assert!(ended.stderr.is_empty(), "{}", ended.stderr);
}

#[test]
fn the_story_at_the_default_level() {
    let ended = play(&SHORT);
    check_story(&ended, "SIMPLE");
    // The first loss was not traced; the site's next handles were.
    let lost = part(&ended, "lost");
    assert!(line_with(lost, "LEAK: ByteBuf").contains(", dropped unknown, "), "{lost}");
}

#[test]
fn the_story_at_advanced_from_the_environment() {
    let mut gateway = command("gateway");
    gateway.args(SHORT).env("LEAK_DETECTION_LEVEL", "advanced");
    check_story(&run(gateway), "ADVANCED");
}

#[test]
fn the_story_at_paranoid_where_the_option_wins_over_the_environment() {
    let mut gateway = command("gateway");
    gateway.args(SHORT).arg("--level=paranoid").env("LEAK_DETECTION_LEVEL", "disabled");
    check_story(&run(gateway), "PARANOID");
}

#[test]
fn at_disabled_the_budget_still_refuses_and_nobody_is_named() {
    let ended = play(&[SHORT.as_slice(), &["--level", "disabled"]].concat());
    assert_eq!(ended.status, Some(0), "{ended:#?}");
    for act in ["hoard", "abandon"] {
        let part = part(&ended, act);
        assert!(part.contains("failed to allocate "), "{part}");
        assert!(figure(part, "unavailable") > 0, "{part}");
    }
    assert!(!ended.stdout.contains("REFUSED: #1"), "{ended:#?}");
    assert!(!ended.stdout.contains("LEAK: ByteBuf") && !ended.stdout.contains("LEAK: summary"), "{ended:#?}");
    assert_eq!(figure(part(&ended, "lost"), "ok"), 150, "{ended:#?}");
    assert_eq!(figure(part(&ended, "mended"), "used"), 0, "{ended:#?}");
}

#[test]
fn an_act_that_does_not_show_what_it_promises_fails() {
    for (act, words) in [("hoard", "no REFUSED: came"), ("abandon", "no REFUSED: came")] {
        let ended = play(&["--act", act, "--requests", "3"]);
        assert_eq!(ended.status, Some(1), "{ended:#?}");
        assert!(line_with(&ended.stdout, "FAILED: ").contains(words), "{ended:#?}");
    }
    let story = play(&["--requests", "3"]);
    assert_eq!(story.status, Some(1), "{story:#?}");
    assert_eq!(story.stdout.matches("as promised").count(), 2, "{story:#?}");
}

#[test]
fn one_act_alone() {
    let ended = play(&[SHORT.as_slice(), &["--act=mended"]].concat());
    assert_eq!(ended.status, Some(0), "{ended:#?}");
    check_mended(&ended.stdout);
}

/// With room for one body beside those that are kept, and sixty-four clients that want one: each waits its turn, and none is
/// sent away.
#[test]
fn who_waits_for_memory_is_served() {
    let ended = play(&[
        "--act=mended",
        "--limit=147456",
        "--connections=64",
        "--requests=800",
        "--rate=1000000",
        "--wait=9000",
    ]);
    assert_eq!(ended.status, Some(0), "{ended:#?}");
    for key in ["unavailable", "refusals", "leaks", "lost", "live", "used"] {
        assert_eq!(figure(&ended.stdout, key), 0, "{key} in {ended:#?}");
    }
    assert_eq!(figure(&ended.stdout, "ok"), 800, "{ended:#?}");
    let waits = line_with(&ended.stdout, "memory: ");
    assert!(waits.contains(" under ") && waits.contains(" ms in all, longest "), "{waits}");
}

#[test]
fn a_bad_argument_says_what_was_read_and_what_is_accepted() {
    for (arguments, words) in [
        (&["--act", "steal"][..], "--act: read \"steal\"; accepted: hoard, lost, abandon or mended"),
        (&["--level", "bogus"], "--level: read \"bogus\"; accepted: disabled, simple, advanced, paranoid"),
        (&["--limit", "8x"], "--limit: read \"8x\"; accepted: a number of bytes such as"),
        (&["--limit", "99999999999999999999g"], "--limit: read \"99999999999999999999g\""),
        (&["--limit", "64k"], "--limit: read \"65536\"; accepted: at least 147456: 8 bodies are kept"),
        (&["--requests", "-1"], "--requests: read \"-1\"; accepted: a whole number from 1 to 100000"),
        (&["--requests=0"], "--requests: read \"0\"; accepted: at least 1"),
        (&["--requests"], "--requests: read \"\"; accepted: "),
        (&["--connections", "0"], "--connections: read \"0\"; accepted: a whole number from 1 to 256"),
        (&["--rate", "0"], "--rate: read \"0\"; accepted: a whole number from 1 to 1000000"),
        (&["--wait", "1s"], "--wait: read \"1s\"; accepted: milliseconds"),
        (&["--serve", "everywhere"], "--serve: read \"everywhere\"; accepted: a port for 127.0.0.1"),
        (&["--leak"], "\"--leak\" is no option; accepted: --act, "),
    ] {
        let ended = play(arguments);
        assert_eq!(ended.status, Some(2), "{arguments:?}: {ended:#?}");
        assert!(ended.stderr.contains(words), "{arguments:?}: {ended:#?}");
        assert!(ended.stdout.is_empty(), "{arguments:?}: {ended:#?}");
    }
}

#[test]
fn help_is_no_error() {
    let ended = play(&["--help"]);
    assert_eq!(ended.status, Some(0), "{ended:#?}");
    assert!(ended.stdout.contains("--serve ADDR"), "{ended:#?}");
}

#[test]
fn a_gateway_that_stays_up_answers_who_holds_what() {
    let mut gateway = Served::start(&["--act=hoard", "--requests=20"]);
    let address = &*gateway.address.clone();

    let retain = site_of(FILTER, "THE LEAK");
    let text = get(address, "/debug/leaks", "");
    assert!(text.starts_with("HTTP/1.1 200 OK"), "{text}");
    assert!(text.contains(retain.trim_end_matches(':')), "{text}");

    for (path, header) in [("/debug/leaks?format=json", ""), ("/debug/leaks", "Accept: application/json\r\n")] {
        let answer = get(address, path, header);
        let (head, body) = answer.split_once("\r\n\r\n").expect("an answer has a head and a body");
        assert!(head.contains("content-type: application/json"), "{head}");
        let json: serde_json::Value = serde_json::from_str(body).expect("the body is JSON");
        let sites = json["sites"].as_array().expect("a snapshot has sites");
        let held = sites.iter().find(|site| format!("{}", site["site"]).contains("cache_body.rs"));
        assert_eq!(held.expect("the filter is among them")["created"], 20, "{json:#}");
    }
    assert!(get(address, "/other", "").starts_with("HTTP/1.1 200 OK"), "an empty body goes through the gateway too");

    gateway.child.stdin.take().expect("stdin is piped").write_all(b"\n").expect("it still reads");
    gateway.ends_with("LIVE: summary at exit: ");
}

#[test]
fn a_gateway_that_stays_up_has_figures_for_a_scraper() {
    let mut gateway = Served::start(&["--act=lost", "--requests=20"]);
    let address = &*gateway.address.clone();
    let metrics = get(address, "/metrics", "");
    assert!(metrics.contains("content-type: application/openmetrics-text; version=1.0.0"), "{metrics}");
    for line in [
        "leaktrail_created_total{resource=\"ByteBuf\"} 40",
        "leaktrail_leaked_total{resource=\"ByteBuf\"} 20",
        "leaktrail_live{resource=\"ByteBuf\"} 0",
        "leaktrail_live_bytes{resource=\"ByteBuf\"} 0",
        "leaktrail_budget_refusals_total{budget=\"bodies\"} 0",
        "leaktrail_budget_limit_bytes{budget=\"bodies\"} 1048576",
        "# EOF",
    ] {
        assert!(metrics.lines().any(|found| found == line), "{line} in {metrics}");
    }
    assert!(ask(address, "POST", "/metrics", "").starts_with("HTTP/1.1 405 "), "a scraper reads");
    gateway.child.stdin.take().expect("stdin is piped").write_all(b"\n").expect("it still reads");
    gateway.ends_with("LEAK: summary at exit: 20 of 40 lost");
}

#[test]
fn the_level_is_changed_from_outside_for_a_time() {
    let mut gateway = Served::start(&["--act=mended", "--requests=20"]);
    let address = &*gateway.address.clone();
    for path in [
        "/debug/leaks/level",
        "/debug/leaks/level?level=paranoid",
        "/debug/leaks/level?level=loud&for=10m",
        "/debug/leaks/level?level=paranoid&for=0s",
        "/debug/leaks/level?level=paranoid&for=1y",
    ] {
        assert!(ask(address, "POST", path, "").starts_with("HTTP/1.1 400 "), "{path}");
    }
    let path = "/debug/leaks/level?level=paranoid&for=10m";
    assert!(get(address, path, "").starts_with("HTTP/1.1 405 "), "who only looks changes nothing");
    assert!(get(address, "/debug/leaks", "").contains("level SIMPLE, "), "as nothing has changed it");
    assert!(ask(address, "POST", path, "").contains("level PARANOID for 10m"));
    assert!(get(address, "/debug/leaks", "").contains("level PARANOID, "));
    // Over again within its time it begins anew, and is over by itself.
    assert!(ask(address, "POST", "/debug/leaks/level?level=advanced&for=50ms", "").contains("level ADVANCED for 50ms"));
    let deadline = Instant::now() + Duration::from_secs(60);
    while !get(address, "/debug/leaks", "").contains("level SIMPLE, ") {
        assert!(Instant::now() < deadline, "the level does not go back");
        thread::sleep(Duration::from_millis(5));
    }
    gateway.child.stdin.take().expect("stdin is piped").write_all(b"\n").expect("it still reads");
    let lines = gateway.ends_with("clean at exit");
    for line in [
        "level PARANOID for 10 min; then SIMPLE again",
        "level ADVANCED for 50 ms; then SIMPLE again",
        "level SIMPLE again",
    ] {
        assert!(lines.iter().any(|found| found.contains(line)), "{line} in {lines:#?}");
    }
}

#[test]
#[cfg(unix)]
fn a_gateway_that_is_told_to_end_says_what_is_left() {
    let mut gateway = Served::start(&["--act=hoard", "--requests=20"]);
    let pid = gateway.child.id().to_string();
    // By the shell: a signal is a C function, and there is no other unsafe code here.
    let sent = Command::new("sh").args(["-c", "kill -TERM \"$0\"", &pid]).status().expect("there is a shell");
    assert!(sent.success());
    let lines = gateway.ends_with("LIVE: summary at exit: 20 of 40 live at 1 site");
    assert!(lines.iter().any(|line| line == "asked to end"), "{lines:#?}");
}

/// A gateway that stays up. Dropped before it was asked to end (a check has failed) it is killed.
struct Served {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
    /// Host and port.
    address: String,
}

impl Served {
    /// Starts it, and waits until it serves.
    fn start(arguments: &[&str]) -> Served {
        let mut gateway = command("gateway");
        gateway.arg("--serve=0").args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = gateway.spawn().expect("the example starts");
        let mut lines = BufReader::new(child.stdout.take().expect("stdout is piped")).lines();
        let serving = lines.by_ref().map_while(Result::ok).find(|line| line.starts_with("serving: "));
        let serving = serving.expect("it says where it serves");
        let url = serving.split_whitespace().nth(1).expect("the line has a URL");
        let address = url.trim_start_matches("http://").trim_end_matches("/debug/leaks").to_owned();
        assert!(address.starts_with("127.0.0.1:"), "{serving}");
        Served { child, lines, address }
    }

    /// Reads what it still says until it ends: well, and with a line that has the words.
    fn ends_with(&mut self, words: &str) -> Vec<String> {
        let rest: Vec<String> = self.lines.by_ref().map_while(Result::ok).collect();
        let status = self.child.wait().expect("a child can be waited for");
        assert_eq!(status.code(), Some(0), "{rest:#?}");
        assert!(rest.iter().any(|line| line.contains(words)), "{words} in {rest:#?}");
        rest
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn get(address: &str, path: &str, header: &str) -> String {
    ask(address, "GET", path, header)
}

fn ask(address: &str, method: &str, path: &str, header: &str) -> String {
    let mut stream = TcpStream::connect(address).expect("it listens");
    let head = format!(
        "{method} {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\nContent-Length: 0\r\n{header}\r\n"
    );
    stream.write_all(head.as_bytes()).expect("it reads");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("it answers");
    answer
}
