//! What a leak-aware allocator says and does about its buffers: three meanings of a drop, at every level.

mod rig;

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::{Arc, Mutex, PoisonError};

use leaktrail::{
    Access, ByteBuf, ByteBufAllocator, Config, DirectMemory, DropPolicy, Fate, Frame, FrameLimit, LeakAware,
    LeakDetector, Level, Origin, ReportTo, Severity, TrailDepth, UnpooledAllocator,
};
use rig::Rig;

const LEVELS: [Level; 4] = [Level::Disabled, Level::Simple, Level::Advanced, Level::Paranoid];
const COUNTING: [Level; 3] = [Level::Simple, Level::Advanced, Level::Paranoid];
const POLICIES: [DropPolicy; 3] = [DropPolicy::Release, DropPolicy::Reclaim, DropPolicy::Abandon];

#[test]
fn under_release_a_drop_is_the_release() {
    for level in COUNTING {
        let rig = Rig::new(level, DropPolicy::Release, 100);
        drop(rig.allocator.allocate(10).unwrap());
        let body = rig.filled(b"0123456789");
        let others = [body.retain(), body.slice(2..4), body.clone()];
        drop(ByteBuf::join(others));
        assert_eq!((body.ref_cnt(), rig.memory.used()), (1, 10));
        drop(body);
        assert_eq!(rig.counts(), (5, 5, 0, 0), "{level}");
        assert!(rig.reports().is_empty(), "{level}");
        rig.assert_all_came_back();
    }
}

#[test]
fn under_reclaim_a_drop_is_a_leak_and_the_memory_goes_back() {
    for level in COUNTING {
        let rig = Rig::new(level, DropPolicy::Reclaim, 4096);
        let (body, created) = (rig.filled(&[7; 4096]), line!());
        let (kept, retained) = (body.retain(), line!());
        drop(body);
        // The other reference still has the memory, and it reads as it did.
        assert_eq!((kept.ref_cnt(), rig.memory.used(), kept.len()), (1, 4096, 4096));
        assert!(kept.release());
        assert_eq!((rig.counts_of(created), rig.counts_of(retained)), ((1, 0, 1, 0), (1, 1, 0, 0)), "{level}");
        rig.assert_all_came_back();

        let report = rig.report_of(created);
        assert_eq!((report.fate(), report.bytes(), report.count()), (Fate::GivenBack, 4096, 1));
        let text = report.to_string();
        assert!(
            text.starts_with("LEAK: ByteBuf.release() was not called before it was dropped. created tests/"),
            "{text}"
        );
        assert!(text.contains(", 1 of 1 lost, 4096 B given back, level "), "{text}");
        assert_eq!(rig.reports().len(), 1);
    }
}

/// Netty's behaviour: the count keeps the reference that was lost, so the memory stays out for ever.
#[test]
fn under_abandon_a_drop_is_a_leak_and_the_memory_stays_out() {
    for level in COUNTING {
        let rig = Rig::new(level, DropPolicy::Abandon, 10_000);
        let body = rig.filled(&[7; 4096]);
        let (kept, retained) = (body.retain(), line!());
        drop(kept);
        assert_eq!((body.ref_cnt(), rig.memory.used(), rig.memory.abandoned()), (2, 4096, 4096));
        assert!(!body.release(), "the count has not come to 0, and never will");
        drop((rig.allocator.allocate(4096).unwrap(), line!()).0);
        assert_eq!((rig.memory.used(), rig.memory.abandoned(), rig.memory.reservations()), (8192, 8192, 0));
        assert_eq!(rig.counts(), (3, 1, 2, 0), "{level}");

        let report = rig.report_of(retained);
        assert_eq!((report.fate(), report.bytes()), (Fate::StillOut, 4096));
        assert!(report.to_string().contains(", 1 of 1 lost, 4096 B still out, level "), "{report}");
        // After enough of them the budget is used up, and nobody is alive who could be named.
        let refused = rig.allocator.allocate(4096).unwrap_err();
        assert!(refused.to_string().ends_with("(used: 8192, max: 10000)"), "{refused}");
    }
}

