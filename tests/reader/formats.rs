//! Whatever wrote the log: the same rows.

use std::io::Write as _;
use std::sync::{Arc, Mutex};

use flate2::Compression;
use flate2::write::GzEncoder;
use leaktrail::{Config, LeakDetector, Level, Tracked};
use serde_json::{Value, json};

use super::harness::{BLOCK, FP, Folder, SITE, array, first, rows, rows_of, run, run_with};

fn figures(rows: &[Value]) -> Vec<(String, String, u64)> {
    let text = |row: &Value, field: &str| row[field].as_str().expect("a text").to_owned();
    rows.iter().map(|row| (text(row, "verdict"), text(row, "site"), row["count"].as_u64().expect("a count"))).collect()
}

#[test]
fn a_row_has_these_fields() {
    assert_eq!(
        rows(&(first(12, SITE, 7, FP) + BLOCK)),
        [json!({
            "fingerprint": FP, "verdict": "leak", "resource": "ByteBuf", "site": SITE, "count": 7, "bytes": 70,
            "source": "leaktrail", "first_seen": "2026-11-20T03:12:00Z", "last_seen": "2026-11-20T03:12:00Z",
        })]
    );
}

/// Four acts, of which two lose: 2000 and 103, as their summaries say.
#[test]
fn the_gateways_log() {
    let rows = rows_of(&["gateway.log"], "");
    let cache = "examples/gateway/filters/cache_body.rs:35:31";
    let expected = [
        ("leak", cache, 2_103),
        ("live", cache, 103),
        ("refused", "examples/gateway/body.rs:58:42", 2),
        ("refused", "(not listed)", 3_792),
    ];
    assert_eq!(figures(&rows), expected.map(|(verdict, site, count)| (verdict.to_owned(), site.to_owned(), count)));
    assert_eq!((&rows[0]["bytes"], &rows[0]["fingerprint"]), (&json!(21_528_576), &json!("0370d70e1a631b88")));
}

/// One program, that loses seven permits and keeps a vector, under three of tracing's formats.
#[test]
fn tracings_logs_in_colours_pretty_and_as_json() {
    for file in ["tracing.log", "tracing-pretty.log", "tracing-json.log"] {
        let rows = rows_of(&[file], "");
        let expected = [("leak", "src/main.rs:6:22", 7), ("live", "src/main.rs:24:16", 1)];
        let expected = expected.map(|(verdict, site, count)| (verdict.to_owned(), site.to_owned(), count));
        assert_eq!(figures(&rows), expected, "{file}");
        assert!(rows.iter().all(|row| row["first_seen"].is_string()), "{file}: {rows:?}");
        let trail = run(&["show", "024a7b74e3577ebc", file]).out;
        assert!(
            trail.contains("    Hint: parsing \"twelve\"\n")
                && trail.contains("    scratch::lose (src/main.rs:6:22)\n")
        );
        assert!(!trail.contains("cut off") && !trail.contains("mixed"), "{file}: {trail}");
    }
}

#[test]
fn nettys_logs_whatever_logger_wrote_them() {
    let class = "com.example.gateway.BodyCache";
    let sites =
        ["busy(BodyCache.java:19)", "keep(BodyCache.java:9)", "slice(BodyCache.java:36)", "slice(BodyCache.java:37)"];
    for (file, counts) in
        [("netty-logback.log", [3, 1, 1, 1]), ("netty-jul.log", [1, 1, 1, 1]), ("netty-slf4j.log", [3, 1, 1, 1])]
    {
        let rows = rows_of(&[file], "");
        let expected: Vec<_> = sites
            .iter()
            .zip(counts)
            .map(|(site, count)| ("leak".to_owned(), format!("{class}.{site}"), count))
            .collect();
        assert_eq!(figures(&rows), expected, "{file}");
        for row in &rows {
            assert_eq!(
                (&row["source"], &row["bytes"], &row["resource"]),
                (&json!("netty"), &Value::Null, &json!("ByteBuf"))
            );
            assert_eq!(row["first_seen"].is_string(), file != "netty-slf4j.log", "{file}: {row}");
        }
    }
    let ran = run(&["top", "netty-logback.log"]);
    assert!(ran.err.contains("182 lines, 3 passed over"), "{}", ran.err);
}

