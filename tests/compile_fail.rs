//! What would throw at run time elsewhere does not compile here: release of what was released, use after it, a handle on a
//! thread that its value must not reach, and one that nobody keeps.
//!
//! The expected messages are those of the toolchain that the tests run on. After a change of them:
//! `TRYBUILD=overwrite cargo test --test compile_fail`, and read what changed.

#[test]
fn misuse_is_a_compile_error() {
    trybuild::TestCases::new().compile_fail("tests/compile_fail/*.rs");
}
