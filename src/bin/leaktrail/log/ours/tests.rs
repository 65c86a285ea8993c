//! Each line of `docs/REPORT-FORMAT.md` and of the design, and what is read from it.

use super::*;

const ID: CauseId = CauseId(0x5b1c_09e2_a4f7_d310);

fn cause<'a>(kind: Kind, line: &'a str) -> Mention<'a> {
    match read(kind, line) {
        Some(Said::Cause(mention)) => mention,
        other => panic!("{line}: {other:?}"),
    }
}

fn total(count: u64, bytes: u64, created: u64) -> Totals {
    Totals { count, bytes, created: Some(created), since: None, is_last: false }
}

#[test]
fn a_first_line() {
    let line = "LEAK: ByteBuf.release() was not called before it was dropped. created src/filters.rs:41:22, dropped src/filters.rs:57:9, 1 of 5312 lost, 4096 B given back, level ADVANCED, fp=5b1c09e2a4f7d310";
    let whole = cause(Kind::Leak, line);
    assert_eq!(
        (whole.id, &*whole.resource, &*whole.site, whole.is_head),
        (ID, "ByteBuf", "src/filters.rs:41:22", true)
    );
    assert_eq!(whole.figure, Figure::Total(total(1, 4096, 5312)));
    // A sentence may follow, and pieces may be added.
    assert_eq!(
        cause(Kind::Leak, &format!("{line} No trail for this one; the next 64 from this site will have one.")),
        whole
    );
    assert_eq!(cause(Kind::Leak, &line.replace(", level", ", a new piece, level")), whole);
    // A place with commas and words of ours in it.
    assert_eq!(cause(Kind::Leak, &line.replace("src/filters.rs:57:9", "f<A, 3 of 4 lost souls, B>")).id, ID);
    // Without a size only the words stand there.
    let sizeless = line.replace("4096 B given back", "dropped with its handle");
    assert_eq!(cause(Kind::Leak, &sizeless).figure, Figure::Total(total(1, 0, 5312)));
}

#[test]
fn a_first_line_that_was_cut_is_told_by_its_site_as_long_as_that_is_whole() {
    let line = "LEAK: ByteBuf.release() was not called before it was dropped. created src/filters.rs:41:22, dropped unknown, 1 of 5312 lost, 4096 B given";
    let known = CauseId::parse("a1fc167514906155").expect("the library's own");
    assert_eq!(
        (cause(Kind::Leak, line).id, cause(Kind::Leak, line).figure),
        (known, Figure::Total(total(1, 4096, 5312)))
    );
    let shorter = cause(Kind::Leak, &line[..105]);
    assert_eq!((shorter.id, shorter.figure), (known, Figure::Mention), "{}", &line[..105]);
    assert_eq!(read(Kind::Leak, &line[..80]), Some(Said::CutOff));
}

#[test]
fn the_same_cause_again() {
    let line = "LEAK: ByteBuf again: created src/filters.rs:41:22, 1000 of 48120 lost (+900 in 60 s), 4096000 B given back, since 03:12:44Z, fp=5b1c09e2a4f7d310";
    let mention = cause(Kind::Leak, line);
    assert_eq!((mention.id, &*mention.site, mention.is_head), (ID, "src/filters.rs:41:22", false));
    assert_eq!(mention.figure, Figure::Total(Totals { since: Some(11_564), ..total(1000, 4_096_000, 48_120) }));
}

#[test]
fn the_summary_at_exit() {
    for line in [
        "LEAK: summary at exit: 1017 of 48137 lost at 2 sites, 4165632 B; 10 live; level SIMPLE, up 1 h 2 min, reports dropped 0",
        "LEAK: and 2 more sites",
    ] {
        assert_eq!(read(Kind::Leak, line), Some(Said::NoCause), "{line}");
    }
    let row =
        cause(Kind::Leak, "LEAK: 1000 lost, 4096000 B, ByteBuf created src/filters.rs:41:22, fp=5b1c09e2a4f7d310");
    let last = Totals { count: 1000, bytes: 4_096_000, is_last: true, ..Totals::default() };
    assert_eq!((row.id, row.figure), (ID, Figure::Total(last)));

    let live = cause(
        Kind::Live,
        "LIVE: 10 live, 655360 B, PgConnection retained src/db.rs:88:30, live count not at 0 for 64 s",
    );
    assert_eq!((&*live.resource, &*live.site), ("PgConnection", "src/db.rs:88:30"));
    assert_eq!(live.figure, Figure::Now { count: 10, bytes: Some(655_360) });
    assert_eq!(live.id, CauseId::of("PgConnection", Kind::Live, "src/db.rs:88:30"));
    let report = cause(
        Kind::Live,
        "LIVE: 10 live, 655360 B, PgConnection created src/db.rs:88:30, level SIMPLE, fp=5b1c09e2a4f7d310",
    );
    assert_eq!(report.id, ID);
}

