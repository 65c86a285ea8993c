//! Reclaim hooks give memory back before anybody is refused, and harm nobody; a pool's books tell four figures apart.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;

use leaktrail::{Config, DirectMemory, LeakAware, LeakDetector, Reservation, UnpooledAllocator};

/// What keeps memory ready, and gives it back when asked.
#[derive(Clone, Default)]
struct Cache(Arc<Mutex<Vec<Reservation>>>);

impl Cache {
    fn keep(&self, reservation: Reservation) {
        self.0.lock().unwrap().push(reservation);
    }

    /// Gives back at least so many bytes, if it has them.
    fn give_back(&self, wanted: u64) -> u64 {
        let mut given_back = 0;
        while given_back < wanted {
            let Some(reservation) = self.0.lock().unwrap().pop() else { break };
            given_back += reservation.bytes();
        }
        given_back
    }
}

#[test]
fn hooks_give_back_what_is_missing_and_no_more() {
    let memory = DirectMemory::with_limit(1000);
    let (first, second) = (Cache::default(), Cache::default());
    for _ in 0..5 {
        first.keep(memory.try_reserve(100).unwrap());
        second.keep(memory.try_reserve(100).unwrap());
    }
    let asked = Arc::new(Mutex::new(Vec::new()));
    let attach = |name, cache: &Cache| {
        let (asked, cache) = (asked.clone(), cache.clone());
        memory.on_reclaim(move |wanted| {
            asked.lock().unwrap().push((name, wanted));
            cache.give_back(wanted)
        })
    };
    let _first = attach("first", &first);
    let _second = attach("second", &second);

    assert!(memory.try_reserve(1).is_err());
    assert_eq!(*asked.lock().unwrap(), [], "at once means without hooks");

    // The first has enough; the second is not asked.
    let held = memory.reserve(150).unwrap();
    assert_eq!(*asked.lock().unwrap(), [("first", 150)]);
    assert_eq!((memory.used(), memory.figures().given_back_by_hooks()), (950, 200));

    // What fits asks nobody.
    let more = memory.reserve(50).unwrap();
    assert_eq!(asked.lock().unwrap().len(), 1);

    // The first has 300 left, so the second is asked for the rest.
    let last = memory.reserve(350).unwrap();
    assert_eq!(asked.lock().unwrap()[1..], [("first", 350), ("second", 50)]);
    assert_eq!((memory.used(), memory.figures().given_back_by_hooks()), (950, 600));
    drop((held, more, last));
}

#[test]
fn a_hook_may_reserve_release_attach_and_detach() {
    let memory = DirectMemory::with_limit(1000);
    let cache = Cache::default();
    cache.keep(memory.try_reserve(900).unwrap());
    let calls = Arc::new(AtomicUsize::new(0));
    let hook = {
        let (memory, cache, calls) = (memory.clone(), cache.clone(), calls.clone());
        move |wanted| {
            calls.fetch_add(1, Ordering::Relaxed);
            // In a hook nothing runs hooks again and nothing waits.
            assert!(memory.reserve(500).is_err());
            assert!(memory.try_reserve(500).is_err());
            let given_back = cache.give_back(wanted);
            drop(memory.reserve(500).expect("it has come back"));
            drop(memory.on_reclaim(|_| 0));
            given_back
        }
    };
    let attached = memory.on_reclaim(hook);
    drop(memory.reserve(500).unwrap());
    assert_eq!((memory.used(), calls.load(Ordering::Relaxed)), (0, 1));

    drop(attached);
    let _held = memory.try_reserve(900).unwrap();
    assert!(memory.reserve(u64::MAX).is_err());
    assert_eq!(calls.load(Ordering::Relaxed), 1, "detached");
}

#[test]
fn a_hook_detaches_with_what_attached_it_or_never() {
    let memory = DirectMemory::with_limit(100);
    let cache = Cache::default();
    let kept = cache.clone();
    memory.on_reclaim(move |wanted| kept.give_back(wanted)).detach_never();
    cache.keep(memory.try_reserve(100).unwrap());
    drop(memory.reserve(100).unwrap());

    // What a hook holds is dropped with it.
    let held = Arc::new(());
    let inner = held.clone();
    let attached = memory.on_reclaim(move |_| Arc::strong_count(&inner) as u64);
    assert_eq!(Arc::strong_count(&held), 2);
    drop(attached);
    assert_eq!(Arc::strong_count(&held), 1);
    // A hook that outlives its budget.
    let attached = DirectMemory::with_limit(1).on_reclaim(|_| 0);
    drop(attached);
}

