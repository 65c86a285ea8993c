//! Which frames a reader needs: the program's own, the nearest first.
//!
//! Cut from the inner end: this crate, the drop glue that names its types, the unwinder. Cut from the outer end: what
//! starts a program or a thread. In between nothing is left out: a frame of a library that called the user's code is part
//! of the story.

use crate::report::Frame;

/// Cuts both ends off a stack; at most `max_frames` are left.
///
/// A stack that would be left empty (the drop happened in no code of the program's own, as at the end of a thread) keeps
/// what is not this crate's.
pub(crate) fn trim(mut frames: Vec<Frame>, max_frames: usize) -> Vec<Frame> {
    // Before the first frame of the program's own: everything up to the last that is ours or glue. What is left there is
    // the container that dropped the handle (`Vec::clear`).
    let own_sources = own_sources(&frames).map(str::to_owned);
    let is_within = |frame: &Frame| {
        let file = frame.file.as_deref().unwrap_or_default();
        own_sources.as_deref().is_some_and(|root| file.starts_with(root)) && !is_test(frame)
    };
    let before_user = frames.iter().position(|frame| is_user(frame) && !is_within(frame)).unwrap_or(frames.len());
    let inner = frames[..before_user].iter().rposition(|frame| is_inner(frame) || is_within(frame));
    let inner = inner.map_or(0, |last| last + 1);
    frames.drain(..inner);
    if let Some(start) = frames.iter().position(is_start_up) {
        frames.truncate(start);
    }
    while frames
        .last()
        .is_some_and(|frame| frame.function.as_deref().is_some_and(|name| name.starts_with("core::ops::function::")))
    {
        frames.pop();
    }
    // Frames without a name or place beyond the last that has one are the C library's start code.
    while frames.last().is_some_and(|frame| frame.function.is_none() && frame.file.is_none())
        && frames.iter().any(|f| f.function.is_some())
    {
        frames.pop();
    }
    frames.truncate(max_frames);
    frames
}

/// The folder of this crate's sources as debug information gives it: inlined functions have no path in their names there,
/// so they are known by their files. The walk begins in a function that has this inlined, in every stack.
fn own_sources(frames: &[Frame]) -> Option<&str> {
    let walk = frames.iter().find_map(|frame| frame.file.as_deref()?.strip_suffix("stack/walker.rs"))?;
    // A bare `src/` (a build that remaps its paths) could be anybody's.
    (walk != "src/").then_some(walk)
}

/// The nearest frame that is the program's own: not of the standard library, not ours. Without one, the nearest that is
/// known by a name or a place: a bare address is most likely one of ours.
pub(crate) fn nearest_user_frame(frames: &[Frame]) -> Option<&Frame> {
    let is_known = |frame: &&Frame| frame.function.is_some() || frame.file.is_some();
    frames.iter().find(|frame| is_user(frame)).or_else(|| frames.first().filter(is_known))
}

/// True for a frame that is not the standard library's and not ours.
pub(crate) fn is_user(frame: &Frame) -> bool {
    let std_file = frame.file.as_deref().is_some_and(|file| file.starts_with("std/"));
    let std_name = frame.function.as_deref().is_some_and(|name| {
        // `<T as core::…>::f` and `<core::… as Trait>::f` are generics of the standard library when their file says so;
        // without a file the name has to do.
        let name = name.trim_start_matches('<');
        ["std::", "core::", "alloc::"].iter().any(|root| name.starts_with(root)) && frame.file.is_none()
    });
    !std_file && !std_name && !is_ours(frame) && !is_inner(frame) && !is_start_up(frame) && frame.function.is_some()
}

/// Frames that lie between the call of interest and the walk: ours, drop glue, the unwinder.
fn is_inner(frame: &Frame) -> bool {
    // Without a name (a stripped program) nothing can be told of a frame: it stays, as module and offset.
    let Some(name) = frame.function.as_deref() else { return false };
    is_ours(frame)
        || name.starts_with("backtrace::")
        || frame.file.as_deref().is_some_and(|file| file.starts_with("backtrace-"))
        || name.contains("drop_in_place")
        || name.contains("core::mem::drop")
        || name.starts_with("core::mem::manually_drop")
        // Inlined, `core::mem::drop::<T>` is a bare `drop<T>`: its file has to do.
        || frame.file.as_deref().is_some_and(|file| file.starts_with("std/core/src/mem/"))
        || name.starts_with("core::ops::function::")
        || name.starts_with("_Unwind_")
        || name == "__rust_try"
}

/// Ours: a function of this crate, or a trait method of one of its types.
fn is_ours(frame: &Frame) -> bool {
    let Some(name) = frame.function.as_deref() else { return false };
    name.trim_start_matches('<').trim_start_matches('&').starts_with("leaktrail::") && !is_test(frame)
}

/// Tests within the crate stand for a user's code.
fn is_test(frame: &Frame) -> bool {
    frame.function.as_deref().is_some_and(|name| name.contains("::tests::"))
}

