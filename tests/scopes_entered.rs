//! Where the global detector stands for a scope's: on the threads that entered it, through every clone, until they leave.

use std::cell::RefCell;
use std::sync::mpsc;
use std::thread;

use leaktrail::testing::{LeakScope, ScopeHandle};
use leaktrail::{
    AllocError, ByteBufAllocator, Config, DirectMemory, DropPolicy, LeakAware, LeakDetector, Level, Tracked,
    UnpooledAllocator, watch_bytes,
};

fn created(scope: &LeakScope) -> u64 {
    scope.detector().snapshot().created()
}

#[test]
fn whatever_came_from_the_global_detector_opens_in_the_scope() {
    let scope = LeakScope::new("through any clone");
    let clone = LeakDetector::global().clone();
    let resource = clone.resource("Kept").bytes(10);
    let allocator = LeakAware::new(UnpooledAllocator::new(DirectMemory::unlimited()), clone.clone());
    let from_before = clone.resource("Before").track(());

    let entered = scope.enter();
    Tracked::release(leaktrail::track(1));
    Tracked::release(clone.track(2));
    drop(clone.watch(3));
    Tracked::release(resource.track(4));
    allocator.allocate(64).unwrap().release();
    drop(watch_bytes(bytes::Bytes::from_static(b"five")));
    assert_eq!(created(&scope), 6);
    // A handle stays where it was opened.
    Tracked::release(from_before);
    assert_eq!((created(&scope), scope.detector().snapshot().released()), (6, 6));
    drop(entered);

    drop(clone.watch(7));
    assert_eq!(created(&scope), 6);
    scope.assert_clean();
}

#[test]
fn what_reads_and_tells_answers_for_the_scope() {
    let scope = LeakScope::new("reads");
    let global = LeakDetector::global();
    let entered = scope.enter();
    let handle = global.resource("Connection").bytes(7).watch(());
    assert_eq!(global.level(), Level::Paranoid);
    assert_eq!(global.snapshot().created(), 1);
    assert_eq!(global.holders("Connection")[0].live_bytes(), 7);

    let (say, said) = mpsc::channel();
    let subscription = global.subscribe(move |report| say.send(report.resource().to_owned()).unwrap());
    drop(global.resource("Lost").track(()));
    global.flush();
    assert_eq!(said.try_iter().collect::<Vec<_>>(), ["Lost"]);
    drop(subscription);

    // A refused reservation names who holds the memory here.
    let allocator = LeakAware::new(UnpooledAllocator::new(DirectMemory::with_limit(10)), global.clone());
    let held = allocator.allocate(8).unwrap();
    let Err(AllocError::Budget(refused)) = allocator.allocate(8) else { panic!("it fits") };
    let refusal = refused.holders().expect("a wrapped allocator says who holds the memory");
    assert!(format!("{refusal}").contains("ByteBuf created tests/scopes_entered.rs"), "{refusal}");
    held.release();

    // What sets is the global's own: code under test cannot blind its scope.
    global.set_level(global.level());
    drop(entered);
    assert!(global.holders("Connection").is_empty());
    drop(handle);
    scope.ignore_resource("Lost", "on purpose");
    scope.assert_clean();
}

#[test]
fn guards_nest_and_may_be_dropped_in_any_order() {
    let [outer, inner] = ["outer", "inner"].map(LeakScope::new);
    let first = outer.enter();
    let second = inner.enter();
    drop(leaktrail::watch(()));
    drop(first);
    drop(leaktrail::watch(()));
    assert_eq!((created(&outer), created(&inner)), (0, 2));
    let third = outer.enter();
    drop(leaktrail::watch(()));
    drop(second);
    drop(leaktrail::watch(()));
    drop(third);
    drop(leaktrail::watch(()));
    assert_eq!((created(&outer), created(&inner)), (2, 2));
}