#[test]
fn one_tool_for_a_mixed_fleet() {
    let rows = rows_of(&["gateway.log", "netty-logback.log", "netty-jul.log"], "");
    assert_eq!(rows.len(), 8);
    let busy = rows.iter().find(|row| row["site"].as_str().is_some_and(|site| site.contains("busy"))).expect("a row");
    assert_eq!(busy["count"], 4);
}

#[test]
fn nettys_report_without_a_stack_and_the_wording_of_4_2() {
    let untraced = "2026-11-20 03:12:44,123 [main] ERROR ResourceLeakDetector - LEAK: ByteBuf.release() was not called before it's garbage-collected. Enable advanced leak reporting to find out where the leak occurred. To enable advanced leak reporting, specify the JVM option '-Dio.netty.leakDetection.level=advanced' or call ResourceLeakDetector.setLevel() See https://netty.io/wiki/reference-counted-objects.html for more information.\n";
    // As the detector of 4.2 wrote it: the creation's text was another record's.
    let body = "LEAK: HttpRequest.release() was not called before it's garbage-collected. See https://netty.io/wiki/reference-counted-objects.html for more information.\nRecent access records: \n#1:\n\tHint: b\n\tProbe.main(Probe.java:26)\n: 1 leak records were discarded because they were duplicates\n: 3 leak records were discarded because the leak record count is targeted to 4. Use system property io.netty.leakDetection.targetRecords to increase the limit.\n";
    let rows = rows(&[untraced, body, "something else\n"].concat());
    let found: Vec<_> = rows.iter().map(|row| (row["resource"].as_str(), row["site"].as_str())).collect();
    assert_eq!(
        found,
        [(Some("ByteBuf"), Some("(no stack)")), (Some("HttpRequest"), Some("Probe.main(Probe.java:26)"))]
    );
}

/// What this version of the library writes, as text and as data.
#[test]
fn what_the_library_writes_today() {
    let detector = LeakDetector::new(Config::new().level(Level::Paranoid));
    let written = Arc::new(Mutex::new((String::new(), String::new())));
    let sink = written.clone();
    let _subscription = detector.subscribe(move |report| {
        let mut written = sink.lock().expect("nobody panics");
        written.0.push_str(&format!("2026-11-20T03:12:45.5Z ERROR leaktrail: {report}\n"));
        written.1.push_str(&serde_json::to_string(report).expect("JSON"));
        written.1.push('\n');
    });
    let mut site = 0;
    for _ in 0..3 {
        let handle = detector.resource("Permit").bytes(64).track(());
        site = line!() - 1;
        Tracked::touch_with(&handle, "LEAK: forged\n\tCreated at:");
        drop(handle);
    }
    detector.flush();
    let (text, data) = written.lock().expect("nobody panics").clone();
    let [text, data] = [text, data].map(|log| rows(&log));
    for rows in [&text, &data] {
        assert_eq!(rows.len(), 1, "{rows:?}");
        assert_eq!(
            (&rows[0]["count"], &rows[0]["bytes"], &rows[0]["resource"]),
            (&json!(3), &json!(192), &json!("Permit"))
        );
        assert!(
            rows[0]["site"].as_str().is_some_and(|text| text.starts_with(&format!("tests/reader/formats.rs:{site}:")))
        );
    }
    assert_eq!(text[0]["fingerprint"], data[0]["fingerprint"]);
}