/// What starts a program, a thread or a panic's landing: everything outside it is the same in every stack.
fn is_start_up(frame: &Frame) -> bool {
    let Some(name) = frame.function.as_deref() else { return false };
    const MARKS: &[&str] = &[
        "__rust_begin_short_backtrace",
        "__rust_end_short_backtrace",
        "std::rt::lang_start",
        "std::sys::thread::",
        "std::sys::pal::unix::thread::Thread::new",
        "std::thread::lifecycle::",
        "std::thread::Builder::spawn_unchecked",
        "__libc_start",
    ];
    matches!(name, "main" | "_start" | "start_thread" | "clone" | "clone3" | "__clone")
        || MARKS.iter().any(|mark| name.contains(mark))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(name: &str, file: &str) -> Frame {
        Frame {
            function: Some(name.into()),
            file: Some(file.into()),
            line: Some(1),
            column: Some(1),
            address: 1,
            module: None,
            offset: 0,
            build_id: None,
        }
    }

    fn names(frames: &[Frame]) -> Vec<&str> {
        frames.iter().filter_map(|frame| frame.function.as_deref()).collect()
    }

    #[test]
    fn the_users_own_line_comes_first_and_start_up_goes() {
        let stack = vec![
            frame("backtrace::backtrace::libunwind::trace", "backtrace-0.3.77/src/lib.rs"),
            frame("leaktrail::stack::walker::Captured::take", "src/stack/walker.rs"),
            frame("std::panicking::catch_unwind::do_call", "std/src/panicking.rs"),
            frame("__rust_try", ""),
            frame("<leaktrail::detector::tracked::OnDrop as core::ops::drop::Drop>::drop", "src/detector/tracked.rs"),
            frame("core::ptr::drop_in_place::<leaktrail::Tracked<gateway::Body>>", "std/core/src/ptr/mod.rs"),
            frame("core::mem::drop::<leaktrail::Tracked<gateway::Body>>", "std/core/src/mem/mod.rs"),
            frame("gateway::filters::log_body", "src/filters.rs"),
            frame("tower::Service::call", "tower-0.5.3/src/lib.rs"),
            frame("gateway::main", "src/main.rs"),
            frame("core::ops::function::FnOnce::call_once", "std/core/src/ops/function.rs"),
            frame("std::sys::backtrace::__rust_begin_short_backtrace", "std/src/sys/backtrace.rs"),
            frame("std::rt::lang_start", "std/src/rt.rs"),
            frame("main", ""),
        ];
        let trimmed = trim(stack, 32);
        assert_eq!(names(&trimmed), ["gateway::filters::log_body", "tower::Service::call", "gateway::main"]);
        assert_eq!(nearest_user_frame(&trimmed).unwrap().function.as_deref(), Some("gateway::filters::log_body"));
    }

    #[test]
    fn inlined_frames_are_known_by_their_files() {
        let stack = vec![
            frame("trace", "backtrace-0.3.77/src/backtrace/libunwind.rs"),
            frame("here", "/build/leaktrail/src/stack/walker.rs"),
            frame("start_trail", "/build/leaktrail/src/detector/handle/opening.rs"),
            frame("map<u8>", "std/core/src/option.rs"),
            frame("retain", "/build/leaktrail/src/buffer/byte_buf.rs"),
            frame("cache_body", "/build/gateway/src/filters.rs"),
        ];
        assert_eq!(names(&trim(stack, 32)), ["cache_body"]);
    }

    /// As debug information names it in an optimized program.
    #[test]
    fn an_inlined_drop_is_no_line_of_the_users() {
        let stack = vec![
            frame(
                "<leaktrail::buffer::reference::Reference as core::ops::drop::Drop>::drop",
                "src/buffer/reference.rs",
            ),
            frame("drop<leaktrail::buffer::byte_buf::ByteBuf>", "std/core/src/mem/mod.rs"),
            frame("log_body", "src/filters.rs"),
        ];
        assert_eq!(names(&trim(stack, 32)), ["log_body"]);
    }

    #[test]
    fn what_has_no_names_keeps_its_addresses() {
        let nameless = Frame { function: None, file: None, module: Some("app".into()), ..frame("", "") };
        let stack: Vec<Frame> = [frame("_Unwind_Backtrace", "")]
            .into_iter()
            .chain(vec![nameless.clone(); 7])
            .chain([frame("start_thread", ""), frame("clone3", "")])
            .collect();
        let trimmed = trim(stack, 32);
        assert_eq!(trimmed, vec![nameless; 7]);
        assert_eq!(nearest_user_frame(&trimmed), None);
    }

    #[test]
    fn a_drop_inside_a_container_names_the_users_frame() {
        let stack = vec![
            frame("leaktrail::stack::walker::Captured::take", "src/stack/walker.rs"),
            frame("core::ptr::drop_in_place::<alloc::vec::Vec<leaktrail::Tracked<u8>>>", "std/core/src/ptr/mod.rs"),
            frame("<alloc::vec::Vec<leaktrail::Tracked<u8>>>::clear", "std/alloc/src/vec/mod.rs"),
            frame("app::evict", "src/app.rs"),
        ];
        let trimmed = trim(stack, 32);
        assert_eq!(nearest_user_frame(&trimmed).unwrap().function.as_deref(), Some("app::evict"));
        assert_eq!(trim(vec![frame("a", "a"); 9], 4).len(), 4);
    }
}
