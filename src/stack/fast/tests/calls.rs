//! Every way in which a function comes to be called.

use std::cell::Cell;
use std::future::Future;
use std::hint::black_box;
use std::panic::{AssertUnwindSafe, catch_unwind, panic_any, resume_unwind};
use std::pin::Pin;
use std::task::{Context, Poll};

use super::agrees;

#[inline(never)]
fn recursion(levels: u32, then: &mut dyn FnMut()) -> u32 {
    if levels == 0 {
        then();
        return 0;
    }
    black_box(recursion(black_box(levels - 1), then)) + 1
}

#[test]
fn recursion_at_every_depth_also_beyond_the_room() {
    let shallow = agrees();
    for levels in [1, 2, 10, 30, 60, 100, 200] {
        recursion(levels, &mut || {
            assert!(agrees() >= shallow.min(150));
        });
    }
}

trait Shape {
    fn visit(&self, then: &dyn Fn());
}

struct Square<const N: usize>;

impl<const N: usize> Shape for Square<N> {
    #[inline(never)]
    fn visit(&self, then: &dyn Fn()) {
        let room = black_box([N; N]);
        then();
        black_box(room);
    }
}

#[inline(never)]
fn generic<T: Shape, F: FnOnce()>(shape: &T, then: F) {
    let then = Cell::new(Some(then));
    shape.visit(&|| then.take().expect("called once")());
    black_box(());
}

#[test]
fn closures_generics_and_dyn() {
    let shapes: [Box<dyn Shape>; 3] = [Box::new(Square::<1>), Box::new(Square::<17>), Box::new(Square::<300>)];
    for shape in &shapes {
        shape.visit(&|| {
            agrees();
        });
    }
    generic(&Square::<2>, || {
        generic(&Square::<3>, || {
            agrees();
        })
    });
    let boxed: Box<dyn FnOnce() -> usize> = Box::new(agrees);
    assert!(boxed() > 2);
    let mut numbers = [3, 1, 2];
    numbers.sort_by(|one, other| {
        agrees();
        one.cmp(other)
    });
}

/// Frames from a few words to more than 64 KiB, in functions of their own.
#[test]
fn frames_of_every_size() {
    #[inline(never)]
    fn with<const BYTES: usize>(then: &dyn Fn()) {
        // Not through `black_box` by value: unoptimized that is a second one.
        let mut room = [0_u8; BYTES];
        black_box(&mut room);
        then();
        black_box(&mut room);
    }
    let sizes: [fn(&dyn Fn()); 12] = [
        with::<0>,
        with::<8>,
        with::<24>,
        with::<100>,
        with::<128>,
        with::<136>,
        with::<1_000>,
        with::<4_096>,
        with::<5_000>,
        with::<32_768>,
        with::<65_536>,
        with::<70_000>,
    ];
    for outer in sizes {
        for inner in sizes {
            outer(&|| {
                inner(&|| {
                    agrees();
                })
            });
        }
    }
}

#[test]
fn threads_with_and_without_names_scoped_ones_and_their_ends() {
    struct AtTheEnd;
    impl Drop for AtTheEnd {
        fn drop(&mut self) {
            agrees();
        }
    }
    thread_local! {
        static LAST: Cell<Option<AtTheEnd>> = const { Cell::new(None) };
    }
    std::thread::spawn(|| {
        LAST.set(Some(AtTheEnd));
        agrees()
    })
    .join()
    .unwrap();
    std::thread::Builder::new().name("named".into()).stack_size(256 * 1024).spawn(agrees).unwrap().join().unwrap();
    std::thread::scope(|scope| {
        scope.spawn(agrees);
        scope.spawn(|| recursion(40, &mut || assert!(agrees() > 40)));
    });
}

/// A panic in flight: drops run on top of the unwinder's frames.
#[test]
fn drops_while_unwinding() {
    struct Walks<'a>(&'a Cell<u32>);
    impl Drop for Walks<'_> {
        fn drop(&mut self) {
            assert!(std::thread::panicking());
            agrees();
            self.0.set(self.0.get() + 1);
        }
    }
    #[inline(never)]
    fn unwinds(levels: u32, walked: &Cell<u32>) {
        let _walks = Walks(walked);
        if levels == 0 {
            resume_unwind(Box::new(7));
        }
        unwinds(levels - 1, walked);
        black_box(());
    }
    let walked = Cell::new(0);
    assert!(catch_unwind(AssertUnwindSafe(|| unwinds(5, &walked))).is_err());
    assert_eq!(walked.get(), 6);

    let caught = catch_unwind(AssertUnwindSafe(|| {
        let _outer = Walks(&walked);
        let inner = catch_unwind(AssertUnwindSafe(|| {
            let _walks = Walks(&walked);
            resume_unwind(Box::new(8));
        }));
        resume_unwind(inner.expect_err("it panics"))
    }));
    assert_eq!((caught.is_err(), walked.get()), (true, 8));
    agrees();
}

/// In a panic's hook, above the frames of the panic itself. In a process of its own this would be the whole hook.
#[test]
fn in_the_payload_of_a_panic() {
    struct Payload;
    impl Drop for Payload {
        fn drop(&mut self) {
            agrees();
        }
    }
    let caught = std::thread::spawn(|| {
        drop(catch_unwind(|| panic_any(Payload)));
        agrees()
    });
    assert!(caught.join().is_ok());
}

/// A future that walks each time that it is polled, and waits in between.
struct Polled(u32);

impl Future for Polled {
    type Output = u32;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<u32> {
        agrees();
        if self.0 == 0 {
            return Poll::Ready(7);
        }
        self.0 -= 1;
        context.waker().wake_by_ref();
        Poll::Pending
    }
}

#[test]
fn tasks_on_one_thread_and_on_several() {
    async fn nested(levels: u32) -> u32 {
        if levels == 0 { Polled(3).await } else { Box::pin(nested(levels - 1)).await }
    }
    let one = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let several = tokio::runtime::Builder::new_multi_thread().worker_threads(2).build().unwrap();
    for runtime in [one, several] {
        let tasks: Vec<_> = (0..8).map(|levels| runtime.spawn(nested(levels))).collect();
        runtime.block_on(async {
            assert_eq!(nested(4).await, 7);
            for task in tasks {
                assert_eq!(task.await.unwrap(), 7);
            }
            assert!(tokio::task::spawn_blocking(agrees).await.unwrap() > 2);
        });
    }
}
