//! The text of a report as the detector makes it, and the process's allowance of full blocks. One test in a process of its
//! own: the allowance is the process's, twenty a minute.

mod observed;

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use leaktrail::{Form, Hint, LeakDetector, LeakReport, Level, Tracked};
use observed::{NEVER_AGAIN, Observed, config};

/// The report of one handle's loss, at PARANOID with room for two touches.
fn report(name: &'static str, lose: impl FnOnce(Tracked<u8>)) -> LeakReport {
    let detector = LeakDetector::new(config(Level::Paranoid).target_records(2));
    let observed = Observed::of(&detector);
    lose(detector.resource(name).hint("at the start").track(1));
    observed.only()
}

fn has_line(report: &LeakReport, wanted: impl Fn(&str) -> bool) -> bool {
    report.to_string().lines().any(wanted)
}

#[test]
fn reports_are_written_in_full_twenty_times_a_minute() {
    let touched = report("Touched", |handle| {
        Tracked::touch_with(&handle, "first");
        Tracked::touch_with(&handle, Hint::lazy(|| resume_unwind(Box::new("no text today"))));
    });
    assert_eq!(touched.form(), Form::Full);
    let text = touched.to_string();
    let heads: Vec<&str> = text.lines().filter(|line| !line.starts_with('\t')).collect();
    assert_eq!(heads, [&touched.first_line(), "Recent access records:", "#1:", "#2:", "#3:", "Created at:"], "{text}");
    let hints: Vec<&str> = text.lines().filter(|line| line.starts_with("\tHint: ")).collect();
    assert_eq!(hints, ["\tHint: (the hint panicked)", "\tHint: first", "\tHint: at the start"], "{text}");
    assert!(!text.contains("discarded") && !text.contains("unwinding"), "{text}");

    let often = report("Often", |handle| (0..100).for_each(|_| Tracked::touch(&handle)));
    let kept = often.records().len() as u64 - 2;
    let line = format!(
        ": {} leak records were discarded because the leak record count is targeted to 2. Use \
         LEAK_DETECTION_TARGET_RECORDS to increase the limit.",
        100 - kept
    );
    assert!(has_line(&often, |found| found == line), "{often}");

    let unwinding = report("Unwinding", |handle| {
        let panic = catch_unwind(AssertUnwindSafe(move || {
            let _lost = handle;
            resume_unwind(Box::new("on purpose"))
        }));
        assert!(panic.is_err());
    });
    let is_marked = |line: &str| line.starts_with("\t(dropped +") && line.ends_with(", unwinding)");
    assert!(has_line(&unwinding, is_marked), "{unwinding}");

    // A loss without a trail is one line, and takes no block.
    let detector = LeakDetector::new(config(Level::Simple).sampling_interval(NEVER_AGAIN));
    let observed = Observed::of(&detector);
    let open = || detector.resource("Untraced").track(2);
    Tracked::release(open());
    drop(open());
    let untraced = observed.only();
    assert_eq!((untraced.to_string(), untraced.records()), (untraced.first_line(), [].as_slice()));

    // Seventeen more causes have a block; those after them are a line, with all that is known of them in the data.
    let forms: Vec<Form> = std::iter::repeat_with(|| report("More", drop))
        .inspect(|report| assert_eq!(report.records().len(), 2))
        .take(25)
        .map(|report| report.form())
        .collect();
    assert_eq!(forms.iter().filter(|form| **form == Form::Full).count(), 17, "{forms:?}");
    assert!(forms[17..].iter().all(|form| *form == Form::Line), "{forms:?}");
    let line = report("Short", drop);
    assert_eq!(line.to_string(), line.first_line());
}
