//! Whole logs through the scanner, in pieces of every size.

use proptest::prelude::*;

use super::super::sighting::{Figure, Sighting, Trail};
use super::*;

/// Keeps all that is said.
#[derive(Debug, Default, PartialEq)]
struct Heard {
    sightings: Vec<(String, String, Figure)>,
    trails: Vec<Trail>,
}

impl Listener for Heard {
    fn keeps_trails(&self) -> bool {
        true
    }

    fn sighting(&mut self, sighting: &Sighting<'_>) {
        self.sightings.push((sighting.process.to_string(), sighting.site.to_string(), sighting.figure));
    }

    fn trail(&mut self, trail: Trail) {
        self.trails.push(trail);
    }
}

/// Gives so many bytes at a time.
struct Pieces<'a>(&'a [u8], usize);

impl Read for Pieces<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = self.1.min(self.0.len()).min(buffer.len());
        buffer[..length].copy_from_slice(&self.0[..length]);
        self.0 = &self.0[length..];
        Ok(length)
    }
}

fn hear(text: &[u8], piece: usize) -> (Heard, Tally) {
    let (mut heard, mut scanner) = (Heard::default(), Scanner::new());
    let mut input = Pieces(text, piece);
    while scanner.read(&mut input, &mut heard).expect("memory can be read") > 0 {}
    let tally = scanner.finish(&mut heard);
    (heard, tally)
}

const LEAK: &str = "LEAK: ByteBuf.release() was not called before it was dropped. created src/filters.rs:41:22, dropped src/filters.rs:57:9, 1 of 5312 lost, 4096 B given back, level ADVANCED, fp=5b1c09e2a4f7d310";
const BLOCK: &str = "Recent access records:\n#1:\n\t(dropped +12 ms, thread worker-3)\n\tf (src/filters.rs:57:9)\nCreated at:\n\t(2026-11-20T03:12:44Z, thread worker-3)\n\tg (src/filters.rs:41:22)\n";

#[test]
fn pieces_of_any_size_say_the_same() {
    let text = format!(
        "one\n[2026-11-20T03:12:45Z ERROR leaktrail] {LEAK}\n{BLOCK}two\n\nREFUSED: failed to allocate 1 byte(s) of direct memory (used: 1, max: 1)\nREFUSED: short by 1 B at a.rs:1:1, thread x\nlast"
    );
    let (whole, tally) = hear(text.as_bytes(), usize::MAX);
    assert_eq!((whole.sightings.len(), whole.trails.len()), (2, 2));
    assert_eq!((tally.lines, tally.passed_over(), tally.cut_off, tally.interleaved), (14, 4, 0, 0));
    for piece in 1..80 {
        let (heard, of_pieces) = hear(text.as_bytes(), piece);
        assert_eq!((&heard, of_pieces), (&whole, tally), "{piece}");
    }
}

#[test]
fn a_block_is_the_same_behind_every_collector() {
    let record = format!("[2026-11-20T03:12:45Z ERROR leaktrail] {LEAK}\n{BLOCK}");
    let (plain, _) = hear(record.as_bytes(), usize::MAX);
    let each = |wrap: &dyn Fn(&str) -> String| record.lines().map(|line| wrap(line) + "\n").collect::<String>();
    for (what, text) in [
        ("indented", record.replace("\n", "\n    ")),
        ("returns", record.replace('\n', "\r\n")),
        ("CRI", each(&|line| format!("2026-11-20T03:12:45.1Z stderr F {line}"))),
        ("docker", each(&|line| format!("{{\"log\":{:?},\"stream\":\"stderr\"}}", format!("{line}\n")))),
        ("JSON", format!("{{\"message\":{}}}\n", serde_json::to_string(&record).expect("a text"))),
        (
            "logfmt",
            format!(
                "ts=2026-11-20T03:12:45Z msg=\"{}\" x=1\n",
                record.trim_end().replace('\n', "\\n").replace('\t', "\\t")
            ),
        ),
        ("colours", each(&|line| format!("\u{1b}[0m{line}\u{1b}[0m"))),
        ("compose", each(&|line| format!("gateway-1  | {line}"))),
        ("syslog", each(&|line| format!("Nov 20 03:12:45 host gateway[7]: {line}"))),
    ] {
        let (heard, tally) = hear(text.as_bytes(), usize::MAX);
        let texts = |heard: &Heard| heard.trails.iter().map(|trail| trail.text.clone()).collect::<Vec<_>>();
        assert_eq!(texts(&heard), texts(&plain), "{what}: {text}");
        assert!(!heard.trails[0].is_cut_off && !heard.trails[0].is_interleaved, "{what}");
        assert_eq!(heard.sightings[0].2, plain.sightings[0].2, "{what}");
        assert_eq!(tally.cut_off, 0, "{what}");
    }
}

