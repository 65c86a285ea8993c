//! The rows of the table: what is measured, against which floor, and which goal it has.

use std::fmt;

use crate::figures::{Figures, shown};
use crate::pool;

/// Every row that a walk decides.
const WALK: &str = "the walk";

/// One row.
#[derive(Debug, Default)]
pub(crate) struct Line {
    what: String,
    measured: String,
    against: String,
    goal: String,
    verdict: String,
}

impl Line {
    pub(crate) fn new(what: &str, measured: impl Into<String>) -> Line {
        Line { what: what.to_owned(), measured: measured.into(), ..Line::default() }
    }

    pub(crate) fn against(mut self, floor: impl Into<String>) -> Line {
        self.against = floor.into();
        self
    }

    /// The goal, whether it is met, and what stands in the way when it is not.
    pub(crate) fn goal(mut self, goal: &str, is_met: bool, reason: &str) -> Line {
        self.goal = goal.to_owned();
        self.verdict = if is_met { "met".to_owned() } else { format!("**MISSED**: {reason}") };
        self
    }

    pub(crate) fn is_missed(&self) -> bool {
        self.verdict.starts_with("**MISSED**")
    }
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Line { what, measured, against, goal, verdict } = self;
        writeln!(f, "| {what} | {measured} | {against} | {goal} | {verdict} |")
    }
}

/// All rows, in the order of the page.
pub(crate) fn all(figures: &Figures) -> Vec<Line> {
    [floors(figures), peers(figures), handles(figures), walks(figures), threads(figures), crowds(figures)]
        .into_iter()
        .chain([buffers(figures)])
        .into_iter()
        .chain([pool::lines(figures), losses(figures), memory(figures)])
        .flatten()
        .collect()
}

fn floors(f: &Figures) -> Vec<Line> {
    let of = |name| shown(f.of(name));
    vec![
        Line::new(
            "*control:* 100 steps of arithmetic; on 2 threads",
            format!("{}; {}", of("arithmetic 1 thread"), of("arithmetic 2 threads")),
        )
        .against(format!("x{:.2}", f.ratio("arithmetic 2 threads", "arithmetic 1 thread"))),
        Line::new("*floor:* `BytesMut::with_capacity(4096)` and drop", of("BytesMut")).against("1"),
        Line::new("*floor:* `backtrace::trace_unsynchronized` into an array, 30 frames", of("trace")).against("1"),
        Line::new(
            "*floor:* `fetch_add`, alone; shared by 2 threads",
            format!("{}; {}", of("fetch_add 1 thread"), of("fetch_add 2 threads")),
        ),
        Line::new("*floor:* the bare value through the same loop", of("bare value")),
    ]
}

fn peers(f: &Figures) -> Vec<Line> {
    let of = |name| shown(f.of(name));
    let two = |name: &str| {
        let (one, two) = (format!("{name} 1 thread"), format!("{name} 2 threads"));
        format!("2 threads {}: x{:.1}", shown(f.of(&two)), f.ratio(&two, &one))
    };
    vec![
        Line::new("*peer:* `Mutex<HashMap>` of what is alive, one line each", of("naive")).against(two("naive")),
        Line::new("*peer:* `backtrace::Backtrace`, no names, 30 frames", of("Backtrace")),
        Line::new("*peer:* `std::backtrace::Backtrace`, no names, 30 frames", of("std Backtrace"))
            .against(two("std Backtrace")),
        Line::new(
            "*peer:* dhat, 256 B: no profiler; 10 frames; all 30",
            format!("{}; {}; {}", of("dhat off"), of("dhat trimmed"), of("dhat whole")),
        )
        .against(two("dhat")),
        Line::new(
            "*peer:* jemalloc, 256 B: no profile; one sample in 512 KiB; every allocation",
            format!("{}; {}; {}", of("jemalloc off"), of("jemalloc lg 19"), of("jemalloc every")),
        )
        .against(two("jemalloc")),
    ]
}

