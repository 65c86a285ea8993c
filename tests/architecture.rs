//! The plan of the house, held by reading the sources: which file may name which, and what only one place may do.
//!
//! Each rule is a function from files (path and text) to violations. It is asked twice: about this repository, where it
//! has to find nothing, and about a sample that breaks it, where it has to find just that. `docs/ARCHITECTURE.md` has the
//! rules in words.

mod architecture {
    mod circles;
    mod floors;
    mod house;
    mod imports;
    mod only_here;
    mod pages;
    mod reader;
    mod source;
    mod unsafe_code;
}
