//! Which code stays where it is: the executable, and what was loaded with it.
//!
//! A rule is kept for ever, so it may only be one of code that is never unloaded. That is the executable and what it needs,
//! directly or through others: the program itself holds on to those. What a `dlopen` brought is not among them, whenever this
//! is asked, and neither is what `LD_PRELOAD` adds; a walk that meets such code is the reference's.
#![allow(unsafe_code, reason = "reads what the loader has mapped; listed in docs/SAFETY.md")]

use std::ffi::{CStr, c_int, c_void};
use std::slice;

use super::reader::{NoRule, Tables};
use super::rule::Rule;

/// Modules looked at; those beyond are the reference's.
const MAX_MODULES: usize = 256;
/// Segments of code kept: one or two a module.
const MAX_SEGMENTS: usize = 128;
/// Names that accepted modules need.
const MAX_NEEDED: usize = 512;

/// A piece of code that stays, with the tables of its module.
#[derive(Clone, Copy, Debug)]
struct Segment {
    start: usize,
    end: usize,
    tables: Tables<'static>,
}

/// The code that stays, sorted by address.
#[derive(Debug, Default)]
pub(super) struct Modules {
    segments: Vec<Segment>,
}

impl Modules {
    /// Asks the loader, once.
    ///
    /// Everything is allocated before and nothing under the loader's lock: an allocator that is tracked may be underneath.
    pub(super) fn find() -> Modules {
        let mut search = Search::new();
        // Those that are needed mostly come after those that need them, but what was preloaded may come before.
        loop {
            let before = search.accepted.len();
            search.seen.clear();
            // SAFETY: the callback gets back the pointer to `search`, which outlives the call, and does not unwind: it copies
            // numbers into vectors that have room.
            unsafe { libc::dl_iterate_phdr(Some(visit), (&raw mut search).cast()) };
            // Each round but the last accepts one more module, of which there is a most.
            if search.accepted.len() == before {
                break;
            }
        }
        search.segments.sort_unstable_by_key(|segment| segment.start);
        Modules { segments: search.segments }
    }

    /// The rule in force at an address.
    pub(super) fn rule_at(&self, address: usize) -> Result<Rule, NoRule> {
        let behind = self.segments.partition_point(|segment| segment.start <= address);
        let segment = behind.checked_sub(1).map(|at| &self.segments[at]).filter(|segment| address < segment.end);
        match segment.ok_or(NoRule::NoFunction)?.tables.rule_at(address) {
            // musl comes without tables, what starts a program and its threads included: the unwinder takes what has none for
            // the end. Elsewhere the first function of a stack says that it is, and what has no tables is left to the unwinder.
            Err(NoRule::NoFunction) if cfg!(target_env = "musl") => Ok(Rule::End),
            found => found,
        }
    }

    /// True if there is none: the loader tells nothing, or the tables are in a form that is not read here.
    pub(super) fn is_empty(&self) -> bool {
        self.segments.is_empty()
    }

    #[cfg(test)]
    pub(super) fn contains(&self, address: usize) -> bool {
        self.segments.iter().any(|segment| (segment.start..segment.end).contains(&address))
    }
}

/// What is known while the loader goes through its list.
struct Search {
    segments: Vec<Segment>,
    /// Hashes of the names that accepted modules need.
    needed: Vec<u64>,
    /// Hashes of the names of this round's modules so far.
    seen: Vec<u64>,
    /// The headers of those that were accepted, in this or an earlier round.
    accepted: Vec<usize>,
}

extern "C" fn visit(info: *mut libc::dl_phdr_info, _size: usize, search: *mut c_void) -> c_int {
    // SAFETY: the pointer that `find` has handed over; nobody else has it while the loader calls.
    let search = unsafe { &mut *search.cast::<Search>() };
    // SAFETY: the loader hands over a record that is valid for the call.
    let info = unsafe { &*info };
    search.look_at(&Module::new(info));
    0
}

impl Search {
    fn new() -> Search {
        Search {
            segments: Vec::with_capacity(MAX_SEGMENTS),
            needed: Vec::with_capacity(MAX_NEEDED),
            seen: Vec::with_capacity(MAX_MODULES),
            accepted: Vec::with_capacity(MAX_MODULES),
        }
    }

