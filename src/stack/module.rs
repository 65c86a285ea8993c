//! Which file of the process an address lies in: what is left to say of a frame without symbols.
#![cfg_attr(unix, allow(unsafe_code, reason = "dladdr is a C function; listed in docs/SAFETY.md"))]

/// The module (executable or shared library) that holds an address, and the address's offset in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Module {
    /// The file's name without its folder.
    pub(crate) name: String,
    /// The address relative to where the module was loaded.
    pub(crate) offset: u64,
}

impl Module {
    /// The module of `address`, where the loader tells.
    #[cfg(all(unix, not(miri)))]
    pub(crate) fn of(address: usize) -> Option<Module> {
        use std::ffi::CStr;
        use std::mem::MaybeUninit;

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
        let name = path.rsplit('/').next().unwrap_or_default().to_owned();
        Some(Module { name, offset: (address as u64).wrapping_sub(info.dli_fbase as u64) })
    }

    /// The module of `address`: not known on this system.
    #[cfg(not(all(unix, not(miri))))]
    pub(crate) fn of(_address: usize) -> Option<Module> {
        None
    }
}

#[cfg(all(test, unix, not(miri)))]
mod tests {
    use super::*;

    #[test]
    fn an_address_of_the_program_is_in_a_module() {
        let module = Module::of(Module::of as fn(usize) -> Option<Module> as usize).unwrap();
        assert!(!module.name.is_empty() && module.offset > 0, "{module:?}");
        assert_eq!(Module::of(1), None);
    }
}