#[test]
fn created_and_lost_are_exact_under_every_policy_and_level() {
    for (level, policy) in COUNTING.into_iter().flat_map(|level| POLICIES.map(|policy| (level, policy))) {
        let rig = Rig::new(level, policy, 1 << 20);
        let mut lost = 0;
        for n in 0..300_u64 {
            let body = rig.filled(&[7; 16]);
            let kept = body.retain();
            let part = kept.slice(..8);
            // Each third loses one of the three, a different one each time.
            let mut references = [Some(body), Some(kept), Some(part)];
            if n % 3 == 0 {
                drop(references[(n / 3 % 3) as usize].take());
                lost += 1;
            }
            references.into_iter().flatten().for_each(|reference| {
                reference.release();
            });
        }
        let (released, leaked) = if policy == DropPolicy::Release { (900, 0) } else { (900 - lost, lost) };
        assert_eq!(rig.counts(), (900, released, leaked, 0), "{level} {policy:?}");
        let abandoned = if policy == DropPolicy::Abandon { lost * 16 } else { 0 };
        assert_eq!((rig.memory.used(), rig.memory.abandoned()), (abandoned, abandoned), "{level} {policy:?}");
        // What the reports add up to is what was lost, however often they were written.
        let mut told: Vec<_> = rig.reports().into_iter().map(|report| (report.fingerprint(), report.count())).collect();
        told.sort_unstable_by_key(|&(fingerprint, count)| (fingerprint.to_string(), std::cmp::Reverse(count)));
        told.dedup_by_key(|&mut (fingerprint, _)| fingerprint);
        assert_eq!(told.iter().map(|&(_, count)| count).sum::<u64>(), leaked, "{level} {policy:?}");
    }
}

/// What was decided at creation stays: a reference made at DISABLED is never counted, any other always.
#[test]
fn the_level_may_change_at_any_time_and_no_count_is_lost() {
    for policy in POLICIES {
        for (first, second, third) in
            LEVELS.into_iter().flat_map(|a| LEVELS.into_iter().flat_map(move |b| LEVELS.map(|c| (a, b, c))))
        {
            let rig = Rig::new(first, policy, 1 << 20);
            let body = rig.filled(&[7; 16]);
            let early = body.retain();
            rig.detector.set_level(second);
            let late = body.slice(1..);
            let latest = late.retain();
            rig.detector.set_level(third);
            body.touch_with("at another level");
            assert!(!body.release());
            assert!(!late.release());
            drop(early);
            drop(latest);
            let [at_first, at_second] = [first, second].map(|level| if level == Level::Disabled { 0 } else { 1_u64 });
            // One of the two of each level was released, the other dropped.
            let (created, half) = (2 * (at_first + at_second), at_first + at_second);
            let expected =
                if policy == DropPolicy::Release { (created, created, 0, 0) } else { (created, half, half, 0) };
            assert_eq!(rig.counts(), expected, "{first} {second} {third} {policy:?}");
            let used = if policy == DropPolicy::Abandon { 16 } else { 0 };
            assert_eq!(
                (rig.memory.used(), rig.memory.abandoned()),
                (used, used),
                "{first} {second} {third} {policy:?}"
            );
        }
    }
}

#[test]
fn at_disabled_nothing_is_counted_and_the_policy_still_decides_about_the_memory() {
    for policy in POLICIES {
        let rig = Rig::new(Level::Disabled, policy, 1 << 20);
        let body = rig.filled(&[7; 16]);
        body.touch_with("unheard");
        drop(body.retain());
        drop(body);
        assert_eq!(rig.counts(), (0, 0, 0, 0));
        assert!(rig.detector.snapshot().sites().is_empty() && rig.reports().is_empty());
        let out = if policy == DropPolicy::Abandon { 16 } else { 0 };
        assert_eq!((rig.memory.used(), rig.memory.abandoned()), (out, out), "{policy:?}");
    }
}

#[test]
fn each_reference_has_a_trail_of_its_own() {
    let rig = Rig::new(Level::Paranoid, DropPolicy::Reclaim, 100);
    let (body, created) = (rig.filled(b"0123456789"), line!());
    let (part, sliced) = (body.slice(1..9), line!());
    let (nested, sliced_again) = (part.slice(1..7), line!());
    body.touch_with("the whole");
    part.touch_with("the part");
    part.touch_with("the part again");
    nested.touch_with("the part of the part");
    drop((part, nested, body));

    for (line, hints) in [
        (created, &["the whole"][..]),
        (sliced, &["the part again", "the part"]),
        (sliced_again, &["the part of the part"]),
    ] {
        let report = rig.report_of(line);
        assert_eq!(report.trail(), TrailDepth::Full);
        let touched = report.records().iter().filter(|record| record.access() == Access::Touched);
        assert_eq!(touched.filter_map(|record| record.hint()).collect::<Vec<_>>(), hints);
        // The creation is the reference's own, not its parent's.
        let first = report.records().last().unwrap();
        assert_eq!(first.access(), Access::Created);
        let here = |frame: &Frame| frame.line() == Some(line) && frame.file() == Some("tests/leak_aware.rs");
        assert!(first.frames().iter().any(here), "{report}");
    }
}

