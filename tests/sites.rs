//! What the site of a handle is: the call, seen through whatever lies between it and the detector.
#![allow(clippy::duplicate_mod, reason = "one place in two modules is what a test here is about")]

mod observed;

use std::panic::Location;
use std::sync::Arc;

use leaktrail::{LeakDetector, Level, Origin, Resource, SiteStats, Tracked, Watched};
use observed::{Observed, detector};

/// The only row of a detector.
fn only_site(detector: &LeakDetector) -> SiteStats {
    let snapshot = detector.snapshot();
    assert_eq!(snapshot.sites().len(), 1, "{snapshot}");
    snapshot.sites()[0].clone()
}

/// Asserts that a detector's only row is of this file, this line.
#[track_caller]
fn assert_site(detector: &LeakDetector, line: u32) {
    let stats = only_site(detector);
    assert_eq!((stats.site().file(), stats.site().line()), ("tests/sites.rs", line));
}

fn simple() -> LeakDetector {
    detector(Level::Simple)
}

#[test]
fn a_site_is_the_call_to_the_line_and_column() {
    let detector = simple();
    let (handle, here) = (detector.track(1), Location::caller());
    let site = only_site(&detector);
    assert_eq!((site.site().line(), site.site().file()), (here.line(), "tests/sites.rs"));
    assert_eq!(site.site().to_string(), format!("tests/sites.rs:{}:{}", here.line(), site.site().column()));
    assert_eq!((site.resource(), site.origin()), ("i32", Origin::Created));
    Tracked::release(handle);

    // Two calls on one line are two sites.
    #[rustfmt::skip]
    drop((detector.watch("left"), detector.watch("right")));
    let columns: Vec<u32> =
        detector.snapshot().sites().iter().filter(|s| s.resource() == "&str").map(|s| s.site().column()).collect();
    assert_eq!(columns.len(), 2);
    assert_ne!(columns[0], columns[1]);
}

trait Pool {
    /// The attribute on the declaration makes a trait object report its caller.
    #[track_caller]
    fn check_out(&self) -> Watched<u8>;

    fn check_out_plainly(&self) -> Watched<u8>;
}

struct OneByte(LeakDetector);

const PLAIN_LINE: u32 = line!() + 8;

impl Pool for OneByte {
    fn check_out(&self) -> Watched<u8> {
        self.0.watch(1)
    }

    fn check_out_plainly(&self) -> Watched<u8> {
        self.0.watch(1)
    }
}

#[test]
fn through_a_trait_object_it_is_the_caller_if_the_declaration_says_so() {
    let detector = simple();
    let pool: Arc<dyn Pool> = Arc::new(OneByte(detector.clone()));
    let handle = pool.check_out();
    assert_site(&detector, line!() - 1);
    drop(handle);

    let detector = simple();
    let pool: Arc<dyn Pool> = Arc::new(OneByte(detector.clone()));
    drop(pool.check_out_plainly());
    assert_site(&detector, PLAIN_LINE);
}

fn generic<T>(detector: &LeakDetector, value: T) -> (Watched<T>, u32) {
    (detector.watch(value), line!())
}

#[test]
fn in_a_generic_function_it_is_the_line_within_one_row_for_all_its_instances() {
    let detector = simple();
    // The same resource name, so that only the site could tell them apart.
    fn named<T>(detector: &LeakDetector, value: T) -> (Watched<T>, u32) {
        (detector.resource("Anything").watch(value), line!())
    }
    let (_one, line) = named(&detector, 1_u8);
    let (_two, _) = named(&detector, "two");
    let (_three, _) = named(&detector, vec![3.0]);
    assert_site(&detector, line);
    assert_eq!(only_site(&detector).created(), 3);

    // By their types' names they are two rows at one place.
    let detector = simple();
    let (_one, line) = generic(&detector, 1_u8);
    let (_two, _) = generic(&detector, 2_u16);
    let snapshot = detector.snapshot();
    let mut rows: Vec<_> = snapshot.sites().iter().map(|stats| (stats.resource(), stats.site().line())).collect();
    rows.sort_unstable();
    assert_eq!(rows, [("u16", line), ("u8", line)]);
}

#[test]
fn in_a_closure_it_is_the_line_within() {
    let detector = simple();
    let open = || (detector.watch(1), line!());
    let (_one, line) = open();
    let (_two, _) = open();
    let boxed: Box<dyn Fn() -> (Watched<i32>, u32) + '_> = Box::new(open);
    let (_three, _) = boxed();
    assert_site(&detector, line);
    assert_eq!(only_site(&detector).live(), 3);
}