#[test]
fn two_processes_that_are_named_may_take_turns() {
    let one: Vec<String> = format!("{LEAK}\n{BLOCK}").lines().map(|line| format!("a-1  | {line}\n")).collect();
    let other: Vec<String> = format!("{LEAK}\n{BLOCK}").lines().map(|line| format!("b-1  | {line}\n")).collect();
    let text: String = one.iter().zip(&other).flat_map(|(one, other)| [one.clone(), other.clone()]).collect();
    let (heard, tally) = hear(text.as_bytes(), usize::MAX);
    assert_eq!(heard.trails.len(), 2);
    assert!(heard.trails.iter().all(|trail| trail.text == BLOCK && !trail.is_cut_off), "{heard:?}");
    assert_eq!(tally.passed_over(), 0);
}

#[test]
fn a_report_that_another_cuts_short_says_so() {
    let text = format!("{LEAK}\nRecent access records:\n#1:\n{LEAK}\n{BLOCK}");
    let (heard, tally) = hear(text.as_bytes(), usize::MAX);
    assert_eq!(heard.trails.iter().map(|trail| trail.is_cut_off).collect::<Vec<_>>(), [true, false]);
    assert_eq!((tally.cut_off, heard.trails[1].line), (1, 4));
}

#[test]
fn one_record_may_say_several_things() {
    let refusal = "REFUSED: failed to allocate 8 byte(s) of direct memory (used: 1, max: 1)\nREFUSED: short by 8 B at a.rs:1:1, thread x\nREFUSED: 41 more refusals since the last one listed";
    let text = format!("{}\n", serde_json::json!({"message": refusal}));
    let (heard, tally) = hear(text.as_bytes(), usize::MAX);
    let figures: Vec<Figure> = heard.sightings.iter().map(|sighting| sighting.2).collect();
    assert_eq!(figures, [Figure::More { count: 1, bytes: Some(8) }, Figure::More { count: 41, bytes: None }]);
    assert_eq!((tally.lines, tally.understood), (1, 1));
}

#[test]
fn lines_of_any_length_are_read_and_counted() {
    let long = "x".repeat(3 * LONGEST_LINE);
    let text = format!("{long}\n{LEAK}\n{long} LEAK: \n{LEAK}\n{long}");
    let (heard, tally) = hear(text.as_bytes(), 100_000);
    assert_eq!((heard.sightings.len(), tally.lines), (2, 5));
}

/// What logs are made of, whole and in pieces.
const PIECES: [&str; 30] = [
    LEAK,
    "LEAK: ",
    "LEAK: ByteBuf again: created a.rs:1:1, 3 of 4 lost (+9 in 60 s), 30 B given back, since 03:12:44Z, fp=5b1c09e2a4f7d310",
    "LEAK: 3 lost, 5 B, ",
    "LEAK: x.release() was not called before it's garbage-collected.",
    ".release() was not called before it was dropped. created ",
    " again: created ",
    "Recent access records:",
    "#1:",
    "#18446744073709551615:",
    "Created at:",
    "Other references:",
    ": 1 leak records were discarded because they were duplicates",
    "\t(2026-11-20T03:12:44Z, thread \u{e9})",
    "\tHint: \\u{zz}",
    "REFUSED: failed to allocate 1 byte(s) of direct memory (used: 1, max: 1)",
    "REFUSED: short by 1 B at ",
    "LIVE: 1 live, 2 B, x created ",
    "GROW: x at y: 1 live (",
    "HELD: x for 1 s: created ",
    "PINNED: x created ",
    "fp=5b1c09e2a4f7d310",
    "{\"log\":\"",
    "\\n\"}",
    "{\"file\":\"a\",\"line\":1}",
    "msg=\"",
    "2026-11-20T03:12:44.",
    "Nov 20, 2026 3:12:44 AM x\nSEVERE: ",
    "a-1  | ",
    "\n",
];

proptest! {
    /// No bytes make it panic, whole or in pieces, and what it counts adds up.
    #[test]
    fn any_bytes_are_a_log(
        parts in prop::collection::vec(
            prop_oneof![
                6 => prop::sample::select(&PIECES[..]).prop_map(|piece| piece.as_bytes().to_vec()),
                2 => Just(b"\n".to_vec()),
                1 => prop::collection::vec(any::<u8>(), 0..12),
            ],
            0..40,
        ),
        cut in any::<prop::sample::Index>(),
        piece in 1usize..200,
    ) {
        let mut text = parts.concat();
        text.truncate(cut.index(text.len() + 1));
        let (heard, tally) = hear(&text, piece);
        prop_assert_eq!(hear(&text, usize::MAX), (heard, tally));
        let newlines = text.iter().filter(|byte| **byte == b'\n').count();
        let lines = newlines + usize::from(!text.is_empty() && text.last() != Some(&b'\n'));
        prop_assert_eq!(tally.lines, lines as u64);
        prop_assert!(tally.understood <= tally.lines, "{:?}", tally);
    }
}
