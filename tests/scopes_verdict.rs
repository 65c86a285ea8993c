//! What a scope says, when, and what it leaves alone.

use std::panic::{AssertUnwindSafe, RefUnwindSafe, UnwindSafe, catch_unwind};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use leaktrail::testing::{LeakScope, check};
use leaktrail::{ByteBufAllocator, DirectMemory, Level, Tracked, UnpooledAllocator, Watched};

/// What a failed assertion says: its payload is a `String`.
#[track_caller]
fn failure<R>(test: impl FnOnce() -> R) -> String {
    let Err(payload) = catch_unwind(AssertUnwindSafe(test)) else { panic!("it passed") };
    *payload.downcast::<String>().expect("a String")
}

fn body_filter(scope: &LeakScope) -> Tracked<u8> {
    scope.detector().resource("Body").bytes(100).track(1)
}

#[test]
fn a_failure_names_the_scope_and_every_site_with_count_bytes_and_trail() {
    let scope = LeakScope::new("decode");
    let allocator = scope.wrap(UnpooledAllocator::new(DirectMemory::unlimited()));
    for _ in 0..3 {
        let buffer = allocator.allocate(4096).unwrap().freeze();
        buffer.touch_with("decoded");
        drop(buffer);
    }
    let body = body_filter(&scope);
    Tracked::touch_with(&body, "in the cache");
    let text = failure(|| scope.assert_clean());

    let mut lines = text.lines();
    assert_eq!(
        lines.next().unwrap(),
        "leak scope 'decode' is not clean: 3 lost (12288 B) at 1 site, 1 live (100 B) at 1 site; level PARANOID"
    );
    let leak = lines.next().unwrap();
    assert!(leak.starts_with("LEAK: ByteBuf.release() was not called before it was dropped. created tests/"), "{leak}");
    assert!(leak.contains("3 of 3 lost, 12288 B given back, level PARANOID"), "{leak}");
    assert!(text.contains("Hint: decoded"), "{text}");
    assert!(text.contains("\nLIVE: 1 live, 100 B, Body created tests/scopes_verdict.rs:"), "{text}");
    assert!(text.contains("Hint: in the cache"), "{text}");
    assert!(text.contains("scopes_verdict::body_filter"), "the stack of what is alive: {text}");
    assert!(text.contains("To see more: touch the handle where it passes"), "{text}");
    assert_eq!(text.matches("Created at:").count(), 2, "{text}");
    Tracked::release(body);
}

#[test]
fn ways_from_one_site_are_shown_apart() {
    let scope = LeakScope::new("two ways");
    fn open(scope: &LeakScope) -> Watched<u8> {
        scope.detector().watch(1)
    }
    fn by_login(scope: &LeakScope) -> Watched<u8> {
        open(scope)
    }
    fn by_search(scope: &LeakScope) -> Watched<u8> {
        open(scope)
    }
    let held = [by_login(&scope), by_search(&scope)];
    let text = failure(|| scope.assert_clean());
    assert!(text.contains("LIVE: 2 live") && text.contains("by_login") && text.contains("by_search"), "{text}");
    assert!(text.contains("Another way from the same site:"), "{text}");
    drop(held);
}

#[test]
fn every_site_is_named_with_its_trail_however_many() {
    let scope = LeakScope::new("many");
    // More than the blocks that a process writes to its log in a minute.
    for n in 0..30 {
        let name: &'static str = format!("Resource{n}").leak();
        drop(scope.detector().resource(name).track(n));
    }
    let text = failure(|| scope.assert_clean());
    assert_eq!(text.matches("LEAK: Resource").count(), 30, "{text}");
    assert_eq!(text.matches("Created at:").count(), 30, "{text}");
}

#[test]
fn what_is_expected_or_ignored_is_no_fault_and_nothing_else_passes_with_it() {
    let scope = LeakScope::new("allowed");
    let warm = [scope.detector().watch(1), scope.detector().watch(2)];
    scope.expect_live(2);
    scope.assert_clean();
    scope.expect_live(3);
    assert!(failure(|| scope.assert_clean()).contains("2 live (0 B) at 2 sites, 3 expected to be live"));
    scope.expect_live(0);

    scope.ignore_resource("i32", "a warm pool");
    scope.assert_clean();
    drop(scope.detector().resource("Other").track(()));
    let line = line!() - 1;
    let text = failure(|| scope.assert_clean());
    assert!(text.contains("1 lost (0 B) at 1 site, 0 live"), "{text}");
    assert!(text.contains("Ignored: 0 lost, 1 live, i32 created tests/scopes_verdict.rs:"), "{text}");
    assert!(text.contains(": a warm pool\n"), "{text}");
    scope.ignore_site(&format!("scopes_verdict.rs:{}", line - 1), "another line");
    failure(|| scope.assert_clean());
    scope.ignore_site(&format!("scopes_verdict.rs:{line}"), "lost on purpose");
    scope.assert_clean();
    drop(warm);
}

