//! Two threads at once, on a CPU each.

use std::hint::spin_loop;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::bodies::Body;
use crate::clock::{cpu_ns, pin, wall_ns};
use crate::deep;
use crate::rows::{median, say};

/// Batches of a run, before those are sorted out in which a thread had to wait.
const BATCHES: u64 = 1_200;
/// CPU time of one batch, about: short, so that most of them are not interrupted.
const BATCH_NS: u64 = 300_000;

struct Batch {
    begin: u64,
    end: u64,
    per_operation: f64,
    /// The share of the time in which the thread ran.
    running: f64,
}

/// Measures a body on one thread and on two at once, and says `NAME 1 thread`, `NAME 2 threads`.
///
/// `make` answers one thread's body, for every thread the same.
pub fn measure(name: &str, depth: usize, make: impl Fn() -> Body + Sync) {
    let mut probe = make();
    // The first operation may start what all others find.
    probe(1);
    let mut count = 64;
    loop {
        let start = cpu_ns();
        deep::below(deep::missing(depth), &mut *probe, count);
        if cpu_ns() - start > BATCH_NS {
            break;
        }
        count *= 2;
    }
    drop(probe);
    for threads in [1, 2] {
        let unit = if threads == 1 { "thread" } else { "threads" };
        say(&format!("{name} {threads} {unit}"), on(threads, depth, count, &make));
    }
}

/// The median of the batches in which all threads ran, and at the same time.
///
/// Where threads wait for a lock there is hardly such a batch: then it is the time on the wall, of those that overlapped.
fn on(threads: u64, depth: usize, count: u64, make: &(impl Fn() -> Body + Sync)) -> f64 {
    let arrived = AtomicU64::new(0);
    let runs: Vec<Vec<Batch>> = std::thread::scope(|scope| {
        let workers: Vec<_> = (0..threads)
            .map(|cpu| {
                scope.spawn({
                    let arrived = &arrived;
                    move || {
                        pin(cpu as usize);
                        batches(threads, depth, count, make(), arrived)
                    }
                })
            })
            .collect();
        workers.into_iter().map(|worker| worker.join().expect("a body does not panic")).collect()
    });
    let (mut kept, mut waiting) = (Vec::new(), Vec::new());
    for index in 0..BATCHES as usize {
        let together: Vec<&Batch> = runs.iter().map(|run| &run[index]).collect();
        let begin = together.iter().map(|batch| batch.begin).max().unwrap_or_default();
        let end = together.iter().map(|batch| batch.end).min().unwrap_or_default();
        let longest = together.iter().map(|batch| batch.end - batch.begin).max().unwrap_or_default();
        let overlap = end.saturating_sub(begin) as f64 / longest as f64;
        if overlap > 0.9 && together.iter().all(|batch| batch.running > 0.95) {
            kept.extend(together.iter().map(|batch| batch.per_operation));
        } else if overlap > 0.7 {
            waiting.extend(together.iter().map(|batch| (batch.end - batch.begin) as f64 / count as f64));
        }
    }
    median(if kept.len() < BATCHES as usize / 50 { &mut waiting } else { &mut kept })
}

fn batches(threads: u64, depth: usize, count: u64, mut body: Body, arrived: &AtomicU64) -> Vec<Batch> {
    let frames = deep::missing(depth);
    let mut batches = Vec::with_capacity(BATCHES as usize);
    for round in 1..=BATCHES {
        // Everybody starts at once.
        arrived.fetch_add(1, Ordering::AcqRel);
        while arrived.load(Ordering::Acquire) < round * threads {
            spin_loop();
        }
        let (begin, cpu) = (wall_ns(), cpu_ns());
        deep::below(frames, &mut *body, count);
        let (end, cpu) = (wall_ns(), cpu_ns() - cpu);
        batches.push(Batch {
            begin,
            end,
            per_operation: cpu as f64 / count as f64,
            running: cpu as f64 / (end - begin) as f64,
        });
    }
    batches
}
