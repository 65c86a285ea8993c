//! A report lists the other references to the lost buffer, where each was made and what became of it: so the one that is
//! out of balance is named, whichever of them was recorded.

mod rig;

use std::sync::{Arc, Barrier};
use std::thread;

use leaktrail::{ByteBuf, DropPolicy, LeakReport, Level, Origin, ReferenceState, TrailDepth};
use rig::Rig;

use Origin::{Created, Retained, Sliced};
use ReferenceState::{Live, Lost, Released};

/// What a report says of the other references: how each was made, at which line, and what became of it.
fn others(report: &LeakReport) -> Vec<(Origin, u32, ReferenceState)> {
    let references = report.references().iter();
    references.map(|reference| (reference.origin(), reference.site().line(), reference.state())).collect()
}

#[test]
fn the_unbalanced_retain_is_the_one_that_is_lost_and_the_others_are_told_with_it() {
    for (level, policy) in [
        (Level::Simple, DropPolicy::Reclaim),
        (Level::Advanced, DropPolicy::Abandon),
        (Level::Paranoid, DropPolicy::Reclaim),
    ] {
        let rig = Rig::rarely_sampling(level, policy, 100);
        let (body, created) = (rig.filled(b"0123456789"), line!());
        let (cached, retained) = (body.retain(), line!());
        let (part, sliced) = (body.slice(2..4), line!());
        let (logged, retained_again) = (part.retain(), line!());
        assert!(!part.release());
        drop(logged);
        // What was lost was made by `part.retain()`; of the others one came back and two are still alive.
        let report = rig.report_of(retained_again);
        let expected = [(Created, created, Live), (Retained, retained, Live), (Sliced, sliced, Released)];
        assert_eq!(others(&report), expected, "{report}");
        assert_eq!(report.references_omitted(), 0);
        assert!(report.references().iter().all(|other| other.site().file() == "tests/siblings.rs"), "{report}");

        assert!(!cached.release());
        assert_eq!(body.release(), policy == DropPolicy::Reclaim);
    }
}

#[test]
fn of_two_that_are_lost_the_second_report_says_so_of_the_first() {
    let rig = Rig::new(Level::Paranoid, DropPolicy::Reclaim, 100);
    let (body, created) = (rig.filled(b"0123456789"), line!());
    let (first, first_line) = (body.retain(), line!());
    let (second, second_line) = (body.retain(), line!());
    assert!(!body.release());
    drop(first);
    drop(second);
    let report = rig.report_of(first_line);
    assert_eq!(others(&report), [(Created, created, Released), (Retained, second_line, Live)], "{report}");
    let report = rig.report_of(second_line);
    assert_eq!(others(&report), [(Created, created, Released), (Retained, first_line, Lost)], "{report}");
}

/// The lost one is the buffer's own, and what was made of it came back.
#[test]
fn a_lost_creation_has_siblings_too() {
    let rig = Rig::new(Level::Paranoid, DropPolicy::Reclaim, 100);
    let (body, created) = (rig.filled(b"0123456789"), line!());
    let (part, sliced) = (body.slice(1..9), line!());
    let (nested, nested_line) = (part.slice(1..2), line!());
    let (deepest, deepest_line) = (nested.slice(..), line!());
    assert!(!nested.release());
    assert!(!part.release());
    drop(body);
    let report = rig.report_of(created);
    let expected = [(Sliced, sliced, Released), (Sliced, nested_line, Released), (Sliced, deepest_line, Live)];
    assert_eq!(others(&report), expected, "{report}");
    assert!(deepest.release());
}

#[test]
fn one_reference_alone_has_no_siblings() {
    let rig = Rig::new(Level::Paranoid, DropPolicy::Reclaim, 100);
    let (body, created) = (rig.filled(b"0123456789"), line!());
    drop(body);
    let report = rig.report_of(created);
    assert!(report.references().is_empty() && !report.to_string().contains("Other references"), "{report}");
}

