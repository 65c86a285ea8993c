//! Who waits for bytes is served in turn, is told when it is not, and leaves nothing behind.

use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Wake, Waker};
use std::thread;
use std::time::{Duration, Instant};

use leaktrail::{DirectMemory, OutOfDirectMemory, Reservation, Reserving};

/// Long enough for anything that is to happen at all.
const PATIENCE: Duration = Duration::from_secs(60);

#[track_caller]
fn wait_until(what: impl Fn() -> bool) {
    let began = Instant::now();
    while !what() {
        assert!(began.elapsed() < PATIENCE, "it does not come");
        thread::sleep(Duration::from_micros(200));
    }
}

fn poll(future: &mut Pin<&mut Reserving>) -> Poll<Result<Reservation, OutOfDirectMemory>> {
    future.as_mut().poll(&mut Context::from_waker(Waker::noop()))
}

fn assert_nothing_is_out(memory: &DirectMemory) {
    let figures = memory.figures();
    assert_eq!((figures.reserved(), figures.reservations(), figures.waiting()), (0, 0, 0), "{memory:?}");
}

#[test]
fn nine_pauses_and_then_the_error() {
    let memory = DirectMemory::with_limit(1000);
    let held = memory.try_reserve(900).unwrap();
    let (refused, line) = (memory.reserve(200).unwrap_err(), line!());
    assert!(refused.waited() >= Duration::from_millis(511), "{:?}", refused.waited());
    assert_eq!((refused.requested(), refused.used(), refused.kept(), refused.site().line()), (200, 900, 0, line));
    assert_eq!(refused.to_string(), "failed to allocate 200 byte(s) of direct memory (used: 900, max: 1000)");
    let waited = refused.waited().as_millis();
    assert_eq!(format!("{refused:#}"), format!("{refused}\nwaited {waited} ms"));
    let figures = memory.figures();
    assert_eq!((figures.refusals(), figures.waited().count()), (1, 1));
    drop(held);
    assert_nothing_is_out(&memory);
}

#[test]
fn what_can_never_fit_does_not_wait() {
    let memory = DirectMemory::with_limit(1000);
    assert_eq!(memory.reserve(1001).unwrap_err().waited(), Duration::ZERO);
    memory.try_reserve(600).unwrap().abandon();
    assert_eq!(memory.reserve(401).unwrap_err().waited(), Duration::ZERO);
    assert_eq!(memory.reserve(u64::MAX).unwrap_err().abandoned(), 600);
    assert!(matches!(poll(&mut pin!(memory.reserve_async(401))), Poll::Ready(Err(_))));
    assert_eq!(memory.figures().waited().count(), 0);
    assert_eq!(memory.reserve(400).unwrap().bytes(), 400);

    // Who waits already is told as soon as it can never be: by who abandons, there is nobody else here.
    let other = DirectMemory::with_limit(100);
    let held = other.try_reserve(80).unwrap();
    let mut alone = pin!(other.reserve_async(50));
    assert!(poll(&mut alone).is_pending());
    held.abandon();
    assert!(matches!(poll(&mut alone), Poll::Ready(Err(_))));

    let held = memory.try_reserve(300).unwrap();
    thread::scope(|scope| {
        let thread = scope.spawn(|| memory.reserve_timeout(200, PATIENCE).unwrap_err());
        let mut task = pin!(memory.reserve_async(300));
        wait_until(|| memory.figures().waiting() == 1);
        assert!(poll(&mut task).is_pending());
        held.abandon();
        assert_eq!(thread.join().unwrap().abandoned(), 900);
        let Poll::Ready(Err(refused)) = poll(&mut task) else { panic!("300 of 100") };
        assert_eq!((refused.requested(), refused.used(), refused.limit()), (300, 900, Some(1000)));
    });
}

#[test]
fn first_in_first_out() {
    const WAITERS: usize = 8;
    let memory = DirectMemory::with_limit(100);
    let held = memory.try_reserve(100).unwrap();
    let order = Mutex::new(Vec::new());
    thread::scope(|scope| {
        for nth in 0..WAITERS {
            let (memory, order) = (&memory, &order);
            scope.spawn(move || {
                // One at a time fits, so the next is not served before this one is entered and gone.
                let reservation = memory.reserve_timeout(60, PATIENCE).unwrap();
                order.lock().unwrap().push(nth);
                drop(reservation);
            });
            wait_until(|| memory.figures().waiting() == nth as u64 + 1);
        }
        // A small one that comes last waits behind them.
        let mut small = pin!(memory.reserve_async(1));
        assert!(poll(&mut small).is_pending());
        drop(held);
        wait_until(|| order.lock().unwrap().len() == WAITERS);
        assert!(poll(&mut small).is_ready());
    });
    assert_eq!(order.into_inner().unwrap(), (0..WAITERS).collect::<Vec<_>>());
    assert_nothing_is_out(&memory);
}