#[test]
fn a_hook_that_panics_is_not_called_again_and_harms_nobody() {
    let memory = DirectMemory::with_limit(1000);
    let cache = Cache::default();
    cache.keep(memory.try_reserve(1000).unwrap());
    let calls = Arc::new(AtomicU64::new(0));
    let counted = calls.clone();
    let _broken = memory.on_reclaim(move |_| {
        counted.fetch_add(1, Ordering::Relaxed);
        // As an assertion that fails, without its message on the test's output.
        std::panic::resume_unwind(Box::new("broken"));
    });
    let kept = cache.clone();
    let _works = memory.on_reclaim(move |wanted| kept.give_back(wanted));
    for _ in 0..3 {
        let reservation = memory.reserve(600).unwrap();
        cache.keep(reservation);
    }
    assert_eq!(calls.load(Ordering::Relaxed), 1);
    assert_eq!(memory.used(), 600);

    // Told once, when it can be told: by whoever joins a budget with a detector.
    log::set_logger(&LOGGED).expect("no other logger is installed");
    log::set_max_level(log::LevelFilter::Warn);
    for _ in 0..2 {
        let _allocator = LeakAware::new(UnpooledAllocator::new(memory.clone()), LeakDetector::new(Config::new()));
    }
    let warning = "WARN a reclaim hook panicked and is not asked again; its budget goes on without it";
    assert_eq!(*LOGGED.0.lock().unwrap(), [warning]);
}

struct Logged(Mutex<Vec<String>>);

static LOGGED: Logged = Logged(Mutex::new(Vec::new()));

impl log::Log for Logged {
    fn enabled(&self, _: &log::Metadata<'_>) -> bool {
        true
    }
    fn log(&self, record: &log::Record<'_>) {
        self.0.lock().unwrap().push(format!("{} {}", record.level(), record.args()));
    }
    fn flush(&self) {}
}

/// Several threads are inside hooks at once, and every byte comes back.
#[test]
fn threads_reclaim_beside_each_other() {
    let memory = DirectMemory::with_limit(1000);
    let cache = Cache::default();
    let kept = cache.clone();
    let _attached = memory.on_reclaim(move |wanted| kept.give_back(wanted));
    thread::scope(|scope| {
        for nth in 0..4_u64 {
            let (memory, cache) = (&memory, &cache);
            scope.spawn(move || {
                for round in 0..500 {
                    if let Ok(reservation) = memory.reserve((round * 37 + nth) % 250) {
                        cache.keep(reservation);
                    }
                    assert!(memory.used() <= 1000);
                }
            });
        }
    });
    cache.give_back(u64::MAX);
    assert_eq!((memory.used(), memory.reservations()), (0, 0));
}

#[test]
fn the_four_figures_add_up() {
    let memory = DirectMemory::with_limit(1 << 20);
    let chunk = memory.try_reserve(65_536).unwrap();
    let (one, other) = (memory.stock(), memory.stock());
    let figures = || {
        let figures = memory.figures();
        assert_eq!(figures.reserved(), figures.by_buffers() + figures.cached() + figures.overhead());
        (figures.reserved(), figures.by_buffers(), figures.cached(), figures.overhead())
    };
    assert_eq!(figures(), (65_536, 65_536, 0, 0));
    one.add_cached(60_000);
    other.add_overhead(36);
    assert_eq!(figures(), (65_536, 5_500, 60_000, 36));
    // What one arena cached another one takes.
    other.sub_cached(10_000);
    assert_eq!(figures(), (65_536, 15_500, 50_000, 36));
    other.sub_overhead(36);
    other.add_cached(10_000);
    drop(other);
    assert_eq!(figures(), (65_536, 5_536, 60_000, 0));
    // Books that say more than there is are not believed.
    one.add_cached(1 << 30);
    assert_eq!(figures(), (65_536, 0, 65_536, 0));
    drop(one);
    assert_eq!(figures(), (65_536, 65_536, 0, 0));
    drop(chunk);
    assert_eq!(figures(), (0, 0, 0, 0));
}