#[test]
fn buffers_do_not_mix() {
    let rig = Rig::new(Level::Paranoid, DropPolicy::Reclaim, 100);
    let (one, one_line) = (rig.filled(b"01234"), line!());
    let (two, two_line) = (rig.filled(b"56789"), line!());
    let (of_one, of_one_line) = (one.retain(), line!());
    let (of_two, of_two_line) = (two.slice(1..), line!());
    drop(ByteBuf::join([of_one, of_two]));
    let report = rig.report_of(of_one_line);
    assert_eq!(others(&report), [(Created, one_line, Live)], "{report}");
    let report = rig.report_of(of_two_line);
    assert_eq!(others(&report), [(Created, two_line, Live)], "{report}");
    assert!(one.release() && two.release());
}

/// The production default: nothing of the buffer was sampled until its retain was promoted. The creation is listed all the
/// same, with what became of it.
#[test]
fn a_promoted_retain_knows_a_creation_that_was_not_sampled() {
    for end_of_creation in [Live, Released, Lost] {
        let rig = Rig::rarely_sampling(Level::Simple, DropPolicy::Reclaim, 100);
        let allocate = || (rig.filled(b"0123456789"), line!());
        let retain = |body: &ByteBuf| (body.retain(), line!());
        // The first of each thread at each site is sampled. It comes back.
        let (body, created) = allocate();
        let (cached, retained) = retain(&body);
        assert!(!body.release() && cached.release());
        // The next ones are not. One retain is lost, which promotes its site.
        let (body, _) = allocate();
        drop(retain(&body).0);
        assert!(body.release());
        assert_eq!(rig.report_of(retained).trail(), TrailDepth::None);

        let (body, _) = allocate();
        let (cached, _) = retain(&body);
        let alive = match end_of_creation {
            Live => Some(body),
            Released => {
                assert!(!body.release());
                None
            }
            _ => {
                drop(body);
                None
            }
        };
        drop(cached);
        let report = rig.reports_of(retained).pop().unwrap();
        assert_eq!(report.trail(), TrailDepth::Full, "{report}");
        assert_eq!(others(&report), [(Created, created, end_of_creation)], "{report}");
        if let Some(body) = alive {
            assert!(body.release());
        }
        rig.assert_all_came_back();
    }
}

/// As above, where the creation's end came before anything of the buffer was recorded.
#[test]
fn a_promoted_retain_knows_a_creation_that_ended_before_it() {
    for end_of_creation in [Released, Lost] {
        let rig = Rig::rarely_sampling(Level::Simple, DropPolicy::Reclaim, 100);
        let hand_over = |body: ByteBuf| (body.retain(), drop_or_release(body, end_of_creation)).0;
        let retain = |body: &ByteBuf| (body.retain(), line!());
        let run = || {
            let (body, created) = (rig.filled(b"0123456789"), line!());
            let body = hand_over(body);
            let (cached, retained) = retain(&body);
            assert!(!body.release());
            (cached, created, retained)
        };
        assert!(run().0.release());
        drop(run().0);
        let (cached, created, retained) = run();
        drop(cached);
        let report = rig.reports_of(retained).pop().unwrap();
        assert_eq!(report.trail(), TrailDepth::Full, "{report}");
        assert!(others(&report).contains(&(Created, created, end_of_creation)), "{report}");
        rig.assert_all_came_back();
    }
}

fn drop_or_release(body: ByteBuf, state: ReferenceState) {
    if state == Released {
        body.release();
    } else {
        drop(body);
    }
}

