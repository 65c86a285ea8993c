//! What a test shows: where the test harness collects it.

use std::panic::catch_unwind;

/// Prints a text with the macro that test harnesses capture, so that it stands with the test that it belongs to.
///
/// Never panics, also where standard error is gone: it is called while a test is unwinding.
pub(crate) fn print(text: &str) {
    let _ = catch_unwind(|| eprintln!("{text}"));
}
