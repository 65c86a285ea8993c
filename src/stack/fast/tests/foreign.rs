//! Stacks with other people's frames on them, and stacks that are other people's.
#![allow(unsafe_code, reason = "calls C functions that call back; listed in docs/SAFETY.md")]

use std::ffi::{c_int, c_void};
use std::mem::MaybeUninit;
use std::ptr;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::{agrees, is_handed_over};

#[test]
fn a_thread_of_foreign_origin() {
    extern "C" fn start(_: *mut c_void) -> *mut c_void {
        agrees();
        ptr::null_mut()
    }
    let mut thread = MaybeUninit::uninit();
    // SAFETY: the pointer is to the handle that is filled; the function ignores its argument.
    assert_eq!(unsafe { libc::pthread_create(thread.as_mut_ptr(), ptr::null(), start, ptr::null_mut()) }, 0);
    // SAFETY: filled by the call, which has succeeded.
    let thread = unsafe { thread.assume_init() };
    // SAFETY: the thread runs, and is joined once.
    assert_eq!(unsafe { libc::pthread_join(thread, ptr::null_mut()) }, 0);
}

/// Rust above and below a C library that has no frame pointers.
#[cfg(target_arch = "x86_64")]
#[test]
fn callbacks_of_the_c_library() {
    unsafe extern "C" fn compare(one: *const c_void, other: *const c_void) -> c_int {
        agrees();
        // SAFETY: `qsort` hands over two of the numbers.
        let one = unsafe { *one.cast::<i32>() };
        // SAFETY: as above.
        let other = unsafe { *other.cast::<i32>() };
        one.cmp(&other) as c_int
    }
    let mut numbers = [5, 3, 9, 1, 7, 8, 2];
    // SAFETY: the numbers, how many they are, how large each is, and how they are compared.
    unsafe { libc::qsort(numbers.as_mut_ptr().cast(), numbers.len(), size_of::<i32>(), Some(compare)) };
    assert_eq!(numbers, [1, 2, 3, 5, 7, 8, 9]);
}

/// A signal's handler: above it lies a frame that no call has made. On the thread's own stack, and on one of its own. Along
/// frame pointers that cannot be seen: the kernel continues the chain.
#[cfg(target_arch = "x86_64")]
#[test]
fn handlers_of_signals() {
    static SEEN: AtomicUsize = AtomicUsize::new(0);
    extern "C" fn handler(_: c_int) {
        SEEN.store(is_handed_over(), Ordering::Relaxed);
    }
    fn raise(flags: c_int) -> usize {
        // SAFETY: an action of plain words, of which 0 is a valid value each.
        let mut action: libc::sigaction = unsafe { std::mem::zeroed() };
        action.sa_sigaction = handler as *const () as usize;
        action.sa_flags = flags;
        // SAFETY: the action is filled; the signal is one that nobody else here uses.
        assert_eq!(unsafe { libc::sigaction(libc::SIGUSR2, &action, ptr::null_mut()) }, 0);
        // SAFETY: the handler is set, and `raise` returns after it.
        assert_eq!(unsafe { libc::raise(libc::SIGUSR2) }, 0);
        SEEN.swap(0, Ordering::Relaxed)
    }
    std::thread::spawn(|| {
        // The frames of the thread are there, below those of the signal.
        let depth = agrees();
        assert!(raise(0) > depth);
        let mut room = vec![0_u8; 256 * 1024];
        let stack = libc::stack_t { ss_sp: room.as_mut_ptr().cast(), ss_flags: 0, ss_size: room.len() };
        let mut old = MaybeUninit::<libc::stack_t>::uninit();
        // SAFETY: the room outlives its use: the old stack is put back below.
        assert_eq!(unsafe { libc::sigaltstack(&stack, old.as_mut_ptr()) }, 0);
        assert!(raise(libc::SA_ONSTACK) > depth);
        // SAFETY: filled by the first call.
        let old = unsafe { old.assume_init() };
        // SAFETY: the stack that was there before.
        assert_eq!(unsafe { libc::sigaltstack(&old, ptr::null_mut()) }, 0);
        assert_eq!(agrees(), depth);
    })
    .join()
    .unwrap();
}

/// A fiber has a stack of its own, in the middle of the heap.
#[test]
fn a_fiber() {
    use corosensei::{Coroutine, CoroutineResult};

    let mut fiber = Coroutine::new(|yielder, ()| {
        is_handed_over();
        yielder.suspend(());
        is_handed_over();
    });
    assert!(matches!(fiber.resume(()), CoroutineResult::Yield(())));
    agrees();
    // Its other half on another stack.
    assert!(matches!(fiber.resume(()), CoroutineResult::Return(())));
    agrees();
}

/// Code that may go again: no rule of it is ever kept, so that what is loaded at its place later is not walked by its rules.
#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
#[test]
fn a_library_that_is_loaded_unloaded_and_loaded_again() {
    static DEPTH: AtomicUsize = AtomicUsize::new(0);
    extern "C" fn walk() {
        DEPTH.store(is_handed_over(), Ordering::Relaxed);
    }
    let folder = std::env::temp_dir().join(format!("leaktrail-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let (source, library) = (folder.join("calls.rs"), folder.join("libcalls.so"));
    let text = "#![no_std] #[panic_handler] fn panics(_: &core::panic::PanicInfo<'_>) -> ! { loop {} } \
                #[unsafe(no_mangle)] extern \"C\" fn calls(then: extern \"C\" fn()) -> usize { then(); 7 }";
    std::fs::write(&source, text).unwrap();
    let mut rustc = std::process::Command::new("rustc");
    let built = rustc.args(["--edition", "2024", "--crate-type", "cdylib", "-C", "panic=abort", "-o"]);
    let built = built.arg(&library).arg(&source).output().expect("rustc built this test, too");
    assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));

    let path = std::ffi::CString::new(library.to_str().unwrap()).unwrap();
    let shallow = agrees();
    for _ in 0..3 {
        // SAFETY: a path that ends with a zero; the library has no code that runs when it is loaded.
        let handle = unsafe { libc::dlopen(path.as_ptr(), libc::RTLD_NOW) };
        assert!(!handle.is_null());
        // SAFETY: the handle is open, and the name ends with a zero.
        let calls = unsafe { libc::dlsym(handle, c"calls".as_ptr()) };
        assert!(!calls.is_null());
        // SAFETY: that is its type, see above.
        let calls = unsafe { std::mem::transmute::<*mut c_void, extern "C" fn(extern "C" fn()) -> usize>(calls) };
        assert_eq!(calls(walk), 7);
        assert!(DEPTH.swap(0, Ordering::Relaxed) > shallow);
        // SAFETY: the handle is open, and nothing of the library is used any more.
        assert_eq!(unsafe { libc::dlclose(handle) }, 0);
        assert_eq!(agrees(), shallow);
    }
    let _ = std::fs::remove_dir_all(&folder);
}
