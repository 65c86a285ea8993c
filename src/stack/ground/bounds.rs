//! Where the calling thread's stack lies.
#![allow(unsafe_code, reason = "asks the thread library; listed in docs/SAFETY.md")]

use std::cell::Cell;

/// The addresses of a thread's stack.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::stack) struct Bounds {
    low: usize,
    high: usize,
}

/// Nobody has asked yet. Contains nothing.
const UNKNOWN: Bounds = Bounds { low: usize::MAX, high: 0 };
/// Asked without an answer, or being asked: by whoever is called by the thread library meanwhile, an allocator perhaps.
/// Contains nothing.
const NOT_TO_BE_HAD: Bounds = Bounds { low: usize::MAX, high: 1 };

thread_local! {
    // Without drop glue, so that it is there until the thread is gone: handles die in thread-local destructors.
    static BOUNDS: Cell<Bounds> = const { Cell::new(UNKNOWN) };
}

impl Bounds {
    /// The end of the calling thread's stack, if `stack_pointer` lies on it. It does not on a fiber's stack or a signal's.
    ///
    /// The thread library is asked once a thread; a forked child goes on with what its thread knew, on the same stack.
    ///
    /// # Cost
    /// Two reads of a thread-local. The first time 5 us, and 29 us on the main thread, with allocations of the C library's.
    #[inline(always)]
    pub(in crate::stack) fn end_around(stack_pointer: usize) -> Option<usize> {
        let mut bounds = BOUNDS.get();
        if bounds == UNKNOWN {
            bounds = find();
        }
        (bounds.low <= stack_pointer && stack_pointer < bounds.high).then_some(bounds.high)
    }
}

#[cold]
#[inline(never)]
fn find() -> Bounds {
    BOUNDS.set(NOT_TO_BE_HAD);
    let found = ask().unwrap_or(NOT_TO_BE_HAD);
    BOUNDS.set(found);
    found
}

#[cfg(target_os = "linux")]
fn ask() -> Option<Bounds> {
    use std::mem::MaybeUninit;
    use std::ptr;

    let mut attributes = MaybeUninit::<libc::pthread_attr_t>::uninit();
    // SAFETY: always answers the calling thread's own handle.
    let this_thread = unsafe { libc::pthread_self() };
    // SAFETY: the handle is that of a thread that runs, and there is room for what is written.
    if unsafe { libc::pthread_getattr_np(this_thread, attributes.as_mut_ptr()) } != 0 {
        return None;
    }
    // SAFETY: the call has succeeded, so it has filled this.
    let mut attributes = unsafe { attributes.assume_init() };
    let (mut start, mut size) = (ptr::null_mut(), 0);
    // SAFETY: the attributes are filled, and both pointers are to what the call writes.
    let status = unsafe { libc::pthread_attr_getstack(&attributes, &mut start, &mut size) };
    // SAFETY: filled by `pthread_getattr_np`, and used no more.
    unsafe { libc::pthread_attr_destroy(&mut attributes) };
    let low = start as usize;
    (status == 0 && low != 0).then_some(Bounds { low: low_end(low, low + size), high: low + size })
}

/// The lowest address that the stack may come to have.
#[cfg(target_os = "linux")]
fn low_end(low: usize, high: usize) -> usize {
    if !cfg!(target_env = "musl") {
        return low;
    }
    // There the answer for the main thread is what is mapped at the moment. It grows up to the limit.
    let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: the pointer is to what the call writes.
    let status = unsafe { libc::getrlimit(libc::RLIMIT_STACK, &mut limit) };
    // SAFETY: always succeeds.
    let process = unsafe { libc::getpid() };
    // SAFETY: always succeeds.
    let is_main = unsafe { libc::gettid() } == process;
    if status == 0 && is_main { low.min(high.saturating_sub(limit.rlim_cur as usize)) } else { low }
}

#[cfg(target_os = "macos")]
fn ask() -> Option<Bounds> {
    // SAFETY: always answers the calling thread's own handle.
    let this_thread = unsafe { libc::pthread_self() };
    // SAFETY: the handle is that of a thread that runs.
    let high = unsafe { libc::pthread_get_stackaddr_np(this_thread) } as usize;
    // SAFETY: as above.
    let size = unsafe { libc::pthread_get_stacksize_np(this_thread) };
    (high != 0).then_some(Bounds { low: high.saturating_sub(size), high })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_local_lies_on_the_stack_of_its_thread_and_on_no_other() {
        fn here() -> usize {
            let local = 0_u8;
            std::ptr::from_ref(&local) as usize
        }
        let end = Bounds::end_around(here()).unwrap();
        assert!(end > here());
        assert_eq!(Bounds::end_around(end), None);
        assert_eq!(Bounds::end_around(Box::new(0_u8).as_ref() as *const u8 as usize), None);
        let outer = here();
        std::thread::spawn(move || {
            assert!(Bounds::end_around(here()).is_some());
            assert_eq!(Bounds::end_around(outer), None);
        })
        .join()
        .unwrap();
    }

    #[test]
    fn it_is_known_while_a_thread_ends() {
        struct AtTheEnd(std::sync::mpsc::Sender<bool>);
        impl Drop for AtTheEnd {
            fn drop(&mut self) {
                let local = 0_u8;
                let _ = self.0.send(Bounds::end_around(std::ptr::from_ref(&local) as usize).is_some());
            }
        }
        thread_local! {
            static LAST: Cell<Option<AtTheEnd>> = const { Cell::new(None) };
        }
        let (sender, receiver) = std::sync::mpsc::channel();
        std::thread::spawn(move || LAST.set(Some(AtTheEnd(sender)))).join().unwrap();
        assert_eq!(receiver.recv(), Ok(true));
    }
}