    fn look_at(&mut self, module: &Module<'_>) {
        let name = module.name();
        let is_second = self.seen.contains(&name);
        if self.seen.len() == MAX_MODULES {
            return;
        }
        self.seen.push(name);
        // Of two with one name the loader has bound the first; the other came by `dlopen`.
        let stays = module.is_executable() || self.needed.contains(&name) && !is_second || module.never_goes();
        let headers = module.headers.as_ptr() as usize;
        if !stays || self.accepted.contains(&headers) || self.accepted.len() == MAX_MODULES {
            return;
        }
        self.accepted.push(headers);
        module.each_needed(|needed| {
            if self.needed.len() < MAX_NEEDED && !self.needed.contains(&needed) {
                self.needed.push(needed);
            }
        });
        let Some(tables) = module.tables() else { return };
        for (start, end) in module.code() {
            if self.segments.len() < MAX_SEGMENTS {
                self.segments.push(Segment { start, end, tables });
            }
        }
    }
}

/// One module, as the loader has mapped it.
struct Module<'a> {
    base: usize,
    headers: &'a [libc::Elf64_Phdr],
    path: &'a CStr,
}

impl<'a> Module<'a> {
    fn new(info: &'a libc::dl_phdr_info) -> Module<'a> {
        let headers = if info.dlpi_phdr.is_null() {
            &[]
        } else {
            // SAFETY: the loader's record of the module's headers, which are mapped as long as it is.
            unsafe { slice::from_raw_parts(info.dlpi_phdr, usize::from(info.dlpi_phnum)) }
        };
        let path = if info.dlpi_name.is_null() {
            c""
        } else {
            // SAFETY: a string of the loader's, valid for the call.
            unsafe { CStr::from_ptr(info.dlpi_name) }
        };
        Module { base: info.dlpi_addr as usize, headers, path }
    }

    /// True for the program itself: the one whose headers the kernel names.
    fn is_executable(&self) -> bool {
        // SAFETY: a lookup in the vector that the kernel has left; any key may be asked for.
        let headers = unsafe { libc::getauxval(libc::AT_PHDR) };
        headers != 0 && headers as usize == self.headers.as_ptr() as usize
    }

    /// True where `dlclose` does nothing.
    fn never_goes(&self) -> bool {
        cfg!(target_env = "musl")
    }

    /// Where a piece of the file is loaded, from its first byte to behind its last.
    fn range(&self, header: &libc::Elf64_Phdr) -> (usize, usize) {
        let start = self.base.wrapping_add(header.p_vaddr as usize);
        (start, start.saturating_add(header.p_memsz as usize))
    }

    fn of_kind(&self, kind: u32) -> impl Iterator<Item = &'a libc::Elf64_Phdr> + use<'a> {
        self.headers.iter().filter(move |header| header.p_type == kind)
    }

    /// The loaded segment that has an address.
    fn segment(&self, address: usize) -> Option<(usize, usize)> {
        self.of_kind(libc::PT_LOAD)
            .map(|header| self.range(header))
            .find(|(start, end)| (*start..*end).contains(&address))
    }

    /// Its code: from where to where.
    fn code(&self) -> impl Iterator<Item = (usize, usize)> + '_ {
        self.of_kind(libc::PT_LOAD).filter(|header| header.p_flags & libc::PF_X != 0).map(|header| self.range(header))
    }

