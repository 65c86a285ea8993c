//! The module of an address, from the loader's list of what is loaded.
#![allow(unsafe_code, reason = "dl_iterate_phdr is a C function; listed in docs/SAFETY.md")]

use std::ffi::{CStr, c_int, c_void};
use std::ops::Range;
use std::slice;

use super::{Module, file_name, note};

/// One of a file's program headers.
#[cfg(target_pointer_width = "64")]
type Header = libc::Elf64_Phdr;
#[cfg(target_pointer_width = "32")]
type Header = libc::Elf32_Phdr;

/// What loaders call the program itself: glibc's gives it no name, musl's that of a link.
const THE_PROGRAM: [&str; 2] = ["", "/proc/self/exe"];

/// What is looked for, and what was found.
struct Search {
    address: usize,
    found: Option<Found>,
}

/// A loaded file, copied while the loader keeps it.
struct Found {
    /// None for the program itself.
    path: Option<String>,
    base: usize,
    build_id: Option<String>,
}

/// The module of `address`.
///
/// # Cost
/// A walk over what is loaded, under the loader's lock; a few allocations.
pub(super) fn module_of(address: usize) -> Option<Module> {
    let mut search = Search { address, found: None };
    // SAFETY: `visit` has the type that is called, gets the search back as it is given here, and does not unwind.
    unsafe { libc::dl_iterate_phdr(Some(visit), (&raw mut search).cast()) };
    let found = search.found?;
    let name = match found.path {
        Some(path) => file_name(&path),
        None => std::env::current_exe().ok()?.file_name()?.to_string_lossy().into_owned(),
    };
    Some(Module { name, offset: address.wrapping_sub(found.base) as u64, build_id: found.build_id })
}

/// Called for each loaded file; not 0 ends the walk. It copies and compares, and panics nowhere.
extern "C" fn visit(info: *mut libc::dl_phdr_info, _size: usize, search: *mut c_void) -> c_int {
    // SAFETY: it is the search of `module_of`, which nobody else has while the walk goes on.
    let search = unsafe { &mut *search.cast::<Search>() };
    // SAFETY: the loader passes a record that is valid for the call.
    let info = unsafe { &*info };
    // SAFETY: the record's pointer and count are those of the file's headers, which the loader keeps for the call.
    let headers = unsafe { slice::from_raw_parts(info.dlpi_phdr, usize::from(info.dlpi_phnum)) };
    let base = info.dlpi_addr as usize;
    let range = |header: &Header| {
        let start = base.wrapping_add(header.p_vaddr as usize);
        start..start.wrapping_add(header.p_memsz as usize)
    };
    let loaded = || headers.iter().filter(|header| header.p_type == libc::PT_LOAD);
    if !loaded().any(|header| range(header).contains(&search.address)) {
        return 0;
    }
    let is_readable = |notes: &Range<usize>| {
        loaded().any(|header| {
            let here = range(header);
            header.p_flags & libc::PF_R != 0 && here.start <= notes.start && notes.end <= here.end
        })
    };
    let notes = headers.iter().filter(|header| header.p_type == libc::PT_NOTE).map(range).filter(is_readable);
    let build_id = notes.into_iter().find_map(|notes| {
        // SAFETY: the range is within a part of the file that is loaded and readable, and stays so for the call.
        note::build_id(unsafe { slice::from_raw_parts(notes.start as *const u8, notes.len()) })
    });
    let path = (!info.dlpi_name.is_null()).then(|| {
        // SAFETY: a name that is there is a string that the loader keeps for the call.
        unsafe { CStr::from_ptr(info.dlpi_name) }.to_string_lossy().into_owned()
    });
    search.found = Some(Found { path: path.filter(|path| !THE_PROGRAM.contains(&path.as_str())), base, build_id });
    1
}