/// Once one reference of a buffer has a trail, all that are made later have one, as by Netty's `trackForcibly`: else the
/// report of a slice of a slice of a sampled buffer would be rarer with each step (its issue 13414).
#[test]
fn what_is_made_of_a_recorded_buffer_is_recorded() {
    let rig = Rig::rarely_sampling(Level::Advanced, DropPolicy::Reclaim, 1000);
    let slice = |body: &ByteBuf| (body.slice(..), line!());
    let warm = rig.filled(b"0123456789");
    let (part, sliced) = slice(&warm);
    assert!(!part.release() && warm.release());

    // A creation at a new line is sampled; its slices are made at a line that has had its sample.
    let (body, created) = (rig.filled(b"0123456789"), line!());
    let part = slice(&body).0;
    let nested = slice(&part).0;
    drop(nested);
    let report = rig.reports_of(sliced).pop().unwrap();
    assert_eq!(others(&report), [(Created, created, Live), (Sliced, sliced, Live)], "{report}");
    assert!(!part.release() && body.release());
}

#[test]
fn more_than_are_listed_are_counted() {
    for lost in [0, 7, 16, 17, 39] {
        let rig = Rig::new(Level::Paranoid, DropPolicy::Reclaim, 100);
        let (body, created) = (rig.filled(b"0123456789"), line!());
        let (mut references, retained) = ((1..40).map(|_| body.retain()).collect::<Vec<_>>(), line!());
        references.insert(0, body);
        drop(references.remove(lost));
        let report = rig.report_of(if lost == 0 { created } else { retained });
        // 40 references: the lost one and 39 others, of which the oldest are listed.
        assert_eq!(report.references().len() as u64 + report.references_omitted(), 39, "{lost}: {report}");
        assert!((15..=16).contains(&report.references().len()), "{lost}: {report}");
        references.into_iter().for_each(|reference| {
            reference.release();
        });
        rig.assert_all_came_back();
    }
}

/// Created at DISABLED the buffer itself is not known; what is made of it later is, and ties itself together.
#[test]
fn references_of_an_uncounted_creation_know_each_other() {
    let rig = Rig::new(Level::Disabled, DropPolicy::Reclaim, 100);
    let body = rig.filled(b"0123456789");
    rig.detector.set_level(Level::Paranoid);
    let (kept, retained) = (body.retain(), line!());
    let (part, sliced) = (body.slice(1..), line!());
    rig.detector.set_level(Level::Disabled);
    assert!(!body.release());
    drop(part);
    let report = rig.report_of(sliced);
    assert_eq!(others(&report), [(Retained, retained, Live)], "{report}");
    assert!(kept.release());
}

/// Whoever drops first, the reports agree: of the siblings in one report none is unaccounted for, and none is in the wrong
/// buffer.
#[test]
fn siblings_are_right_when_four_threads_lose_theirs_at_once() {
    let rounds = if cfg!(debug_assertions) { 100 } else { 1_000 };
    for _ in 0..rounds {
        let rig = Rig::new(Level::Paranoid, DropPolicy::Reclaim, 100);
        let body = rig.filled(b"0123456789");
        let lines = [line!() + 1, line!() + 2, line!() + 3, line!() + 4];
        let one = body.retain();
        let two = body.retain();
        let three = body.retain();
        let four = body.retain();
        assert!(!body.release());
        let start = Arc::new(Barrier::new(4));
        let threads = [one, two, three, four].map(|reference| {
            let start = start.clone();
            thread::spawn(move || {
                start.wait();
                drop(reference);
            })
        });
        for thread in threads {
            thread.join().unwrap();
        }
        let reports = lines.map(|line| rig.report_of(line));
        for (report, line) in reports.iter().zip(lines) {
            let others = others(report);
            assert_eq!((others.len(), others[0].0, others[0].2), (4, Created, Released), "{report}");
            let mut retained = others[1..].iter().map(|other| other.1).chain([line]).collect::<Vec<_>>();
            retained.sort_unstable();
            assert_eq!(retained, lines, "{report}");
            assert!(others[1..].iter().all(|other| matches!(other.2, Live | Lost)), "{report}");
        }
        // The last one to be lost saw all others lost.
        let complete = reports.iter().filter(|report| others(report)[1..].iter().all(|other| other.2 == Lost));
        assert!(complete.count() >= 1);
        rig.assert_all_came_back();
    }
}
