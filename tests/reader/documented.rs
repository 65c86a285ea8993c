//! `docs/READER.md` is true: each of its commands is run, and says what stands there.

use std::process::{Command, Stdio};

use super::harness::Folder;

const PAGE: &str = include_str!("../../docs/READER.md");

/// A fenced block of the page, by its language.
struct Fenced<'a> {
    language: &'a str,
    text: &'a str,
}

fn fenced() -> Vec<Fenced<'static>> {
    let mut blocks = Vec::new();
    let mut rest = PAGE;
    while let Some((_, after)) = rest.split_once("\n```") {
        let (language, after) = after.split_once('\n').expect("a fence ends its line");
        let (text, after) = after.split_once("\n```").expect("a fence is closed");
        blocks.push(Fenced { language, text });
        rest = after;
    }
    blocks
}

#[test]
fn every_command_says_what_stands_below_it() {
    let folder = Folder::new();
    // The page shows its logs, each fence with a name.
    let bin = std::path::Path::new(env!("CARGO_BIN_EXE_leaktrail")).parent().expect("it is in a folder");
    let blocks = fenced();
    let mut commands = 0;
    for (index, block) in blocks.iter().enumerate() {
        if let Some(name) = block.language.strip_prefix("text ") {
            folder.file(name, format!("{}\n", block.text));
        }
        if block.language != "sh" {
            continue;
        }
        commands += block.text.lines().count();
        let expected = blocks.get(index + 1).filter(|next| next.language == "text").map_or("", |next| next.text);
        // The path is the only thing that is set: a person has the command on it.
        let path = format!("{}:/usr/local/bin:/usr/bin:/bin", bin.display());
        let output = Command::new("bash")
            .args(["-c", &format!("set -o pipefail\n{}", block.text)])
            .current_dir(folder.path())
            .env("PATH", path)
            .stdin(Stdio::null())
            .output()
            .expect("there is a shell");
        let said = String::from_utf8_lossy(&output.stdout).replace('\r', "") + &String::from_utf8_lossy(&output.stderr);
        let lines = |text: &str| text.lines().map(|line| line.trim_end().to_owned()).collect::<Vec<_>>();
        assert_eq!(lines(&said), lines(expected), "{}", block.text);
    }
    assert!(commands >= 7, "{commands} commands");
}

#[test]
fn every_option_has_its_place_in_the_page() {
    for command in ["top", "show", "baseline", "diff", "symbolize"] {
        let help = super::harness::run(&[command, "--help"]).out;
        assert!(PAGE.contains(&format!("leaktrail {command}")), "{command}");
        for option in help.split_whitespace().filter(|word| word.starts_with("--")) {
            let option = option.trim_end_matches([',', '.', ';']);
            if !["--help", "--version"].contains(&option) {
                assert!(PAGE.contains(option), "{command} {option}");
            }
        }
    }
}