#[test]
fn in_an_async_fn_it_is_the_line_within_whoever_polls() {
    async fn open(detector: LeakDetector) -> (Watched<u8>, u32) {
        tokio::task::yield_now().await;
        let handle = (detector.watch(1), line!());
        tokio::task::yield_now().await;
        handle
    }
    let detector = simple();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).build().unwrap();
    let (_here, line) = runtime.block_on(open(detector.clone()));
    let (_there, _) = runtime.block_on(async { tokio::spawn(open(detector.clone())).await.unwrap() });
    assert_site(&detector, line);
    assert_eq!(only_site(&detector).live(), 2);
}

#[test]
fn a_future_that_is_dropped_loses_what_it_holds_and_names_its_line() {
    let detector = simple();
    let observed = Observed::of(&detector);
    let held = async {
        let line = line!() + 1;
        let _lost = detector.track(1);
        std::future::poll_fn(move |_| std::task::Poll::<()>::Pending).await;
        line
    };
    let mut held = Box::pin(held);
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    assert!(held.as_mut().poll(&mut context).is_pending());
    assert_eq!(detector.snapshot().live(), 1);
    drop(held);
    assert_eq!(detector.snapshot().leaked(), 1);
    assert_eq!(observed.only().site().file(), "tests/sites.rs");
}

#[track_caller]
fn wrapper(detector: &LeakDetector) -> Tracked<u8> {
    inner_wrapper(detector)
}

#[track_caller]
fn inner_wrapper(detector: &LeakDetector) -> Tracked<u8> {
    detector.track(1)
}

#[test]
fn through_track_caller_wrappers_it_is_whoever_called_the_outermost() {
    let detector = simple();
    let handle = wrapper(&detector);
    assert_site(&detector, line!() - 1);
    Tracked::release(handle);
}

#[test]
fn resource_at_names_the_place_by_hand() {
    struct Cache(Resource);
    impl Cache {
        #[track_caller]
        fn entry(&self) -> Watched<u8> {
            let caller = Location::caller();
            // In a closure the attribute is lost.
            let open = || self.0.clone().at(caller).watch(1);
            open()
        }
    }
    let detector = simple();
    let cache = Cache(detector.resource("Entry"));
    let entry = cache.entry();
    assert_site(&detector, line!() - 1);
    assert_eq!(only_site(&detector).resource(), "Entry");
    drop(entry);
}

#[test]
fn the_global_verbs_and_a_resource_name_their_caller() {
    let detector = simple();
    let resource = detector.resource("Page").bytes(4096);
    let page = resource.track(());
    assert_site(&detector, line!() - 1);
    Tracked::release(page);

    let _kept = (leaktrail::track(String::new()), leaktrail::watch(String::new()));
    let global = LeakDetector::global();
    if global.level() > Level::Disabled {
        let lines: Vec<u32> = global.snapshot().sites().iter().map(|stats| stats.site().line()).collect();
        assert_eq!(lines, [line!() - 4; 2]);
    }
    Tracked::release(_kept.0);
}

// One source file compiled twice: its places have the same text and two addresses, as a generic function has that several
// codegen units instantiate.
#[path = "sites_twice/maker.rs"]
mod first;
#[path = "sites_twice/maker.rs"]
mod second;

#[test]
fn equal_text_is_one_row_wherever_the_compiler_put_it() {
    let detector = simple();
    drop((first::make(&detector), second::make(&detector)));
    let stats = only_site(&detector);
    assert_eq!(stats.created(), 2);
    assert!(stats.site().file().ends_with("sites_twice/maker.rs"), "{}", stats.site());
    assert!(!std::ptr::eq(first::location(), second::location()) || first::location() == second::location());
}

#[test]
fn the_same_place_in_two_detectors_is_a_row_in_each() {
    let detectors = [simple(), simple()];
    for detector in &detectors {
        for _ in 0..3 {
            drop(detector.watch(()));
        }
    }
    let rows = detectors.map(|detector| only_site(&detector));
    assert_eq!((rows[0].created(), rows[1].created()), (3, 3));
    assert_eq!(rows[0].site(), rows[1].site());
}

#[test]
fn resources_are_named_after_their_types_or_as_they_are_told() {
    struct Connection<T>(T);
    let detector = simple();
    drop((
        detector.watch(Connection(Vec::<u8>::new())),
        detector.watch(Box::new(1)),
        detector.resource("Röhre").watch(()),
    ));
    let snapshot = detector.snapshot();
    let mut names: Vec<&str> = snapshot.sites().iter().map(SiteStats::resource).collect();
    names.sort_unstable();
    assert_eq!(names, ["Box", "Connection", "Röhre"]);
}