/// Small requests without end, of which there is always one out, do not keep a large one from being served.
#[test]
fn a_large_one_is_not_overtaken_for_ever() {
    let memory = DirectMemory::with_limit(1000);
    let done = AtomicBool::new(false);
    let small_ones = AtomicUsize::new(0);
    thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                let mut held = None;
                while !done.load(Ordering::Relaxed) {
                    // The one before is held until there is a next, so without keeping nothing would ever be free.
                    match memory.try_reserve(200) {
                        Ok(next) => {
                            held = Some(next);
                            small_ones.fetch_add(1, Ordering::Relaxed);
                        }
                        Err(refused) => {
                            assert!(refused.used() + refused.kept() + 200 > 1000, "{refused:?}");
                            held = None;
                        }
                    }
                    thread::yield_now();
                }
                drop(held);
            });
        }
        wait_until(|| small_ones.load(Ordering::Relaxed) > 100);
        for _ in 0..10 {
            assert_eq!(memory.reserve_timeout(1000, PATIENCE).unwrap().bytes(), 1000);
        }
        done.store(true, Ordering::Relaxed);
    });
    assert_nothing_is_out(&memory);
}

#[test]
fn bytes_are_kept_for_the_first_in_line() {
    let memory = DirectMemory::with_limit(100);
    let held = memory.try_reserve(60).unwrap();
    let mut large = pin!(memory.reserve_async(50));
    assert!(poll(&mut large).is_pending());
    // After a while; until then 40 are free for all.
    wait_until(|| memory.try_reserve(1).is_err());
    let refused = memory.try_reserve(1).unwrap_err();
    assert_eq!((refused.used(), refused.kept()), (60, 50));
    assert_eq!(format!("{refused:#}"), format!("{refused}\n50 B kept for who has waited longest"));
    assert_eq!(memory.try_reserve(0).unwrap().bytes(), 0, "nothing always fits");
    drop(held);
    assert_eq!(memory.used(), 50, "taken on its behalf");
    let Poll::Ready(Ok(reservation)) = poll(&mut large) else { panic!("its turn") };
    assert_eq!(memory.try_reserve(50).unwrap().bytes() + reservation.bytes(), 100, "nothing is kept any more");
}

