//! Standard output, the one stream of the story.

use std::fmt;
use std::io::Write as _;

/// Writes one line of the story; as `println!`, but a reader that went away (`| head`) is no reason to panic.
macro_rules! say {
    ($($argument:tt)*) => { $crate::say::line(format_args!($($argument)*)) };
}
pub(crate) use say;

/// Writes `text` and a line end to standard output; an error is ignored, because nobody is left to be told.
pub(crate) fn line(text: fmt::Arguments<'_>) {
    let _ = writeln!(std::io::stdout(), "{text}");
}