#[test]
fn a_scope_is_entered_on_its_thread_alone_and_carried_by_spawn_and_handle() {
    let scope = LeakScope::new("carried");
    let _entered = scope.enter();
    thread::spawn(|| drop(leaktrail::watch(()))).join().unwrap();
    assert_eq!(created(&scope), 0);

    let name = scope.spawn(|| {
        drop(leaktrail::watch(()));
        thread::current().name().map(str::to_owned)
    });
    assert_eq!(name.join().unwrap().as_deref(), Some("carried"));
    assert_eq!(created(&scope), 1);

    let handle = scope.handle();
    thread::scope(|threads| {
        threads.spawn(move || {
            let _entered = handle.enter();
            drop(leaktrail::watch(()));
        });
    });
    assert_eq!(created(&scope), 2);
    scope.assert_clean();
}

#[test]
fn a_report_names_no_stranger_where_a_scopes_rows_were() {
    let allocator = LeakAware::new(UnpooledAllocator::new(DirectMemory::unlimited()), LeakDetector::global().clone());
    let scope = LeakScope::new("gone");
    let entered = scope.enter();
    let (inside, inside_line) = (allocator.allocate(4).unwrap().freeze(), line!());
    drop(entered);
    let outside = inside.retain();
    inside.release();
    drop(scope);
    // Whoever comes next has the rows of the scope, which nothing is counted in any more; unless the reporter is
    // still at the scope, for as long as a pass takes: then its rows are its own, and may be named.
    let strangers = LeakDetector::new(Config::new());
    let handles = [strangers.watch([0_u8]), strangers.watch([1_u8])];

    let (say, said) = mpsc::channel();
    let subscription = LeakDetector::global().subscribe(move |report| say.send(report.clone()).unwrap());
    drop(outside);
    LeakDetector::global().flush();
    drop(subscription);
    let reports: Vec<_> = said.try_iter().filter(|report| report.resource() == "ByteBuf").collect();
    assert_eq!(reports.len(), 1, "{reports:?}");
    assert!(!reports[0].records().is_empty(), "the buffer has a family, so its references have trails");
    for reference in reports[0].references() {
        assert_eq!(reference.site().line(), inside_line, "a stranger: {}", reports[0]);
    }
    drop(handles);
}

#[test]
fn a_handle_that_a_threads_end_opens_and_one_that_it_drops_do_no_harm() {
    struct AtTheEnd {
        scope: ScopeHandle,
        _handle: Tracked<u8>,
    }
    impl Drop for AtTheEnd {
        fn drop(&mut self) {
            let _entered = self.scope.enter();
            drop(leaktrail::watch(()));
        }
    }
    thread_local! {
        static LATE: RefCell<Option<AtTheEnd>> = const { RefCell::new(None) };
    }

    let scope = LeakScope::new("a thread's end");
    let handle = scope.handle();
    let worker = scope.spawn(move || {
        let late = AtTheEnd { scope: handle, _handle: leaktrail::track(1) };
        LATE.try_with(|place| place.replace(Some(late))).map(drop).unwrap();
    });
    worker.join().unwrap();
    let seen = scope.detector().snapshot();
    // The one that was opened before is lost with its thread; the one from the end is the scope's or the global's.
    assert_eq!((seen.leaked(), seen.live()), (1, 0), "{seen}");
    scope.ignore_resource("u8", "lost at the thread's end, on purpose");
    scope.assert_clean();
}

#[test]
fn a_buffer_from_outside_is_counted_by_reference_where_each_was_made() {
    let scope = LeakScope::new("references");
    let global = LeakDetector::global().clone();
    let allocator =
        LeakAware::new(UnpooledAllocator::new(DirectMemory::unlimited()), global).drop_policy(DropPolicy::Reclaim);
    let outside = allocator.allocate(4).unwrap().freeze();
    let entered = scope.enter();
    let inside = outside.retain();
    drop(entered);
    outside.release();
    assert_eq!(scope.detector().snapshot().live(), 1);
    inside.release();
    scope.assert_clean();
}