    /// So many bytes at an address, if one segment has them all.
    fn bytes(&self, address: usize, len: usize) -> Option<&'static [u8]> {
        let (_, end) = self.segment(address)?;
        if len > end - address {
            return None;
        }
        // SAFETY: the bytes are in a segment that is mapped and readable, and stays: only of modules that are never unloaded
        // they are kept beyond the loader's call. Nothing writes to what is read of it (tables and names).
        Some(unsafe { slice::from_raw_parts(address as *const u8, len) })
    }

    /// The unwind tables.
    fn tables(&self) -> Option<Tables<'static>> {
        let (index_address, index_end) = self.range(self.of_kind(libc::PT_GNU_EH_FRAME).next()?);
        let index = self.bytes(index_address, index_end - index_address)?;
        let frames_address = Tables::frames_address_in(index, index_address)?;
        // Where they end is not said anywhere; each entry says how long it is.
        let (_, segment_end) = self.segment(frames_address)?;
        let frames = self.bytes(frames_address, segment_end - frames_address)?;
        Some(Tables { index, index_address, frames, frames_address })
    }

    /// The entries of the dynamic section: a kind and a value each.
    fn dynamic(&self) -> impl Iterator<Item = (u64, usize)> + use<'a> {
        let section = self.of_kind(libc::PT_DYNAMIC).next().and_then(|header| {
            let (start, end) = self.range(header);
            self.bytes(start, end - start)
        });
        let pairs = section.unwrap_or_default().chunks_exact(16).map(|pair| {
            let word = |at: usize| u64::from_ne_bytes(*pair[at..].first_chunk().expect("16 bytes are two words"));
            (word(0), word(8) as usize)
        });
        pairs.take_while(|&(kind, _)| kind != END_OF_DYNAMIC)
    }

    /// The text of names.
    fn names(&self) -> &'static [u8] {
        let value = |wanted| self.dynamic().find(|&(kind, _)| kind == wanted).map_or(0, |(_, value)| value);
        let (place, len) = (value(NAMES), value(NAMES_SIZE));
        // The loader has made an address of it, or has not.
        let address = if place < self.base { self.base + place } else { place };
        self.bytes(address, len).unwrap_or_default()
    }

    /// The hash of the name by which others need it.
    fn name(&self) -> u64 {
        match self.dynamic().find(|&(kind, _)| kind == OWN_NAME) {
            Some((_, at)) => hash(text(self.names(), at)),
            None => hash(self.path.to_bytes().rsplit(|&byte| byte == b'/').next().unwrap_or_default()),
        }
    }

    fn each_needed(&self, mut need: impl FnMut(u64)) {
        let names = self.names();
        self.dynamic().filter(|&(kind, _)| kind == NEEDED).for_each(|(_, at)| need(hash(text(names, at))));
    }
}

/// Kinds of entries in a dynamic section.
const END_OF_DYNAMIC: u64 = 0;
const NEEDED: u64 = 1;
const NAMES: u64 = 5;
const NAMES_SIZE: u64 = 10;
const OWN_NAME: u64 = 14;

/// The text that begins at a place, up to its zero.
fn text(names: &[u8], at: usize) -> &[u8] {
    names.get(at..).unwrap_or_default().split(|&byte| byte == 0).next().unwrap_or_default()
}

/// FNV-1a. Names are few, and nobody makes some to collide.
fn hash(name: &[u8]) -> u64 {
    name.iter().fold(0xcbf2_9ce4_8422_2325, |hash, &byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

#[cfg(test)]
mod tests {
    use super::*;

    static NOT_CODE: u8 = 1;

    #[test]
    fn the_program_and_its_c_library_stay_and_nothing_else_is_code() {
        let modules = Modules::find();
        assert!(modules.contains(Modules::find as fn() -> Modules as usize));
        assert!(modules.contains(libc::qsort as *const () as usize));
        assert!(!modules.contains(Box::new(0_u8).as_ref() as *const u8 as usize));
        assert!(!modules.contains(&raw const NOT_CODE as usize));
        assert!(modules.segments.windows(2).all(|pair| pair[0].end <= pair[1].start));
    }

    /// Those that come before who needs them take another round; one without tables is accepted once, like all others.
    #[test]
    fn what_is_needed_is_accepted_once_and_the_first_of_a_name() {
        let header = |kind| [libc::Elf64_Phdr { p_type: kind, ..unused_header() }];
        let (first, second, other) = (header(7), header(8), header(9));
        let module = |headers, path| Module { base: 0, headers, path };
        let mut search = Search::new();
        for round in 0..3 {
            search.seen.clear();
            search.look_at(&module(&first, c"/lib/libneeded.so"));
            search.look_at(&module(&second, c"/opt/libneeded.so"));
            search.look_at(&module(&other, c"/lib/libother.so"));
            assert_eq!(search.accepted, if round == 0 { vec![] } else { vec![first.as_ptr() as usize] });
            search.needed.push(hash(b"libneeded.so"));
        }
    }

    fn unused_header() -> libc::Elf64_Phdr {
        libc::Elf64_Phdr {
            p_type: 0,
            p_flags: 0,
            p_offset: 0,
            p_vaddr: 0,
            p_paddr: 0,
            p_filesz: 0,
            p_memsz: 0,
            p_align: 0,
        }
    }

    #[test]
    fn an_address_in_no_function_has_no_rule() {
        let modules = Modules::find();
        assert_eq!(modules.rule_at(1), Err(NoRule::NoFunction));
        assert_eq!(modules.rule_at(usize::MAX), Err(NoRule::NoFunction));
        let heap = Box::new(0_u8);
        assert_eq!(modules.rule_at(std::ptr::from_ref(heap.as_ref()) as usize), Err(NoRule::NoFunction));
    }
}