#[test]
fn a_future_that_is_dropped_holds_nothing_and_wakes_the_next() {
    #[derive(Default)]
    struct Count(AtomicUsize);
    impl Wake for Count {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }
    let memory = DirectMemory::with_limit(100);
    let held = memory.try_reserve(100).unwrap();
    let mut first = Box::pin(memory.reserve_async(80));
    let mut second = Box::pin(memory.reserve_async(80));
    let woken = Arc::new(Count::default());
    assert!(poll(&mut first.as_mut()).is_pending());
    let waker = Waker::from(woken.clone());
    assert!(second.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
    assert!(second.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
    assert_eq!(memory.figures().waiting(), 2);
    drop(held);
    assert_eq!((memory.used(), woken.0.load(Ordering::Relaxed)), (80, 0), "the first one's");
    drop(first);
    assert_eq!((memory.used(), woken.0.load(Ordering::Relaxed)), (80, 1), "the second one's");
    drop(second);
    assert_nothing_is_out(&memory);

    // The first of those who are still in the line leaves: the next may fit.
    let _held = memory.try_reserve(50).unwrap();
    let mut large = Box::pin(memory.reserve_async(60));
    let mut small = Box::pin(memory.reserve_async(50));
    assert!(poll(&mut large.as_mut()).is_pending() && poll(&mut small.as_mut()).is_pending());
    drop(large);
    assert!(poll(&mut small.as_mut()).is_ready());
    // A future that was never polled is in no line.
    drop(memory.reserve_async(1000));
    assert_eq!(memory.figures().waited().count(), 4);
}

/// What wakes a task is code of the user's: it runs without a lock of ours, and its panic goes no further.
#[test]
fn a_waker_may_ask_the_budget_and_may_panic() {
    struct Asks(DirectMemory, Mutex<Option<(bool, u64)>>);
    impl Wake for Asks {
        fn wake(self: Arc<Self>) {
            // Kept and not asserted: a panic in here is what goes no further.
            *self.1.lock().unwrap() = Some((self.0.try_reserve(1).is_ok(), self.0.figures().waiting()));
            resume_unwind(Box::new("a waker that panics"));
        }
    }
    let memory = DirectMemory::with_limit(100);
    let held = memory.try_reserve(100).unwrap();
    let mut waiting = pin!(memory.reserve_async(50));
    let asks = Arc::new(Asks(memory.clone(), Mutex::new(None)));
    let waker = Waker::from(asks.clone());
    assert!(waiting.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
    drop(held);
    assert_eq!(*asks.1.lock().unwrap(), Some((true, 0)));
    assert!(matches!(poll(&mut waiting), Poll::Ready(Ok(_))));
    assert_nothing_is_out(&memory);
}

/// Threads that panic, with what they hold and in the middle of waiting, give it to who waits.
#[test]
fn what_a_panic_unwinds_over_is_given_to_who_waits() {
    let memory = DirectMemory::with_limit(100);
    thread::scope(|scope| {
        let held = memory.try_reserve(100).unwrap();
        let waiting = scope.spawn(|| memory.reserve_timeout(100, PATIENCE).unwrap().bytes());
        wait_until(|| memory.figures().waiting() == 1);
        let memory = &memory;
        let panic = catch_unwind(AssertUnwindSafe(move || {
            let mut behind = pin!(memory.reserve_async(10));
            assert!(poll(&mut behind).is_pending());
            let _held = held;
            resume_unwind(Box::new(()));
        }));
        assert!(panic.is_err());
        assert_eq!(waiting.join().unwrap(), 100);
    });
    assert_nothing_is_out(&memory);
}

/// What has got into a cache while somebody waits is asked for again, by the first in line.
#[test]
fn hooks_are_asked_again_by_who_waits() {
    let memory = DirectMemory::with_limit(100);
    let cache = Arc::new(Mutex::new(Vec::new()));
    let asked = Arc::new(AtomicUsize::new(0));
    let (kept, count, budget) = (cache.clone(), asked.clone(), memory.clone());
    let _attached = memory.on_reclaim(move |_| {
        assert!(count.fetch_add(1, Ordering::Relaxed) == 0 || budget.is_waited_for());
        let given_back: Vec<Reservation> = std::mem::take(&mut *kept.lock().unwrap());
        given_back.iter().map(Reservation::bytes).sum()
    });
    let busy = memory.try_reserve(100).unwrap();
    thread::scope(|scope| {
        let waiting = scope.spawn(|| memory.reserve_timeout(100, PATIENCE).unwrap());
        wait_until(|| asked.load(Ordering::Relaxed) > 1);
        // A buffer comes back, and the pool keeps its memory.
        cache.lock().unwrap().push(busy);
        assert_eq!(waiting.join().unwrap().bytes(), 100);
    });
    assert_nothing_is_out(&memory);
    assert!(!memory.is_waited_for());
}

#[test]
fn a_child_waits_for_its_own_limit_in_nobodys_way() {
    let memory = DirectMemory::with_limit(1000);
    let (one, other) = (memory.child("one", 300), memory.child("other", 800));
    let full = one.try_reserve(300).unwrap();
    let mut waiting = pin!(one.reserve_async(200));
    assert!(poll(&mut waiting).is_pending());
    // Long enough for its bytes to be kept: at its own budget, and nowhere else.
    wait_until(|| one.try_reserve(0).is_ok() && one.try_reserve(1).is_err_and(|refused| refused.kept() == 200));
    assert_eq!(other.reserve(600).unwrap().bytes(), 600);
    assert_eq!(memory.try_reserve(700).unwrap().bytes(), 700);
    let figures = [&one, &other, &memory].map(|budget| (budget.used(), budget.figures().waiting()));
    assert_eq!(figures, [(300, 1), (0, 0), (300, 1)]);

    // Its own limit has room now, and the parent has none: there it is in everybody's way.
    let rest = memory.try_reserve(700).unwrap();
    drop(full);
    let Poll::Ready(Ok(served)) = poll(&mut waiting) else { panic!("300 are free in both") };
    let mut waiting = pin!(other.reserve_async(200));
    assert!(poll(&mut waiting).is_pending());
    wait_until(|| one.try_reserve(1).is_err());
    let refused = one.try_reserve(1).unwrap_err();
    assert_eq!((refused.budget(), refused.used(), refused.kept()), ("direct memory", 900, 200));
    drop(rest);
    assert!(matches!(poll(&mut waiting), Poll::Ready(Ok(_))));
    drop(served);
    for budget in [&one, &other, &memory] {
        assert_nothing_is_out(budget);
    }
    let refused = one.try_reserve(301).unwrap_err();
    assert_eq!((one.name(), refused.budget(), refused.limit()), ("one", "one", Some(300)));
    assert_eq!(format!("{refused:#}"), format!("{refused}\nlimit of budget one"));
}

#[test]
fn grandchildren_pay_at_every_budget_above() {
    let memory = DirectMemory::with_limit(1000);
    let child = memory.child("child", 500);
    let grandchild = child.child("grandchild", u64::MAX);
    let reservation = grandchild.try_reserve(400).unwrap();
    let used = || [&memory, &child, &grandchild].map(|budget| (budget.used(), budget.peak(), budget.reservations()));
    assert_eq!(used(), [(400, 400, 1); 3]);
    assert_eq!(grandchild.try_reserve(101).unwrap_err().budget(), "child");
    assert_eq!(used(), [(400, 400, 1); 3], "a refusal changes nothing anywhere");
    reservation.abandon();
    assert_eq!(used(), [(400, 400, 0); 3]);
    assert_eq!([&memory, &child, &grandchild].map(DirectMemory::abandoned), [400; 3]);
    assert_eq!([&memory, &child, &grandchild].map(|budget| budget.figures().refusals()), [1; 3]);
    let stock = grandchild.stock();
    stock.add_cached(100);
    assert_eq!([&memory, &child, &grandchild].map(|budget| budget.figures().cached()), [100; 3]);
    drop(child);
    assert_eq!(grandchild.try_reserve(101).unwrap_err().budget(), "child", "a child keeps its parent");
}