/// The line of the drop comes first in the drop's record, and into the report's first line.
#[test]
fn a_full_trail_names_the_line_of_the_drop() {
    let rig = Rig::new(Level::Advanced, DropPolicy::Reclaim, 100);
    let created = line!() + 1;
    let body = rig.filled(b"0123456789");
    let dropped = line!() + 1;
    drop(body);
    let report = rig.report_of(created);
    assert!(report.first_line().contains(&format!(", dropped tests/leak_aware.rs:{dropped}:")), "{report}");
    assert_eq!(report.records()[0].frames()[0].line(), Some(dropped), "{report}");
}

/// At SIMPLE the first loss of an unsampled handle has no trail, and says that the next ones will.
#[test]
fn at_simple_a_site_that_lost_one_explains_the_next() {
    let rig = Rig::rarely_sampling(Level::Simple, DropPolicy::Reclaim, 100);
    let lose = || {
        let body = rig.filled(b"0123456789");
        let kept = (body.retain(), line!());
        assert!(!body.release());
        kept
    };
    let (kept, retained) = lose();
    assert!(kept.release(), "the first creation of a thread at a site is sampled; this one comes back");
    drop(lose().0);
    let first = rig.report_of(retained);
    assert_eq!((first.trail(), first.dropped_at(), first.created()), (TrailDepth::None, None, 2));
    assert!(first.to_string().ends_with("No trail for this one; the next 64 from this site will have one."), "{first}");
    drop(lose().0);
    let second = rig.reports_of(retained).pop().unwrap();
    assert_eq!((second.trail(), second.count(), second.created()), (TrailDepth::Full, 2, 3));
    assert!(second.dropped_at().is_some_and(|place| place.starts_with("tests/leak_aware.rs:")), "{second}");
}

#[test]
fn what_is_lost_while_a_panic_unwinds_is_a_warning_and_counted_alike() {
    for policy in POLICIES {
        let rig = Rig::new(Level::Advanced, policy, 100);
        let created = line!() + 2;
        let panic = catch_unwind(AssertUnwindSafe(|| {
            let _lost = rig.filled(b"0123456789");
            resume_unwind(Box::new(()));
        }));
        assert!(panic.is_err());
        if policy == DropPolicy::Release {
            assert_eq!(rig.counts_of(created), (1, 1, 0, 0));
            continue;
        }
        assert_eq!(rig.counts_of(created), (1, 0, 1, 0));
        let report = rig.report_of(created);
        assert!(report.is_unwinding() && report.severity() == Severity::Warn, "{report}");
        assert_eq!(rig.memory.used(), if policy == DropPolicy::Abandon { 10 } else { 0 });
    }
}

/// Each reference carries its buffer's capacity in its own row, also after the buffer grew.
#[test]
fn every_reference_counts_the_whole_capacity() {
    for level in COUNTING {
        let rig = Rig::rarely_sampling(level, DropPolicy::Reclaim, 1 << 20);
        for round in 0..2 {
            let (mut buffer, created) = (rig.allocator.allocate(100).unwrap(), line!());
            let live_bytes = |line: u32| rig.sites_of(line)[0].live_bytes();
            assert_eq!(live_bytes(created), 100);
            buffer.try_reserve(300).unwrap();
            assert_eq!((live_bytes(created), rig.memory.used()), (300, 300), "{level}, round {round}");
            buffer.put_slice(b"0123456789");
            let body = buffer.freeze();
            let (part, sliced) = (body.slice(1..2), line!());
            assert_eq!((live_bytes(sliced), rig.sites_of(sliced)[0].origin()), (300, Origin::Sliced));
            drop(part);
            assert_eq!(rig.sites_of(sliced)[0].leaked_bytes(), 300 * (round + 1));
            assert!(body.release());
        }
        rig.assert_all_came_back();
    }
}

#[test]
fn a_joined_buffer_that_is_lost_is_a_loss_of_each_part() {
    let rig = Rig::new(Level::Paranoid, DropPolicy::Reclaim, 100);
    let (one, first) = (rig.filled(b"abc"), line!());
    let (two, second) = (rig.filled(b"de"), line!());
    let joined = ByteBuf::join([one, two]);
    joined.touch_with("joined");
    drop(joined);
    for line in [first, second] {
        let report = rig.report_of(line);
        assert_eq!(report.records()[1].hint(), Some("joined"), "{report}");
    }
    assert_eq!(rig.counts(), (2, 0, 2, 0));
    rig.assert_all_came_back();
}

