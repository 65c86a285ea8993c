//! Clocks, and the CPU that a thread runs on.

use std::mem::MaybeUninit;

fn read(clock: libc::clockid_t) -> u64 {
    let mut time = MaybeUninit::<libc::timespec>::uninit();
    // SAFETY: the pointer is to a `timespec`, which the call fills.
    let status = unsafe { libc::clock_gettime(clock, time.as_mut_ptr()) };
    assert_eq!(status, 0, "the clock can be read");
    // SAFETY: filled by the call, which succeeded.
    let time = unsafe { time.assume_init() };
    time.tv_sec as u64 * 1_000_000_000 + time.tv_nsec as u64
}

/// The CPU time of this thread, in nanoseconds: what others did meanwhile is not in it.
pub fn cpu_ns() -> u64 {
    read(libc::CLOCK_THREAD_CPUTIME_ID)
}

/// The time, in nanoseconds since some moment.
pub fn wall_ns() -> u64 {
    read(libc::CLOCK_MONOTONIC)
}

/// Keeps this thread on one CPU. Where there is no such CPU it stays where it is.
#[cfg(target_os = "linux")]
pub fn pin(cpu: usize) {
    // SAFETY: a set of CPUs is plain bits, all of them 0 in an empty one.
    let mut set: libc::cpu_set_t = unsafe { std::mem::zeroed() };
    // SAFETY: the set is ours; a number beyond its end is ignored.
    unsafe { libc::CPU_SET(cpu, &mut set) };
    // SAFETY: the pointer and the size are those of one set.
    unsafe { libc::sched_setaffinity(0, size_of::<libc::cpu_set_t>(), &set) };
}

/// Elsewhere threads stay where they are.
#[cfg(not(target_os = "linux"))]
pub fn pin(_cpu: usize) {}