#[test]
fn the_other_verdicts() {
    let log = "\
WARN leaktrail: GROW: CachedBody at src/a.rs:1:1: 12480 live (12779520 B), up in each of the last 10 min, created 600 released 0, fp=0000000000000001
WARN leaktrail: GROW: CachedBody at src/a.rs:1:1: 12500 live (12800000 B), up in each of the last 11 min, created 600 released 0, fp=0000000000000001
WARN leaktrail: HELD: PgConnection for 41 s (threshold 30 s): created src/db.rs:88:30, last touch src/orders.rs:120:9 40 s ago, 3 of 10 live here are over, fp=0000000000000002
INFO leaktrail: HELD: PgConnection came back after 64 s: created src/db.rs:88:30, fp=0000000000000002
WARN leaktrail: PINNED: ByteBuf of 16 B keeps 65536 B alive: created src/v.rs:3:4, fp=0000000000000003
WARN leaktrail: LIVE: 10 live, 655360 B, PgConnection created src/db.rs:88:30, live count not at 0 for 64 s
";
    let rows = rows(log);
    let expected = [
        ("grow", "src/a.rs:1:1", 12_500),
        ("live", "src/db.rs:88:30", 10),
        ("pinned", "src/v.rs:3:4", 1),
        ("held", "src/db.rs:88:30", 3),
    ];
    assert_eq!(figures(&rows), expected.map(|(verdict, site, count)| (verdict.to_owned(), site.to_owned(), count)));
    let only = rows_of(&["--only", "Held,grow", "-"], log);
    assert_eq!(only.len(), 2, "{only:?}");
}

#[test]
fn gzip_is_seen_by_its_first_bytes() {
    let folder = Folder::new();
    let mut whole = Vec::new();
    // Two members in one file, as `cat a.gz b.gz` makes them.
    for minute in [1, 2] {
        let mut gzip = GzEncoder::new(Vec::new(), Compression::default());
        gzip.write_all(first(minute, SITE, u64::from(minute), FP).as_bytes()).expect("memory");
        whole.extend(gzip.finish().expect("memory"));
    }
    for name in ["app.log.1.gz", "no-ending"] {
        let file = folder.file(name, &whole);
        assert_eq!(rows_of(&[&file], "")[0]["count"], 2, "{name}");
    }
    let ran = run_with(&["top", "--format", "json"], &whole);
    assert_eq!(array(&ran.out)[0]["count"], 2);
    // What could be read counts, and the status says that it was not all.
    let cut = folder.file("cut.gz", &whole[..whole.len() - 9]);
    let ran = run(&["top", "--format", "json", &cut]);
    assert_eq!((ran.status, &array(&ran.out)[0]["count"]), (2, &json!(2)), "{ran:?}");
    assert!(ran.err.contains("cut.gz"), "{}", ran.err);
}

#[test]
fn csv_and_the_table() {
    let log = first(12, "src/a,b.rs:1:2", 7, FP);
    let csv = run_with(&["top", "--format", "csv"], log.as_bytes()).out;
    assert_eq!(
        csv.replace('\r', ""),
        "fingerprint,verdict,resource,site,count,bytes,source,first_seen,last_seen\n\
         5b1c09e2a4f7d310,leak,ByteBuf,\"src/a,b.rs:1:2\",7,70,leaktrail,2026-11-20T03:12:00Z,2026-11-20T03:12:00Z\n"
    );
    let table = run_with(&["top"], log.as_bytes()).out;
    let words: Vec<Vec<&str>> = table.lines().map(|line| line.split_whitespace().collect()).collect();
    assert_eq!(
        words[0],
        ["COUNT", "BYTES", "VERDICT", "RESOURCE", "SITE", "FIRST", "SEEN", "LAST", "SEEN", "FINGERPRINT"]
    );
    assert_eq!(
        words[1],
        ["7", "70", "B", "LEAK", "ByteBuf", "src/a,b.rs:1:2", "2026-11-20T03:12:00Z", "2026-11-20T03:12:00Z", FP]
    );
    assert_eq!(run_with(&["top"], b"nothing\n").out, "no reports\n");
    let colours = run_with(&["top", "--color", "always"], log.as_bytes()).out;
    assert!(colours.contains("\u{1b}[31m") && !table.contains('\u{1b}'));
}
