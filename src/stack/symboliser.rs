//! Names for addresses, found when a report is made and forgotten after a burst.

use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use super::depot::StackId;
use super::module::Module;
use crate::fork::{Patience, Unforked};
use crate::hash::BuildIdHasher;
use crate::report::{Frame, normalise_foreign};

/// Addresses remembered between two reports of a burst; the memory goes when the burst is over.
const MAX_REMEMBERED: usize = 4_096;

/// A function's name longer than this loses its generic arguments.
const MAX_NAME: usize = 100;

/// Turns stacks into frames with names.
///
/// # Cost
/// The first resolve of a process reads its debug information: 5 to 60 ms, 5 to 45 MiB. Later ones about 5 us a stack;
/// an address that was met in the same burst costs a lookup. One thread resolves at a time, and a fork waits for it.
#[derive(Debug)]
pub(crate) struct Symboliser {
    patience: Patience,
    known: HashMap<usize, Arc<[Frame]>, BuildIdHasher>,
    used_library: bool,
    /// The turn could not be had once: its holder may be gone for good, so this one does not wait again.
    turn_lost: bool,
}

impl Default for Symboliser {
    fn default() -> Symboliser {
        Symboliser::new(Patience::LONG)
    }
}

impl Symboliser {
    /// One that waits that long for whoever resolves already.
    pub(crate) fn new(patience: Patience) -> Symboliser {
        Symboliser { patience, known: HashMap::default(), used_library: false, turn_lost: false }
    }

    /// The frames of a stack without names: modules and offsets, which cost no debug information.
    pub(crate) fn bare_frames(&mut self, stack: StackId) -> Vec<Frame> {
        let bare = |&address: &usize| Raw::default().into_frame(address, Module::of(address).as_ref());
        stack.addresses().iter().map(bare).collect()
    }

    /// The frames of a stack, innermost first; an address in inlined code gives several.
    pub(crate) fn frames(&mut self, stack: StackId) -> Vec<Frame> {
        stack.addresses().iter().flat_map(|&address| self.resolve(address).to_vec()).collect()
    }

    fn resolve(&mut self, address: usize) -> Arc<[Frame]> {
        if let Some(known) = self.known.get(&address) {
            return known.clone();
        }
        let frames: Arc<[Frame]> = self.look_up(address).into();
        if self.known.len() >= MAX_REMEMBERED {
            self.known.clear();
        }
        self.known.insert(address, frames.clone());
        frames
    }

    fn look_up(&mut self, address: usize) -> Vec<Frame> {
        let mut frames = Vec::new();
        // The library has a lock of its own, for which a thread would wait for ever in a child that was forked amid a turn.
        let turn = if self.turn_lost { None } else { Unforked::take(self.patience) };
        self.turn_lost |= turn.is_none();
        if turn.is_some() {
            self.used_library = true;
            // The callback copies text and nothing else: a panic in it would poison the library's lock for every
            // thread, and a second resolve from within it is undefined behaviour (backtrace-rs #753, #758).
            let outcome = catch_unwind(AssertUnwindSafe(|| {
                backtrace::resolve(address as *mut std::ffi::c_void, |symbol| frames.push(Raw::copy(symbol)));
            }));
            if outcome.is_err() {
                frames.clear();
            }
        }
        if frames.is_empty() {
            frames.push(Raw::default());
        }
        let module = Module::of(address);
        frames.into_iter().map(|raw| raw.into_frame(address, module.as_ref())).collect()
    }

    /// Forgets what it knows and frees what the library had read: the burst is over.
    pub(crate) fn forget(&mut self) {
        self.known = HashMap::default();
        if std::mem::take(&mut self.used_library)
            && !self.turn_lost
            && let Some(_turn) = Unforked::take(self.patience)
        {
            backtrace::clear_symbol_cache();
        }
    }
}

/// What the library says of one frame, copied as it stands.
#[derive(Debug, Default)]
struct Raw {
    name: Option<String>,
    file: Option<String>,
    line: Option<u32>,
    column: Option<u32>,
}

impl Raw {
    fn copy(symbol: &backtrace::Symbol) -> Raw {
        Raw {
            // The alternate form leaves out the hash at the end of a name.
            name: symbol.name().map(|name| shorten(&format!("{name:#}"))),
            file: symbol.filename().map(|file| file.to_string_lossy().into_owned()),
            line: symbol.lineno(),
            column: symbol.colno(),
        }
    }

    fn into_frame(self, address: usize, module: Option<&Module>) -> Frame {
        // Whoever has a name needs no other file to find it in.
        let build_id = module.and_then(|module| module.build_id.as_deref()).filter(|_| self.name.is_none());
        Frame {
            build_id: build_id.map(Arc::from),
            function: self.name.map(Arc::from),
            file: self.file.map(|file| Arc::from(normalise_foreign(&file))),
            line: self.line,
            column: self.column,
            address: address as u64,
            module: module.map(|module| Arc::from(module.name.as_str())),
            offset: module.map_or(0, |module| module.offset),
        }
    }
}

/// A long name without its generic arguments: `Dispatcher<…>::poll`. An async stack's run to hundreds of characters.
fn shorten(name: &str) -> String {
    if name.len() <= MAX_NAME {
        return name.to_owned();
    }
    // `<A<B> as C<D>>::f`: what opens the name is no argument list.
    let kept_depth = usize::from(name.starts_with('<'));
    let mut short = String::new();
    let mut depth = 0;
    let mut before = ' ';
    for c in name.chars() {
        match c {
            '<' => {
                depth += 1;
                if depth == kept_depth + 1 {
                    short.push_str("<…");
                }
            }
            // The arrow of a function type closes nothing.
            '>' if before != '-' => depth = usize::saturating_sub(depth, 1),
            _ => {}
        }
        if depth <= kept_depth && (c != '<' || depth == kept_depth) {
            short.push(c);
        }
        before = c;
    }
    short
}

#[cfg(all(test, not(miri)))]
mod tests {
    use super::super::depot;
    use super::super::ground::captured::Captured;
    use super::*;

    #[test]
    fn long_names_lose_their_arguments() {
        let long = "x".repeat(90);
        assert_eq!(shorten("a::b<C>::d"), "a::b<C>::d");
        assert_eq!(shorten(&format!("a::b<{long}, E<F>>::poll<fn(u8) -> G>")), "a::b<…>::poll<…>");
        assert_eq!(shorten(&format!("<a::B<{long}> as c::D<E>>::f")), "<a::B<…> as c::D<…>>::f");
        assert_eq!(shorten(&format!("{long}::{{closure#0}}::{long}")), format!("{long}::{{closure#0}}::{long}"));
    }

    #[test]
    fn a_stack_taken_here_names_this_test() {
        let stack = depot::intern(&Captured::here(32), |_| true).unwrap();
        let mut symboliser = Symboliser::default();
        let frames = symboliser.frames(stack);
        assert!(
            frames.iter().any(|frame| frame.function.as_deref().is_some_and(|name| name.contains("names_this_test"))),
            "{frames:?}"
        );
        symboliser.forget();
        assert_eq!(symboliser.frames(stack).len(), frames.len());
    }
}