#[test]
fn growing_held_and_pinned() {
    let grow = "GROW: CachedBody at src/filters.rs:41:22: 12480 live (12779520 B), up in each of the last 10 min, created 600 released 0, fp=5b1c09e2a4f7d310";
    assert_eq!(cause(Kind::Grow, grow).figure, Figure::Now { count: 12_480, bytes: Some(12_779_520) });
    assert_eq!((&*cause(Kind::Grow, grow).site, cause(Kind::Grow, grow).id), ("src/filters.rs:41:22", ID));

    let held = "HELD: PgConnection for 41 s (threshold 30 s): created src/db.rs:88:30, last touch src/orders.rs:120:9 40 s ago, 3 of 10 live here are over, fp=5b1c09e2a4f7d310";
    assert_eq!(cause(Kind::Held, held).figure, Figure::Now { count: 3, bytes: None });
    assert_eq!((&*cause(Kind::Held, held).resource, cause(Kind::Held, held).id), ("PgConnection", ID));
    let back = "HELD: PgConnection came back after 64 s: created src/db.rs:88:30, fp=5b1c09e2a4f7d310";
    assert_eq!((cause(Kind::Held, back).figure, cause(Kind::Held, back).id), (Figure::Mention, ID));

    let pinned = "PINNED: ByteBuf of 16 B keeps 65536 B: created src/a.rs:1:2, fp=5b1c09e2a4f7d310";
    assert_eq!((&*cause(Kind::Pinned, pinned).site, cause(Kind::Pinned, pinned).id), ("src/a.rs:1:2", ID));
}

#[test]
fn refusals() {
    for (line, piece) in [
        (
            "REFUSED: failed to allocate 16777216 byte(s) of direct memory (used: 520093983, max: 536870912)",
            Piece::Failed { requested: 16_777_216 },
        ),
        (
            "REFUSED: short by 287 B at src/codec.rs:73:18, thread worker-1, waited 511 ms, 9 sites hold references to 5 B",
            Piece::Short { site: "src/codec.rs:73:18" },
        ),
        ("REFUSED: #1 90.3 % 469762048 B in 28672 live, ByteBuf retained src/filters.rs:41:22", Piece::Row),
        ("REFUSED: 100.0 % 1048576 B abandoned: their references were lost", Piece::Row),
        ("REFUSED: lost 1048576 B in 103 lost, ByteBuf retained src/filters.rs:41:22", Piece::Row),
        ("REFUSED: and 1 more site", Piece::Row),
        ("REFUSED: 41 more refusals since the last one listed", Piece::Unlisted { more: 41 }),
    ] {
        assert_eq!(read(Kind::Refused, line), Some(Said::Refusal(piece)), "{line}");
    }
}

#[test]
fn netty_and_strangers() {
    let netty = "LEAK: ByteBuf.release() was not called before it's garbage-collected. See https://netty.io/wiki/reference-counted-objects.html for more information.";
    assert_eq!(read(Kind::Leak, netty), Some(Said::Netty { resource: "ByteBuf", is_traced: true }));
    let untraced = netty.replace("See", "Enable advanced leak reporting to find out where the leak occurred. See");
    assert_eq!(read(Kind::Leak, &untraced), Some(Said::Netty { resource: "ByteBuf", is_traced: false }));
    for stranger in ["LEAK: 3 bytes in 1 block", "LEAK: ", "LEAK: the roof", "LEAK: x lost, y B, z"] {
        assert_eq!(read(Kind::Leak, stranger), None, "{stranger}");
    }
    assert_eq!(read(Kind::Held, "HELD: in escrow"), None);
    assert_eq!(read(Kind::Refused, "REFUSED: connection from 10.0.0.1"), None);
}

#[test]
fn escapes_are_undone_before_anything_is_compared() {
    let line = r"LEAK: a\u{3a}b.release() was not called before it was dropped. created src/LEAK\u{3a}1:2, dropped unknown, 1 of 1 lost, dropped with its handle, level SIMPLE, fp=5b1c09e2a4f7d310";
    let mention = cause(Kind::Leak, line);
    assert_eq!((&*mention.resource, &*mention.site), ("a:b", "src/LEAK:1:2"));
}
