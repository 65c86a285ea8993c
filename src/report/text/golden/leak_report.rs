//! `LEAK:` blocks and lines, and the one line of what is only alive.

use super::*;
use crate::report::{Severity, Span};

#[test]
fn a_full_trail() {
    let report = full();
    assert_eq!(
        report.to_string(),
        "\
LEAK: ByteBuf.release() was not called before it was dropped. created src/filters.rs:41:22, dropped src/filters.rs:57:9, 1 of 5312 lost, 4096 B given back, level ADVANCED, fp=5b1c09e2a4f7d310
Recent access records:
#1:
\t(dropped +12 ms, thread worker-3, unwinding)
\tgateway::filters::log_body (src/filters.rs:57:9)
#2:
\tHint: 'decode' will handle the buffer from this point.
\t(touched +11 ms, thread worker-3)
\tgateway::filters::decode (src/filters.rs:49:13)
Created at:
\t(2026-11-20T03:12:44Z, thread worker-3)
\tgateway::filters::cache_body (src/filters.rs:41:22)
Other references:
\tcreated src/body.rs:19:14, released
: 2 leak records were discarded because the leak record count is targeted to 2. Use LEAK_DETECTION_TARGET_RECORDS to increase the limit."
    );
    assert_eq!(report.first_line(), report.to_string().lines().next().unwrap());
    assert_eq!(report.severity(), Severity::Warn);
}

#[test]
fn no_trail_yet() {
    let report = untraced();
    assert_eq!(
        report.to_string(),
        "LEAK: ByteBuf.release() was not called before it was dropped. created src/filters.rs:41:22, dropped unknown, 1 of 5312 lost, 4096 B given back, level SIMPLE, fp=5b1c09e2a4f7d310 No trail for this one; the next 64 from this site will have one."
    );
    assert_eq!(report.severity(), Severity::Error);

    let report = LeakReport { promoted: 0, ..report };
    assert_eq!(
        report.to_string(),
        "LEAK: ByteBuf.release() was not called before it was dropped. created src/filters.rs:41:22, dropped unknown, 1 of 5312 lost, 4096 B given back, level SIMPLE, fp=5b1c09e2a4f7d310"
    );
}

#[test]
fn only_the_creation_was_recorded() {
    assert_eq!(
        creation_only().to_string(),
        "\
LEAK: ByteBuf.release() was not called before it was dropped. created src/filters.rs:41:22, dropped unknown, 1 of 5312 lost, 4096 B given back, level SIMPLE, fp=5b1c09e2a4f7d310 Only its creation was recorded; the next 64 from this site will have a full trail.
Recent access records:
Created at:
\t(2026-11-20T03:12:44Z, thread worker-3)
\tgateway::filters::cache_body (src/filters.rs:41:22)"
    );
}

#[test]
fn the_cause_goes_on() {
    let report = again();
    assert_eq!(
        report.to_string(),
        "LEAK: ByteBuf again: created src/filters.rs:41:22, 1000 of 48120 lost (+900 in 60 s), 4096000 B given back, since 03:12:44Z, fp=5b1c09e2a4f7d310"
    );
    assert_eq!(report.first_line(), report.to_string());
}

#[test]
fn the_minutes_blocks_are_used_up() {
    let report = LeakReport { form: Form::Line, ..full() };
    assert_eq!(report.to_string(), full().first_line());
}

#[test]
fn what_became_of_it_is_always_said() {
    for (fate, bytes, words) in [
        (Fate::GivenBack, 4096, "4096 B given back"),
        (Fate::StillOut, 4096, "4096 B still out"),
        (Fate::DroppedWithHandle, 4096, "4096 B dropped with its handle"),
        (Fate::DroppedWithHandle, 0, "dropped with its handle"),
    ] {
        let line = LeakReport { fate, bytes, resource: "PgConnection".into(), ..untraced() }.first_line();
        let start = "LEAK: PgConnection.release() was not called before it was dropped. created src/filters.rs:41:22, dropped unknown";
        assert!(line.starts_with(&format!("{start}, 1 of 5312 lost, {words}, level SIMPLE, fp=")), "{line}");
    }
}