#[test]
fn a_policy_holds_for_the_buffers_that_were_allocated_under_it() {
    let memory = DirectMemory::with_limit(100);
    let detector = LeakDetector::new(Config::new());
    let strict = LeakAware::new(UnpooledAllocator::new(memory.clone()), detector.clone());
    let before = strict.allocate(10).unwrap();
    let relaxed = strict.clone().drop_policy(DropPolicy::Release);
    drop((before, relaxed.allocate(10).unwrap()));
    let now = detector.snapshot();
    assert_eq!((now.created(), now.released(), now.leaked(), memory.used()), (2, 1, 1, 0));
}

/// The attribute on the trait's declaration is what makes this work through `dyn`.
#[test]
fn through_any_pointer_the_site_is_the_caller() {
    fn generic(allocator: impl ByteBufAllocator) -> (leaktrail::ByteBufMut, u32) {
        (allocator.allocate(1).unwrap(), line!())
    }
    let rig = Rig::new(Level::Simple, DropPolicy::Reclaim, 100);
    let shared: Arc<dyn ByteBufAllocator + Send + Sync> = Arc::new(rig.allocator.clone());
    let boxed: Box<dyn ByteBufAllocator> = Box::new(rig.allocator.clone());
    let made = [(shared.allocate(1).unwrap(), line!()), (boxed.allocate(1).unwrap(), line!()), generic(&shared)];
    for (buffer, line) in made {
        let site = rig.sites_of(line).remove(0);
        assert_eq!((site.site().file(), site.live(), site.resource()), ("tests/leak_aware.rs", 1, "ByteBuf"));
        buffer.release();
    }
}

/// A buffer has one watcher: the outer one. For the inner it came back.
#[test]
fn wrapped_twice_a_buffer_belongs_to_the_outer_detector() {
    let rig = Rig::new(Level::Paranoid, DropPolicy::Abandon, 100);
    let outer_detector = LeakDetector::new(Config::new());
    let outer = LeakAware::new(rig.allocator.clone(), outer_detector.clone());
    drop(outer.allocate(10).unwrap().freeze().retain());
    assert_eq!(rig.counts(), (1, 1, 0, 0));
    assert!(rig.reports().is_empty());
    let now = outer_detector.snapshot();
    assert_eq!((now.created(), now.leaked(), now.live()), (2, 2, 0));
    rig.assert_all_came_back();
}

/// What lies between the user's call and the walk takes none of the frames that were asked for, however a reference came to be.
#[test]
fn a_deep_stack_has_as_many_of_the_users_frames_as_were_asked_for() {
    #[inline(never)]
    fn deep(levels: u32, then: &mut dyn FnMut()) {
        if levels == 0 {
            then();
        } else {
            deep(std::hint::black_box(levels - 1), then);
        }
        std::hint::black_box(levels);
    }
    const FRAMES: u8 = 24;
    let config =
        Config::new().level(Level::Paranoid).report(ReportTo::Off).max_frames(FrameLimit::new(FRAMES).unwrap());
    let detector = LeakDetector::new(config);
    let allocator = LeakAware::new(UnpooledAllocator::new(DirectMemory::unlimited()), detector.clone());
    let seen = Arc::new(Mutex::new(Vec::new()));
    let subscription = detector.subscribe({
        let seen = seen.clone();
        move |report| seen.lock().unwrap_or_else(PoisonError::into_inner).extend(report.records().to_vec())
    });
    deep(100, &mut || {
        let boxed: Box<dyn ByteBufAllocator> = Box::new(allocator.clone());
        let mut written = boxed.allocate(10).unwrap();
        written.put_slice(b"0123456789");
        let body = written.freeze();
        body.touch();
        let parts = [body.clone(), body.slice(2..4), body.retain()];
        drop(ByteBuf::join(parts));
        drop(vec![body]);
        drop(detector.track(1));
    });
    detector.flush();
    drop(subscription);
    let seen = seen.lock().unwrap_or_else(PoisonError::into_inner);
    assert!(seen.len() >= 8, "{seen:#?}");
    for record in seen.iter() {
        // Several frames of one address are functions that were inlined into each other.
        let addresses: std::collections::HashSet<u64> = record.frames().iter().map(|frame| frame.address()).collect();
        let is_full = record.frames().len() == usize::from(FRAMES) || addresses.len() == usize::from(FRAMES);
        assert!(
            is_full && record.is_truncated(),
            "{:?}: {} frames\n{record:#?}",
            record.access(),
            record.frames().len()
        );
    }
}