fn handles(f: &Figures) -> Vec<Line> {
    let instructions = |level: &str| f.of(&format!("{level} instructions"));
    let counted = instructions("DISABLED");
    let over = |name: &str| f.of(name) - f.of("bare value");
    let mut lines = vec![
        Line::new("DISABLED, `track`", format!("{}; {} instructions", shown(f.of("DISABLED track")), shown(counted)))
            .against(format!("+{:.2}", over("DISABLED track")))
            .goal(
                "at most 1 ns over the bare value, 8 instructions",
                over("DISABLED track") <= 1.0 && counted <= 8.0,
                "no reason is known yet",
            ),
    ];
    for (what, name) in
        [("DISABLED, `watch`", "DISABLED watch"), ("DISABLED, `resource(name).track`", "DISABLED named")]
    {
        lines.push(Line::new(what, shown(f.of(name))).against(format!("+{:.2}", over(name))).goal(
            "at most 1 ns over the bare value",
            over(name) <= 1.0,
            "a call that is not inlined",
        ));
    }
    for level in ["SIMPLE", "ADVANCED"] {
        let unsampled = format!("{level} unsampled");
        let counted = instructions(level);
        lines.push(
            Line::new(
                &format!("{level}, no handle sampled"),
                format!("{}; {} instructions", shown(f.of(&unsampled)), shown(counted)),
            )
            .against(format!("{:.2} x BytesMut", f.ratio(&unsampled, "BytesMut")))
            .goal("at most 110 instructions", counted <= 110.0, "no reason is known yet"),
        );
        let whole = format!("{level} track");
        let ratio = f.ratio(&whole, "BytesMut");
        lines.push(
            Line::new(&format!("{level}, one in 128 sampled, 30 frames"), shown(f.of(&whole)))
                .against(format!("{ratio:.2} x BytesMut"))
                .goal("at most 8 ns; 0.3 x BytesMut", ratio <= 0.3 && f.of(&whole) <= 8.0, WALK),
        );
    }
    let ratio = f.ratio("SIMPLE touch", "BytesMut");
    lines.push(
        Line::new("touch of a handle without a trail", shown(f.of("SIMPLE touch")))
            .against(format!("{ratio:.2} x BytesMut"))
            .goal(
                "at most 1 ns; 0.05 x BytesMut",
                ratio <= 0.05 && f.of("SIMPLE touch") <= 1.0,
                "no reason is known yet",
            ),
    );
    let (ratio, counted) = (f.ratio("PARANOID track", "trace"), instructions("PARANOID"));
    lines.push(
        Line::new("PARANOID, 30 frames", format!("{}; {} instructions", shown(f.of("PARANOID track")), shown(counted)))
            .against(format!("1/{:.0} of trace", 1.0 / ratio))
            .goal(
                "at most 160 ns, 1/18 of trace, 1,600 instructions",
                ratio <= 1.0 / 18.0 && f.of("PARANOID track") <= 160.0 && counted <= 1_600.0,
                WALK,
            ),
    );
    let (plain, hint) = (f.of("PARANOID touch"), f.of("PARANOID touch with a hint"));
    lines.push(
        Line::new("one access record, 30 frames; with a hint", format!("{}; {}", shown(plain), shown(hint)))
            .against(format!("{:.2} x trace", f.ratio("PARANOID touch", "trace")))
            .goal("at most 130 ns", plain <= 130.0, WALK),
    );
    lines
}

/// What a walk decides, in three builds.
fn walks(f: &Figures) -> Vec<Line> {
    let of = |name: &str| shown(f.of(name));
    let mut lines = Vec::new();
    for (build, what, goal) in [
        ("release", "PARANOID, by rules", None),
        ("frame pointers", "PARANOID, built with frame pointers and along them", Some(60.0)),
        ("dev", "PARANOID, not optimized, by rules", Some(600.0)),
    ] {
        let depths = |name: &str| [10, 30, 60].map(|depth| of(&format!("{build} {name} {depth}"))).join("; ");
        let line = Line::new(&format!("{what}: 10; 30; 60 frames"), depths("PARANOID"))
            .against(format!("trace {}", depths("trace")));
        lines.push(match goal {
            Some(most) => {
                line.goal(&format!("at most {most} ns at 30"), f.of(&format!("{build} PARANOID 30")) <= most, WALK)
            }
            None => line,
        });
        lines.push(Line::new(&format!("{what}: a record, 10; 30; 60 frames"), depths("PARANOID touch")));
    }
    let above = |paths: u32| {
        shown(f.of(&format!("release PARANOID paths {paths}")) - f.of(&format!("release descent {paths}")))
    };
    lines.push(Line::new(
        "PARANOID, by rules, above the calls: 1 path; 64; 4,096",
        format!("{}; {}; {}", above(1), above(64), above(4_096)),
    ));
    lines.push(
        Line::new("PARANOID, by rules, 30 frames, right after the caches were swept", of("release PARANOID swept"))
            .against(format!("trace {}", of("release trace swept"))),
    );
    lines
}

fn threads(f: &Figures) -> Vec<Line> {
    let mut lines = Vec::new();
    for (what, name) in [
        ("SIMPLE, no handle sampled", "unsampled"),
        ("SIMPLE, 30 frames", "SIMPLE"),
        ("ADVANCED, 30 frames", "ADVANCED"),
        ("PARANOID, 30 frames", "PARANOID"),
    ] {
        let (one, two) = (format!("{name} 1 thread"), format!("{name} 2 threads"));
        let ratio = f.ratio(&two, &one);
        lines.push(
            Line::new(
                &format!("{what}, 2 threads on one line"),
                format!("{} (1 thread: {})", shown(f.of(&two)), shown(f.of(&one))),
            )
            .against(format!("x{ratio:.2}"))
            .goal("at most x1.15", ratio <= 1.15, "no reason is known yet"),
        );
    }
    for level in ["SIMPLE", "ADVANCED", "PARANOID"] {
        let (same, other) =
            (f.of(&format!("{level} release, same thread")), f.of(&format!("{level} release, another thread")));
        lines.push(
            Line::new(
                &format!("{level}, the release alone, on another thread"),
                format!("{} (same thread: {})", shown(other), shown(same)),
            )
            .against(format!("{:+.1}", other - same))
            .goal("at most +15 ns", other - same <= 15.0, "no reason is known yet"),
        );
    }
    lines
}

