//! `shapes`: loses a handle below every kind of call, and says which frames its records have. Whatever walks the stack, what is
//! said has to be the same: `.ci/walkers` builds it in every way and compares.

use std::cell::RefCell;
use std::hint::black_box;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use leaktrail::{Config, LeakDetector, Level, ReportTo, Tracked};

/// Handles that are created and released at the end: enough for some walks to be compared with the unwinder.
const HANDLES: u64 = 100_000;

thread_local! {
    static DETECTOR: RefCell<Option<LeakDetector>> = const { RefCell::new(None) };
}

fn detector() -> LeakDetector {
    DETECTOR.with_borrow(|detector| detector.clone().expect("the thread has one"))
}

/// Loses a handle here.
#[inline(never)]
fn lose() {
    drop(black_box(detector().resource("Shape").track(7_u8)));
}

/// Loses a handle in a function that has so many bytes of room.
#[inline(never)]
fn sized<const BYTES: usize>(then: &dyn Fn()) {
    let mut room = [0_u8; BYTES];
    black_box(&mut room);
    then();
    black_box(&mut room);
}

#[inline(never)]
fn recursion(levels: u32, then: &dyn Fn()) -> u32 {
    if levels == 0 {
        then();
        return 0;
    }
    black_box(recursion(black_box(levels - 1), then)) + 1
}

#[cfg(unix)]
extern "C" fn compare(one: *const libc::c_void, other: *const libc::c_void) -> libc::c_int {
    lose();
    // SAFETY: `qsort` hands over two of the numbers.
    let one = unsafe { *one.cast::<i32>() };
    // SAFETY: as above.
    let other = unsafe { *other.cast::<i32>() };
    one.cmp(&other) as libc::c_int
}

struct LosesAtTheEnd;

impl Drop for LosesAtTheEnd {
    fn drop(&mut self) {
        lose();
    }
}

/// Runs one shape on a detector of its own and prints the frames of what it has lost.
fn shape(name: &str, run: &dyn Fn()) {
    let config = Config::new().level(Level::Paranoid).report(ReportTo::Off);
    let detector = LeakDetector::new(config);
    DETECTOR.set(Some(detector.clone()));
    let subscription = detector.subscribe({
        let name = name.to_owned();
        move |report| {
            for record in report.records() {
                for frame in record.frames() {
                    let module = frame.module().unwrap_or("?");
                    println!("{name}: {:?} {module}+{:#x}", record.access(), frame.offset());
                }
                println!("{name}: {:?} cut: {}", record.access(), record.is_truncated());
            }
        }
    });
    run();
    detector.flush();
    drop(subscription);
    DETECTOR.set(None);
}

/// Prints the line that says which walker the process has.
struct Echo;

impl log::Log for Echo {
    fn enabled(&self, _: &log::Metadata<'_>) -> bool {
        true
    }

    fn log(&self, record: &log::Record<'_>) {
        let text = record.args().to_string();
        if text.starts_with("stacks are walked by") {
            println!("{text}");
        }
    }

    fn flush(&self) {}
}

fn main() {
    log::set_logger(&Echo).expect("there is no other");
    log::set_max_level(log::LevelFilter::Debug);
    leaktrail::install(Config::new()).expect("it is the first use");
    shape("plain", &lose);
    shape("recursion", &|| assert_eq!(recursion(20, &lose), 20));
    shape("too deep", &|| assert_eq!(recursion(200, &lose), 200));
    shape("8 B", &|| sized::<8>(&lose));
    shape("136 B", &|| sized::<136>(&lose));
    shape("4 KiB", &|| sized::<4096>(&lose));
    shape("64 KiB", &|| sized::<65536>(&lose));
    shape("sort", &|| {
        let mut numbers = [3, 1, 2];
        numbers.sort_by(|one, other| {
            lose();
            one.cmp(other)
        });
    });
    #[cfg(unix)]
    shape("qsort", &|| {
        let mut numbers = [5, 3, 9];
        // SAFETY: the numbers, how many they are, how large each is, and how they are compared.
        unsafe { libc::qsort(numbers.as_mut_ptr().cast(), numbers.len(), size_of::<i32>(), Some(compare)) };
    });
    if cfg!(panic = "unwind") {
        shape("while unwinding", &|| {
            let caught = catch_unwind(AssertUnwindSafe(|| {
                let _loses = LosesAtTheEnd;
                resume_unwind(Box::new(7));
            }));
            black_box(caught.is_err());
        });
    }
    std::thread::Builder::new()
        .spawn(|| shape("thread", &lose))
        .expect("a thread can be started")
        .join()
        .expect("it ends");

    let detector = LeakDetector::new(Config::new().level(Level::Paranoid).report(ReportTo::Off));
    recursion(20, &|| {
        for number in 0..HANDLES {
            Tracked::release(detector.track(black_box(number)));
        }
    });
    println!("wrong walks: {}", detector.snapshot().discarded().walks());
}
