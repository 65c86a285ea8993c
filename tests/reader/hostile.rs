//! Logs that mean harm, and readers that go away.

use std::io::Read as _;

use super::harness::{BLOCK, FP, Folder, SITE, command, first, run, run_with};

/// What a terminal would obey: clears the screen, sets its title, turns the text around.
const EVIL: &str = "\u{1b}[2J\u{1b}]0;owned\u{7}\u{202e}\u{9b}31m\r";

#[test]
fn nothing_that_a_log_says_is_obeyed_by_a_terminal() {
    let line = first(1, &format!("src/{EVIL}.rs:1:2"), 1, FP).replace("ByteBuf", &format!("Byte{EVIL}Buf"));
    let log = line
        + &BLOCK.replace("log_body", EVIL)
        + "LEAK: x.release() was not called before it's garbage-collected.\nRecent access records: \nCreated at:\n\ta.B.c\u{1b}[2J(B.java:1)\n";
    let folder = Folder::new();
    let file = folder.file("evil\u{1b}[2J.log", &log);
    let missing = folder.path().join("missing\u{1b}[2J");
    for args in [
        &["top", &file][..],
        &["top", "--color", "always", &file],
        &["show", FP, &file],
        &["diff", "gateway.log", &file],
        &["top", missing.to_str().expect("UTF-8")],
    ] {
        let ran = run(args);
        for text in [&ran.out, &ran.err] {
            let colours = text.replace("\u{1b}[31m", "").replace("\u{1b}[1m", "").replace("\u{1b}[0m", "");
            let obeyed = |c: char| c != '\n' && (c.is_control() || c == '\u{202e}');
            assert!(!colours.contains(obeyed), "{args:?}: {text:?}");
        }
    }
}

#[test]
fn programs_get_the_text_as_it_was() {
    let log = first(1, r"src/a\u{1b}b.rs:1:2", 1, FP);
    let row = &super::harness::rows(&log)[0];
    assert_eq!(row["site"], "src/a\u{1b}b.rs:1:2");
}

#[test]
fn any_bytes_are_a_log() {
    let mut bytes: Vec<u8> = (0..=255).cycle().take(70_000).collect();
    bytes.extend(b"\xff\xfe LEAK: \xff\nLEAK: \x00.release() was not called before it was dropped. created \xc3\n");
    bytes.extend(first(1, SITE, 1, FP).as_bytes());
    for command in [&["top"][..], &["show", FP], &["baseline"]] {
        let ran = run_with(command, &bytes);
        assert_eq!(ran.status, 0, "{command:?}: {}", ran.err);
        assert!(ran.out.contains(FP));
    }
    assert_eq!(run_with(&["top", "--format", "csv"], b"").status, 0);
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    let folder = Folder::new();
    let log: String =
        (1..5_000).map(|line| first(1, &format!("src/a.rs:{line}:1"), 1, &format!("{line:016x}"))).collect();
    let file = folder.file("app.log", log);
    for args in [&["top", "--format", "json", &file][..], &["top", "--rows", "5000", &file], &["baseline", &file]] {
        let mut child = command(args).spawn().expect("the command starts");
        // More than a pipe holds is to come: the command is in the middle of it when nobody reads any more.
        let mut stdout = child.stdout.take().expect("it was piped");
        stdout.read_exact(&mut [0; 10]).expect("it says something");
        drop(stdout);
        let mut err = String::new();
        child.stderr.take().expect("it was piped").read_to_string(&mut err).expect("UTF-8");
        assert!(child.wait().expect("it ends").success(), "{args:?}");
        assert_eq!(err.lines().count(), 1, "{args:?}: {err}");
    }
}

#[test]
fn colours_are_for_terminals_and_no_color_is_honoured() {
    let log = first(1, SITE, 1, FP);
    let folder = Folder::new();
    let file = folder.file("app.log", log);
    let mut command = command(&["top", &file]);
    let output = command.env("NO_COLOR", "1").env("CLICOLOR_FORCE", "0").output().expect("it runs");
    assert!(!output.stdout.contains(&0x1b));
    assert!(!run(&["--help"]).out.contains('\u{1b}'));
}

#[test]
fn help_has_examples() {
    for args in [
        &["--help"][..],
        &["top", "--help"],
        &["show", "--help"],
        &["diff", "--help"],
        &["baseline", "--help"],
        &["symbolize", "--help"],
    ] {
        let ran = run(args);
        assert!(ran.status == 0 && ran.out.contains("Examples:\n  "), "{args:?}: {}", ran.out);
    }
}
