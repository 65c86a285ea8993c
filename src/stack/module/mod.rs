//! Which file of the process an address lies in: what is left to say of a frame without symbols.
//!
//! On Linux the loader's list of what is loaded is walked, which a statically linked program has too, and which has build ids;
//! on other Unix systems `dladdr` is asked.

#[cfg(all(unix, not(target_os = "linux"), not(miri)))]
mod dladdr;
#[cfg(all(target_os = "linux", not(miri)))]
mod linux;
#[cfg(any(target_os = "linux", test))]
mod note;

/// The module (executable or shared library) that holds an address, and the address's offset in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Module {
    /// The file's name without its folder.
    pub(crate) name: String,
    /// The address relative to where the module was loaded: what `addr2line` takes.
    pub(crate) offset: u64,
    /// What the linker wrote into the file, in hex: the same in a stripped copy and in its debug information.
    pub(crate) build_id: Option<String>,
}

impl Module {
    /// The module of `address`, where the system tells.
    pub(crate) fn of(address: usize) -> Option<Module> {
        #[cfg(all(target_os = "linux", not(miri)))]
        return linux::module_of(address);
        #[cfg(all(unix, not(target_os = "linux"), not(miri)))]
        return dladdr::module_of(address);
        #[cfg(any(not(unix), miri))]
        {
            let _ = address;
            None
        }
    }
}

/// A path without its folders.
#[cfg(all(unix, not(miri)))]
fn file_name(path: &str) -> String {
    path.rsplit('/').next().unwrap_or_default().to_owned()
}

#[cfg(all(test, unix, not(miri)))]
mod tests {
    use super::*;

    #[test]
    fn an_address_of_the_program_is_in_a_module() {
        let module = Module::of(Module::of as fn(usize) -> Option<Module> as usize).unwrap();
        assert!(!module.name.is_empty() && module.offset > 0, "{module:?}");
        assert_eq!(Module::of(1), None);
        let program = std::env::current_exe().unwrap();
        assert_eq!(Some(module.name.as_str()), program.file_name().and_then(|name| name.to_str()));
    }

    /// The bytes of the file have it behind the head that a build id's note has.
    #[test]
    #[cfg(target_os = "linux")]
    fn the_build_id_is_the_one_in_the_file() {
        let program = std::fs::read(std::env::current_exe().unwrap()).unwrap();
        let module = Module::of(Module::of as fn(usize) -> Option<Module> as usize).unwrap();
        // Put together here, so that the pattern does not stand in the file itself.
        let name = ["GN", "U\0"].concat();
        let heads = program.windows(16).enumerate().filter(|(_, head)| {
            head[..4] == 4_u32.to_ne_bytes() && head[8..12] == 3_u32.to_ne_bytes() && head[12..] == *name.as_bytes()
        });
        let in_file: Vec<String> =
            heads.map(|(at, head)| note::hex(&program[at + 16..][..usize::from(head[4])])).collect();
        assert_eq!(module.build_id.is_some(), !in_file.is_empty(), "{in_file:?}");
        assert!(module.build_id.is_none_or(|id| in_file.contains(&id)), "{in_file:?}");
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn an_address_of_a_library_is_in_that() {
        let module = Module::of(libc::malloc as *const () as usize).unwrap();
        assert!(module.name.contains("libc") || cfg!(target_feature = "crt-static"), "{module:?}");
    }
}
