//! Lines to file descriptor 2, without the lock that another thread may hold for ever.
#![cfg_attr(unix, allow(unsafe_code, reason = "write(2) is a C function; listed in docs/SAFETY.md"))]

use crate::report::Severity;

/// Writes one message: its severity, `leaktrail:`, the text, a newline.
///
/// On Unix by `write(2)` alone: the standard library's handle has a lock, and whoever holds it may be stuck, or gone with
/// the parent of a forked child. A closed or full descriptor loses the message and nothing else.
pub(super) fn write(severity: Severity, text: &str) {
    // A text that bears the crate's name already does not get it twice.
    let text = text.strip_prefix("leaktrail: ").unwrap_or(text);
    write_all(format!("{severity} leaktrail: {text}\n").as_bytes());
}

#[cfg(all(unix, not(miri)))]
fn write_all(mut bytes: &[u8]) {
    // A descriptor that takes nothing for so many tries (non-blocking and full) is given up.
    let mut patience = 1_000_u32;
    while !bytes.is_empty() && patience > 0 {
        // SAFETY: the pointer and the length are those of one live slice, which the call only reads.
        let written = unsafe { libc::write(2, bytes.as_ptr().cast(), bytes.len()) };
        match usize::try_from(written) {
            Ok(count) if count > 0 => bytes = &bytes[count.min(bytes.len())..],
            Ok(_) => return,
            Err(_) => match std::io::Error::last_os_error().kind() {
                std::io::ErrorKind::Interrupted => {}
                std::io::ErrorKind::WouldBlock => {
                    patience -= 1;
                    std::thread::sleep(std::time::Duration::from_millis(1));
                }
                _ => return,
            },
        }
    }
}

#[cfg(not(all(unix, not(miri))))]
fn write_all(bytes: &[u8]) {
    use std::io::Write;
    let _ = std::io::stderr().write_all(bytes);
}
