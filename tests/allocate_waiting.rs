//! Buffers that are waited for: counted by the line that asked, refused with the time that was waited, and watched by a
//! monitor that names the line that grows.

mod rig;

use std::future::Future;
use std::panic::Location;
use std::pin::pin;
use std::sync::mpsc;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};
use std::thread;
use std::time::{Duration, Instant};

use leaktrail::{
    AllocError, BudgetedAllocator, ByteBufAllocator, ByteBufMut, DirectMemory, DropPolicy, LeakAware, Level,
    Reservation, UnpooledAllocator,
};
use rig::Rig;

/// Long enough for anything that is to happen at all.
const PATIENCE: Duration = Duration::from_secs(60);

fn poll<F: Future>(future: std::pin::Pin<&mut F>) -> Poll<F::Output> {
    future.poll(&mut Context::from_waker(Waker::noop()))
}

#[track_caller]
fn wait_until(what: impl Fn() -> bool) {
    let began = Instant::now();
    while !what() {
        assert!(began.elapsed() < PATIENCE, "it does not come");
        thread::sleep(Duration::from_micros(200));
    }
}

#[test]
fn a_refusal_after_waiting_says_how_long_and_at_once_does_not_wait() {
    let rig = Rig::new(Level::Simple, DropPolicy::Reclaim, 1000);
    let hoard = rig.filled(&[7; 900]);
    let (refused, line) = (rig.allocator.allocate_timeout(200, Duration::from_millis(20)).unwrap_err(), line!());
    let AllocError::Budget(refused) = refused else { panic!("{refused:?}") };
    assert!(refused.waited() >= Duration::from_millis(20));
    assert_eq!(refused.site().line(), line);
    let refusal = refused.holders().unwrap();
    assert_eq!((refusal.waited(), refusal.short_by(), refusal.holders().len()), (refused.waited(), 100, 1));
    let told = format!(", waited {} ms, 1 site holds references to 900 B", refused.waited().as_millis());
    assert!(refusal.to_string().contains(&told), "{refusal}");
    assert_eq!(rig.refusals().len(), 1, "listed once, when it is refused and not when it begins to wait");

    let AllocError::Budget(refused) = rig.allocator.allocate(200).unwrap_err() else { panic!("not the budget") };
    assert!(refused.waited().is_zero() && !refused.holders().unwrap().to_string().contains("waited"));
    // A task that gives up is told as much.
    let mut waiting = rig.allocator.allocate_async(200);
    assert!(poll(pin!(&mut waiting)).is_pending());
    thread::sleep(Duration::from_millis(2));
    let AllocError::Budget(refused) = waiting.give_up().unwrap_err() else { panic!("not the budget") };
    assert!(refused.waited() >= Duration::from_millis(2) && refused.holders().is_some());
    let mut waiting = rig.allocator.allocate_async(200);
    assert!(poll(pin!(&mut waiting)).is_pending());
    assert!(hoard.release());
    assert!(waiting.give_up().unwrap().release(), "it is there");
    let counts = rig.counts();
    assert_eq!(counts, (2, 2, 0, 0), "what was refused is not counted");
}

#[test]
fn a_buffer_that_was_waited_for_is_of_the_line_that_asked() {
    let rig = Rig::new(Level::Paranoid, DropPolicy::Reclaim, 1000);
    let first = rig.filled(&[7; 900]);
    let (future, line) = (rig.allocator.allocate_async(200), line!());
    let mut waiting = pin!(future);
    assert!(poll(waiting.as_mut()).is_pending());
    assert!(first.release());
    let Poll::Ready(Ok(buffer)) = poll(waiting.as_mut()) else { panic!("its turn") };
    drop(buffer);
    let lines: Vec<u32> = rig.reports().iter().map(|report| report.site().line()).collect();
    assert_eq!(lines, [line]);

    let (other, line) = (thread::scope(|scope| scope.spawn(|| waits_a_while(&rig)).join().unwrap()), waits_line());
    drop(other);
    assert!(rig.reports().iter().any(|report| report.site().line() == line));
    assert_eq!((rig.memory.used(), rig.memory.reservations()), (0, 0));
}

fn waits_line() -> u32 {
    line!() + 4
}

fn waits_a_while(rig: &Rig) -> ByteBufMut {
    rig.allocator.allocate_waiting(1000).unwrap()
}

#[test]
fn a_future_that_is_dropped_leaves_no_buffer_and_no_bytes() {
    let rig = Rig::new(Level::Simple, DropPolicy::Reclaim, 1000);
    let first = rig.filled(&[7; 900]);
    let mut given_up = Box::pin(rig.allocator.allocate_async(500));
    let mut next = Box::pin(rig.allocator.allocate_async(600));
    assert!(poll(given_up.as_mut()).is_pending() && poll(next.as_mut()).is_pending());
    assert!(first.release());
    assert_eq!(rig.memory.used(), 500, "taken for the first");
    drop(given_up);
    let Poll::Ready(Ok(buffer)) = poll(next.as_mut()) else { panic!("its turn") };
    assert!(buffer.release());
    assert_eq!((rig.counts(), rig.memory.used()), ((2, 2, 0, 0), 0));
}

#[test]
fn what_no_budget_holds_is_refused_at_once_and_the_system_refuses_as_ever() {
    let rig = Rig::new(Level::Simple, DropPolicy::Reclaim, 1000);
    for refused in [
        rig.allocator.allocate_waiting(1001).unwrap_err(),
        poll(pin!(rig.allocator.allocate_async(1001))).map(Result::unwrap_err).map(Some).unwrap_ready(),
    ] {
        let AllocError::Budget(refused) = refused else { panic!("{refused:?}") };
        assert!(refused.waited().is_zero() && refused.holders().is_some());
    }
    let memory = DirectMemory::unlimited();
    let system = UnpooledAllocator::new(memory.clone()).allocate_waiting(usize::MAX - 1).unwrap_err();
    assert!(matches!(system, AllocError::System { .. }), "{system:?}");
    assert_eq!(memory.used(), 0, "what was reserved is given back");
}