fn crowds(f: &Figures) -> Vec<Line> {
    let mut lines = Vec::new();
    for (level, note) in [("SIMPLE", ""), ("PARANOID", " (past 65,536 without a trail)")] {
        let live = |count: u32| shown(f.of(&format!("{level} among {count}")));
        lines.push(Line::new(
            &format!("{level} among 1; 256; 100,000 live ones{note}"),
            format!("{}; {}; {}", live(1), live(256), live(100_000)),
        ));
    }
    let micros = |name| shown(f.of(name) / 1_000.0);
    lines.push(Line::new(
        "a snapshot of 100,000 live handles: 1 row; 1,000 rows; 1 row with 65,536 trails",
        format!(
            "{} us; {} us; {} us",
            micros("SIMPLE snapshot of 1"),
            micros("SIMPLE snapshot of 1000"),
            micros("PARANOID snapshot of 1")
        ),
    ));
    lines
}

fn buffers(f: &Figures) -> Vec<Line> {
    let mut lines = vec![
        Line::new("buffer of 4096 B, unpooled, no detector", shown(f.of("buffer")))
            .against(format!("{:.1} x BytesMut", f.ratio("buffer", "BytesMut"))),
    ];
    for level in ["DISABLED", "SIMPLE", "ADVANCED", "PARANOID"] {
        let name = format!("{level} buffer");
        lines.push(
            Line::new(&format!("the same through `LeakAware`, {level}, 30 frames"), shown(f.of(&name)))
                .against(format!("+{}", shown(f.of(&name) - f.of("buffer")))),
        );
    }
    lines
}

fn losses(f: &Figures) -> Vec<Line> {
    let mut lines = Vec::new();
    for level in ["SIMPLE", "ADVANCED", "PARANOID"] {
        let first = f.of(&format!("{level} first loss"));
        lines.push(Line::new(&format!("{level}, the first loss in a process"), shown(first)).goal(
            "at most 100,000",
            first <= 100_000.0,
            "no reason is known yet",
        ));
        for (what, name) in [("a loss, the reporter idle before", "loss"), ("a loss in a flood of 5,000", "flood")] {
            let of = |word: &str| f.of(&format!("{level} {name} {word}"));
            lines.push(
                Line::new(
                    &format!("{level}, {what}: median; p99; p99.9"),
                    format!("{}; {}; {}", shown(of("median")), shown(of("p99")), shown(of("p99.9"))),
                )
                .against(format!("on the wall {}; {}", shown(of("median, wall")), shown(of("p99, wall"))))
                .goal("p99 at most 20,000", of("p99") <= 20_000.0, "no reason is known yet"),
            );
        }
    }
    let (reports, count) = (f.of("PARANOID flood reports"), f.of("PARANOID flood count"));
    lines.push(
        Line::new("5,000 losses at one line", format!("reports: {reports}; the last one says {}", shown(count))).goal(
            "a few, 5,000",
            reports <= 5.0 && count == 5_000.0,
            "no reason is known yet",
        ),
    );
    lines.push(
        Line::new(
            "1,000 losses with 20 touches each",
            format!("fingerprints: {}; reports: {}", f.of("paths fingerprints"), f.of("paths reports")),
        )
        .goal("1 fingerprint", f.of("paths fingerprints") == 1.0, "no reason is known yet"),
    );
    lines.push(Line::new("time to the verdict", "counted at the drop; told by the reporter").goal(
        "at the drop",
        true,
        "",
    ));
    lines
}

fn memory(f: &Figures) -> Vec<Line> {
    let of = |what: &str| f.of(&format!("memory {what}")).round();
    let bytes = |what: &str| if of(what) == 0.0 { "0".to_owned() } else { format!("{} B", shown(of(what))) };
    vec![
        Line::new("live trail with its creation record", format!("{}, and its stack once", bytes("trail"))).goal(
            "at most 128 B",
            of("trail") <= 128.0,
            "no reason is known yet",
        ),
        Line::new("the same after 4; 20 touches", format!("{}; {}", bytes("trail after 4"), bytes("trail after 20")))
            .goal("at most 512 B after 20", of("trail after 20") <= 512.0, "no reason is known yet"),
        Line::new("live handle without a trail", bytes("counted")),
        Line::new("each of a million live handles at PARANOID, of which 65,536 have a trail", bytes("a million")),
        Line::new(
            "*peers:* an entry of `Mutex<HashMap>`; a `Backtrace`; std's",
            format!("{}; {}; {}", bytes("naive"), bytes("Backtrace"), bytes("std Backtrace")),
        ),
    ]
}
