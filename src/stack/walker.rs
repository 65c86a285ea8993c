//! Which walker the process has, and walking by it.
//!
//! ```text
//!            choose               three walks were wrong
//! not chosen ──────► rules         ──────────────────────► backtrace
//!            ├─────► frame-pointer ──────────────────────► backtrace
//!            ├─────► backtrace
//!            └─────► none
//! ```

use std::cell::Cell;
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};

use super::fast::{self, Start};
use super::ground::captured::Captured;
use crate::config::Walker;

/// The walker of the process, as [`Walker::code`]; `Auto` is none yet. A forked child has its parent's.
static CHOSEN: AtomicU8 = AtomicU8::new(Walker::Auto.code());
/// The walker was given up, and nobody has told it yet.
static GIVEN_UP: AtomicBool = AtomicBool::new(false);

thread_local! {
    /// True while this thread chooses: an allocator that is tracked may be asked for memory, and asks back.
    static CHOOSING: Cell<bool> = const { Cell::new(false) };
}

/// What choosing came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Choice {
    /// The walker of the process.
    pub(crate) walker: Walker,
    /// True if this call has chosen it in the place of one that was asked for and cannot be had here.
    pub(crate) is_instead: bool,
}

/// Chooses the walker of the process if there is none yet: the one that the environment names, or else `wanted`. Where
/// that cannot be had it is `backtrace`.
///
/// # Cost
/// The first time some 100 us and a few allocations; then one load.
pub(crate) fn choose(wanted: Walker) -> Choice {
    let chosen = Choice { walker: current(), is_instead: false };
    if chosen.walker != Walker::Auto || CHOOSING.replace(true) {
        return chosen;
    }
    let wanted = Walker::of_environment().unwrap_or(wanted);
    let walker = match wanted {
        Walker::Auto => fast::best(),
        Walker::Rules | Walker::FramePointer if !fast::can(wanted) => Walker::Backtrace,
        _ => wanted,
    };
    CHOOSING.set(false);
    // Release: pairs with the Acquire of `walk`, which finds what the walker has prepared.
    match CHOSEN.compare_exchange(Walker::Auto.code(), walker.code(), Ordering::Release, Ordering::Relaxed) {
        Ok(_) => Choice { walker, is_instead: wanted != Walker::Auto && walker != wanted },
        Err(other) => Choice { walker: Walker::from_code(other), is_instead: false },
    }
}

/// The walker of the process; `Auto` while nobody has chosen.
pub(crate) fn current() -> Walker {
    Walker::from_code(CHOSEN.load(Ordering::Relaxed))
}

/// True the first time that it is asked after the walker was given up, since it was wrong.
pub(crate) fn was_given_up() -> bool {
    // Asked once a second: a load for nearly every time. Relaxed: the flag is the whole message.
    GIVEN_UP.load(Ordering::Relaxed) && GIVEN_UP.swap(false, Ordering::Relaxed)
}

/// Walks that were compared with the reference and found to be wrong.
pub(crate) fn wrong_walks() -> u64 {
    fast::wrong_walks()
}

impl Captured {
    /// Walks the calling thread's stack, `max_frames` deep below this crate's own frames, by the walker of the process. With
    /// `none` there are no frames.
    ///
    /// # Cost
    /// No allocation and no lock of ours; what a frame costs is the walker's.
    // Always inlined, as are its callers: the first frame is that of the function which all this becomes part of, and each
    // that is not between it and the user's is one less to walk. This file is how `trim` knows the crate's sources.
    #[inline(always)]
    pub(crate) fn take(&mut self, max_frames: u8) {
        self.set_limit(max_frames);
        walk(self, Start::here());
    }

    /// The stack of the caller, for tests.
    #[cfg(test)]
    #[inline(never)]
    pub(crate) fn here(max_frames: u8) -> Captured {
        let mut stack = Captured::empty();
        stack.take(max_frames);
        stack
    }
}

#[inline(always)]
fn walk(stack: &mut Captured, start: Start) {
    let code = CHOSEN.load(Ordering::Acquire);
    // The rest is a call, so that there is little of it wherever this is inlined.
    if code == fast::FASTEST.code() {
        if !fast::walk(fast::FASTEST, start, stack) {
            give_up(fast::FASTEST);
        }
    } else {
        walk_otherwise(Walker::from_code(code), start, stack);
    }
}

#[cold]
#[inline(never)]
fn walk_otherwise(walker: Walker, start: Start, stack: &mut Captured) {
    match walker {
        Walker::Rules | Walker::FramePointer => {
            if !fast::walk(walker, start, stack) {
                give_up(walker);
            }
        }
        Walker::None => {}
        // Before the first detector counts a handle nothing is walked but in tests.
        Walker::Auto | Walker::Backtrace => fast::by_reference(start, stack),
    }
}

/// From now on a walk by rules that comes to this return address ends there, which is wrong.
#[cfg(all(test, target_os = "linux", target_arch = "x86_64", not(miri)))]
pub(crate) fn plant_an_end(address: usize) {
    fast::plant_an_end(address);
}

#[cold]
fn give_up(walker: Walker) {
    let backtrace = Walker::Backtrace.code();
    // Relaxed: it needs no preparation.
    if CHOSEN.compare_exchange(walker.code(), backtrace, Ordering::Relaxed, Ordering::Relaxed).is_ok() {
        GIVEN_UP.store(true, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::super::ground::captured::OWN_FRAMES;
    use super::*;

    #[inline(never)]
    fn deep(levels: u32, max_frames: u8) -> Captured {
        if levels == 0 {
            return Captured::here(max_frames);
        }
        std::hint::black_box(deep(levels - 1, max_frames))
    }

    #[test]
    fn a_stack_is_as_deep_as_asked_and_says_when_it_is_cut() {
        let short = deep(60, 8);
        assert_eq!(short.addresses().len(), 8 + OWN_FRAMES);
        assert!(short.is_cut());
        let whole = deep(5, 128);
        assert!(!whole.is_cut());
        assert!(whole.addresses().len() > 5);
    }

    #[test]
    fn a_process_has_one_walker_whoever_asks_later() {
        let first = choose(Walker::Auto).walker;
        assert_ne!(first, Walker::Auto);
        let later = Choice { walker: current(), is_instead: false };
        assert_eq!(choose(Walker::None), later);
        assert_eq!(choose(Walker::FramePointer), later);
    }
}