#[test]
fn other_references_say_what_became_of_them() {
    let reference = |origin, line, state| Reference { origin, site: site("src/body.rs", line, 14), state };
    let report = LeakReport {
        references: vec![
            reference(Origin::Created, 19, ReferenceState::Live),
            reference(Origin::Retained, 20, ReferenceState::Lost),
            reference(Origin::Sliced, 21, ReferenceState::Released),
        ],
        references_omitted: 7,
        ..untraced()
    };
    let text = report.to_string();
    assert_eq!(
        text.split_once('\n').unwrap().1,
        "\
Other references:
\tcreated src/body.rs:19:14, live
\tretained src/body.rs:20:14, lost
\tsliced src/body.rs:21:14, released
\tand 7 more"
    );
}

#[test]
fn a_stack_that_was_cut_or_is_not_there() {
    let mut report = full();
    report.records[0].frames_cut = true;
    report.records[1].frames.clear();
    let text = report.to_string();
    let block: Vec<&str> = text.lines().skip(2).take(7).collect();
    assert_eq!(
        block,
        [
            "#1:",
            "\t(dropped +12 ms, thread worker-3, unwinding)",
            "\tgateway::filters::log_body (src/filters.rs:57:9)",
            "\t... (deeper frames were not recorded)",
            "#2:",
            "\tHint: 'decode' will handle the buffer from this point.",
            "\t(touched +11 ms, thread worker-3)",
        ]
    );
}

#[test]
fn a_span_stands_behind_the_thread() {
    let mut report = creation_only();
    report.records[0].span = Some(Span { name: "request\n".into(), id: 0x11 });
    let text = report.to_string();
    let line = text.lines().find(|line| line.contains("thread worker-3")).unwrap();
    assert_eq!(line, "\t(2026-11-20T03:12:44Z, thread worker-3, span request\\n 0x11)");
}

#[test]
fn without_names_the_modules_are_listed_with_their_build_ids() {
    let mut report = creation_only();
    let bare = |module: &str, offset: u64, build_id: Option<&str>| Frame {
        function: None,
        file: None,
        line: None,
        column: None,
        address: 0x5500_0000 + offset,
        module: Some(module.into()),
        offset,
        build_id: build_id.map(Into::into),
    };
    report.records[0].frames = vec![
        bare("gateway", 0x1f40, Some("5b1c09e2")),
        bare("libfilters.so", 0x88, Some("c0ffee")),
        bare("gateway", 0x2000, Some("5b1c09e2")),
        bare("libc.so.6", 0x99, None),
    ];
    report.discarded_records = 2;
    assert_eq!(
        report.to_string().split_once('\n').unwrap().1,
        "\
Recent access records:
Created at:
\t(2026-11-20T03:12:44Z, thread worker-3)
\tgateway+0x1f40
\tlibfilters.so+0x88
\tgateway+0x2000
\tlibc.so.6+0x99
Modules:
\tgateway, build id 5b1c09e2
\tlibfilters.so, build id c0ffee
: 2 leak records were discarded because the leak record count is targeted to 2. Use LEAK_DETECTION_TARGET_RECORDS to increase the limit."
    );
}

#[test]
fn what_is_only_alive_is_no_leak() {
    let report = LeakReport {
        verdict: Verdict::Outstanding,
        resource: "PgConnection".into(),
        site: site("src/db.rs", 88, 30),
        count: 10,
        bytes: 655_360,
        ..untraced()
    };
    assert_eq!(
        report.to_string(),
        "LIVE: 10 live, 655360 B, PgConnection created src/db.rs:88:30, level SIMPLE, fp=5b1c09e2a4f7d310"
    );
    assert_eq!(report.severity(), Severity::Info);
}