/// For a future that has to be ready.
trait UnwrapReady<T> {
    fn unwrap_ready(self) -> T;
}

impl<T> UnwrapReady<T> for Poll<Option<T>> {
    fn unwrap_ready(self) -> T {
        match self {
            Poll::Ready(Some(value)) => value,
            _ => panic!("it is pending"),
        }
    }
}

/// Each way to an allocator reports the line that asked.
#[test]
fn the_line_that_asked_is_known_through_every_pointer() {
    struct Wrapper(UnpooledAllocator);
    impl ByteBufAllocator for Wrapper {
        fn allocate(&self, capacity: usize) -> Result<ByteBufMut, AllocError> {
            self.0.allocate(capacity)
        }
    }
    impl BudgetedAllocator for Wrapper {
        fn memory(&self) -> &DirectMemory {
            self.0.memory()
        }
        fn bytes_for(&self, capacity: usize) -> u64 {
            2 * capacity as u64
        }
        fn allocate_from(
            &self,
            reservation: Reservation,
            capacity: usize,
            location: &'static Location<'static>,
        ) -> Result<ByteBufMut, AllocError> {
            assert_eq!(reservation.bytes(), 2 * capacity as u64);
            self.0.allocate_from(reservation, capacity, location)
        }
    }
    #[track_caller]
    fn assert_here(result: Result<ByteBufMut, AllocError>) {
        let Err(AllocError::Budget(error)) = result else { panic!("{result:?}") };
        assert_eq!((error.site().line(), error.requested()), (Location::caller().line(), 1002));
        assert!(error.site().file().ends_with("allocate_waiting.rs"), "{}", error.site());
    }
    let wrapper = || Wrapper(UnpooledAllocator::new(DirectMemory::with_limit(1000)));
    let plain = wrapper();
    let boxed: Box<dyn BudgetedAllocator> = Box::new(wrapper());
    let counted: Arc<dyn BudgetedAllocator> = Arc::new(wrapper());
    assert_here(plain.allocate_waiting(501));
    assert_here(boxed.allocate_waiting(501));
    assert_here(counted.allocate_timeout(501, Duration::ZERO));
    assert_here(poll(pin!(counted.allocate_async(501))).map(Some).unwrap_ready());
    assert_here(poll(pin!(boxed.allocate_async(501))).map(Some).unwrap_ready());
    let by_reference = &plain;
    assert_here(poll(pin!(BudgetedAllocator::allocate_async(&by_reference, 501))).map(Some).unwrap_ready());
    assert!(counted.allocate_waiting(500).unwrap().release());
}

/// A line that only ever takes is named, with what each of its buffers has.
#[test]
fn the_monitor_names_the_line_that_grows() {
    let rig = Rig::new(Level::Simple, DropPolicy::Release, 1 << 20);
    let steady = rig.filled(&[7; 10_000]);
    let (samples, told) = mpsc::channel();
    let hoard = Arc::new(Mutex::new(Vec::new()));
    let allocator: LeakAware<UnpooledAllocator> = rig.allocator.clone();
    let kept = hoard.clone();
    let line = line!() + 4;
    // The sink itself takes one buffer more at each sample, so that nothing depends on how fast anybody is.
    let monitor = rig.allocator.monitor(Duration::from_millis(1), move |sample| {
        let _ = samples.send(sample.clone());
        kept.lock().unwrap().push(allocator.allocate(1024).expect("there is room for all of them"));
    });
    let climbing = told.iter().find(|sample| sample.climb().is_some()).expect("it climbs for as long as it is watched");
    drop(monitor);
    let climb = climbing.climb().unwrap();
    let holder = climb.holder().expect("a leak-aware allocator knows");
    assert_eq!((climb.samples(), climb.bytes_per_holder(), holder.site().line()), (60, 1024, line));
    let words = format!("; up in each of the last 60 samples, 1024 B per ByteBuf created at {}", holder.site());
    assert!(climbing.to_string().ends_with(&words), "{climbing}");
    assert!(climbing.to_string().starts_with("used 71440 of 1048576 B, live 61, growth +1024 B"), "{climbing}");

    // Stopped: the sink is gone, and with it what it held.
    wait_until(|| Arc::strong_count(&hoard) == 1);
    hoard.lock().unwrap().drain(..).for_each(|buffer| assert!(buffer.release()));
    assert!(steady.release());
    rig.assert_all_came_back();
}

#[test]
fn a_monitor_ends_with_its_sink_and_may_be_dropped_by_it() {
    let memory = DirectMemory::with_limit(1000);
    let monitor = memory.monitor(PATIENCE, |_| std::panic::resume_unwind(Box::new("a sink that panics")));
    wait_until(|| !monitor.is_running());
    drop(monitor);

    let own = Arc::new(Mutex::new(None));
    let (inner, (calls, called)) = (own.clone(), mpsc::channel());
    let monitor = memory.monitor(Duration::from_millis(1), move |_| {
        drop(inner.lock().unwrap().take());
        let _ = calls.send(());
    });
    *own.lock().unwrap() = Some(monitor);
    wait_until(|| own.lock().unwrap().is_none());
    // It ends, so the channel does.
    while called.recv().is_ok() {}
}
