//! The module of an address, as the dynamic loader tells.
#![allow(unsafe_code, reason = "dladdr is a C function; listed in docs/SAFETY.md")]

use std::ffi::CStr;
use std::mem::MaybeUninit;

use super::{Module, file_name};

/// The module of `address`, where the loader tells. Build ids are not known here.
pub(super) fn module_of(address: usize) -> Option<Module> {
    let mut info = MaybeUninit::<libc::Dl_info>::zeroed();
    // SAFETY: `info` is valid for the call to write into; any address may be asked for.
    let found = unsafe { libc::dladdr(address as *const libc::c_void, info.as_mut_ptr()) };
    if found == 0 {
        return None;
    }
    // SAFETY: a zeroed Dl_info is a valid one (four pointers that may be null), whatever the call wrote.
    let info = unsafe { info.assume_init() };
    if info.dli_fname.is_null() {
        return None;
    }
    // SAFETY: dladdr succeeded, so dli_fname is a string that the loader keeps as long as the module is loaded.
    let path = unsafe { CStr::from_ptr(info.dli_fname) }.to_string_lossy();
    let offset = (address as u64).wrapping_sub(info.dli_fbase as u64);
    Some(Module { name: file_name(&path), offset, build_id: None })
}
