//! The bodies of the table under criterion, in thread CPU time: `cargo bench`, or `cargo bench -- 'one handle/SIMPLE'` for
//! work on one of them. The floors and peers of each group are in it.

use std::time::Duration;

use criterion::measurement::{Measurement, ValueFormatter, WallTime};
use criterion::{BenchmarkGroup, Criterion, criterion_group, criterion_main};
use leaktrail::{DirectMemory, LeakAware, Level, PooledAllocator, UnpooledAllocator};
use leaktrail_benches::bodies::{self, Body, detector, unsampled};
use leaktrail_benches::clock::cpu_ns;
use leaktrail_benches::deep;
use leaktrail_benches::peers::{Naive, backtrace, naive, std_backtrace, trace};

const LEVELS: [Level; 4] = [Level::Disabled, Level::Simple, Level::Advanced, Level::Paranoid];
const DEPTH: usize = 30;

/// Thread CPU time, shown as wall time is.
struct CpuTime(WallTime);

impl Measurement for CpuTime {
    type Intermediate = u64;
    type Value = Duration;

    fn start(&self) -> u64 {
        cpu_ns()
    }

    fn end(&self, start: u64) -> Duration {
        Duration::from_nanos(cpu_ns() - start)
    }

    fn add(&self, one: &Duration, other: &Duration) -> Duration {
        *one + *other
    }

    fn zero(&self) -> Duration {
        Duration::ZERO
    }

    fn to_f64(&self, value: &Duration) -> f64 {
        value.as_nanos() as f64
    }

    fn formatter(&self) -> &dyn ValueFormatter {
        self.0.formatter()
    }
}

fn bench(group: &mut BenchmarkGroup<'_, CpuTime>, name: &str, mut body: Body) {
    let frames = deep::missing(DEPTH);
    group.bench_function(name, |bencher| {
        bencher.iter_custom(|count| {
            let start = cpu_ns();
            deep::below(frames, &mut *body, count);
            Duration::from_nanos(cpu_ns() - start)
        });
    });
}

fn one_handle(criterion: &mut Criterion<CpuTime>) {
    let mut group = criterion.benchmark_group("one handle");
    bench(&mut group, "control, arithmetic", bodies::arithmetic());
    bench(&mut group, "floor, bare value", bodies::bare_value());
    bench(&mut group, "floor, BytesMut", bodies::bytes_mut());
    bench(&mut group, "floor, trace", trace());
    bench(&mut group, "peer, Mutex<HashMap>", naive(Naive::default()));
    bench(&mut group, "peer, Backtrace", backtrace());
    bench(&mut group, "peer, std Backtrace", std_backtrace());
    for level in LEVELS {
        bench(&mut group, &format!("{level}"), bodies::track(detector(level)));
        bench(&mut group, &format!("{level} watched"), bodies::watch(detector(level)));
        bench(&mut group, &format!("{level} named"), bodies::named(detector(level).resource("Permit")));
        bench(&mut group, &format!("{level} not sampled"), bodies::track(unsampled(level)));
    }
}

fn access(criterion: &mut Criterion<CpuTime>) {
    let mut group = criterion.benchmark_group("touch");
    bench(&mut group, "floor, trace", trace());
    for level in LEVELS {
        bench(&mut group, &format!("{level}"), bodies::touch(unsampled(level)));
    }
    bench(&mut group, "PARANOID with a hint", bodies::touch_with(detector(Level::Paranoid)));
}

fn buffers(criterion: &mut Criterion<CpuTime>) {
    let mut group = criterion.benchmark_group("buffer of 4 KiB");
    let plain = UnpooledAllocator::new(DirectMemory::with_limit(1 << 30));
    bench(&mut group, "floor, BytesMut", bodies::bytes_mut());
    bench(&mut group, "no detector", bodies::buffer(plain.clone()));
    for level in LEVELS {
        bench(&mut group, &format!("{level}"), bodies::buffer(LeakAware::new(plain.clone(), detector(level))));
    }
}

fn pooled(criterion: &mut Criterion<CpuTime>) {
    let pool = PooledAllocator::new(DirectMemory::with_limit(1 << 30));
    for (name, capacity) in [("pooled buffer of 4 KiB", 4 << 10), ("pooled buffer of 64 KiB", 64 << 10)] {
        let mut group = criterion.benchmark_group(name);
        bench(&mut group, "floor, BytesMut", bodies::bytes_mut_of(capacity));
        bench(&mut group, "no detector", bodies::buffer_of(capacity, pool.clone()));
        for level in LEVELS {
            let aware = LeakAware::new(pool.clone(), detector(level));
            bench(&mut group, &format!("{level}"), bodies::buffer_of(capacity, aware));
        }
    }
}

fn among_others(criterion: &mut Criterion<CpuTime>) {
    let mut group = criterion.benchmark_group("among others");
    for level in [Level::Simple, Level::Paranoid] {
        for live in [1, 256, 100_000] {
            bench(&mut group, &format!("{level} {live}"), bodies::among(live, detector(level)));
        }
    }
}

fn losses(criterion: &mut Criterion<CpuTime>) {
    let mut group = criterion.benchmark_group("a loss");
    for level in LEVELS {
        bench(&mut group, &format!("{level}"), bodies::lose(detector(level)));
    }
}

criterion_group! {
    name = handles;
    config = Criterion::default()
        .with_measurement(CpuTime(WallTime))
        .sample_size(30)
        .warm_up_time(Duration::from_millis(300))
        .measurement_time(Duration::from_secs(1));
    targets = one_handle, access, buffers, pooled, among_others, losses
}
criterion_main!(handles);