#[test]
fn a_late_release_is_waited_for_and_no_longer_than_it_takes() {
    let scope = LeakScope::new("late");
    assert_eq!(scope.assert_clean_within(Duration::from_secs(3_600)), Duration::ZERO);

    let handle = scope.detector().track(1);
    let (go, gone) = mpsc::channel::<()>();
    let releaser = thread::spawn(move || {
        gone.recv().unwrap();
        thread::sleep(Duration::from_millis(30));
        Tracked::release(handle);
    });
    failure(|| scope.assert_clean());
    go.send(()).unwrap();
    let waited = scope.assert_clean_within(Duration::from_secs(60));
    assert!(waited >= Duration::from_millis(1) && waited < Duration::from_secs(30), "{waited:?}");
    releaser.join().unwrap();

    let held = scope.detector().watch(1);
    let text = failure(|| scope.assert_clean_within(Duration::from_millis(20)));
    assert!(text.contains("1 live (0 B) at 1 site, after "), "{text}");
    drop(held);
    // What is lost does not come back.
    drop(scope.detector().track(1));
    let started = Instant::now();
    failure(|| scope.assert_clean_within(Duration::from_secs(3_600)));
    assert!(started.elapsed() < Duration::from_secs(60));
}

#[test]
fn a_scope_that_was_never_asked_asks_itself() {
    let clean = LeakScope::new("clean");
    Tracked::release(clean.detector().track(1));
    drop(clean);

    let scope = LeakScope::new("never asked");
    drop(scope.detector().track(1));
    assert!(failure(|| drop(scope)).starts_with("leak scope 'never asked' is not clean: 1 lost"));

    let scope = LeakScope::new("asked");
    drop(scope.detector().track(1));
    failure(|| scope.assert_clean());
    drop(scope);
}

#[test]
fn the_first_panic_is_the_one_that_is_seen() {
    for n in 0..2 {
        let panicked = failure(|| {
            let scope = LeakScope::new("unwinding");
            let _handle = (n == 0).then(|| scope.detector().track(1));
            let _lost = scope.detector().track(2);
            panic!("the test's own panic, number {n}");
        });
        assert_eq!(panicked, format!("the test's own panic, number {n}"));
    }
    assert_eq!(failure(|| check(|scope| panic!("first in {}", scope.name()))).split(' ').next(), Some("first"));
}

#[test]
fn check_enters_waits_and_gives_back_what_the_test_returns() {
    let answer = check(|scope| {
        assert!(scope.name().starts_with("tests/scopes_verdict.rs:"), "{}", scope.name());
        let late = leaktrail::track(42);
        let answer = *late;
        thread::spawn(move || {
            thread::sleep(Duration::from_millis(10));
            Tracked::release(late);
        });
        assert_eq!(scope.detector().snapshot().live(), 1);
        answer
    });
    assert_eq!(answer, 42);
    let line = line!() + 1;
    let text = failure(|| check(|_| drop(leaktrail::track(1))));
    assert!(text.starts_with(&format!("leak scope 'tests/scopes_verdict.rs:{line}:")), "{text}");
}

#[test]
fn a_scope_whose_detector_was_switched_off_does_not_pass() {
    let scope = LeakScope::new("blind");
    scope.detector().set_level(Level::Disabled);
    drop(scope.detector().track(1));
    let text = failure(|| scope.assert_clean());
    assert!(text.contains("its detector was switched off, so it cannot tell"), "{text}");
    scope.detector().set_level(Level::Paranoid);
    scope.assert_clean();
}

#[test]
fn a_name_forges_no_line() {
    let scope = LeakScope::new("a\nLEAK: forged");
    drop(scope.detector().track(1));
    let text = failure(|| scope.assert_clean());
    assert!(!text.contains("\nLEAK: forged"), "{text}");
}

/// A test may share a scope between its threads, and look at it after a panic that it caught.
#[test]
fn a_scope_goes_where_a_test_needs_it() {
    fn is_shared<T: Send + Sync + UnwindSafe + RefUnwindSafe>() {}
    is_shared::<LeakScope>();
    is_shared::<leaktrail::testing::ScopeHandle>();
    is_shared::<leaktrail::LeakDetector>();
}
