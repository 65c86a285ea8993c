//! What a program says about an access.

use std::borrow::Cow;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

/// What a program says about an access: text that is there already, or a closure that will make it.
///
/// `touch_with` takes anything that becomes one: a `&'static str` (nothing is copied), a `String`, a `Cow`, an
/// `Arc<str>`, or [`Hint::lazy`]. A hint has at most 256 bytes; longer text is cut and ends with `…`. Owned text is cut
/// when the hint is made, so that a trail never holds more than that.
///
/// # Examples
///
/// ```
/// use leaktrail::Hint;
///
/// let fixed = Hint::from("entered the cache");
/// let owned = Hint::from(format!("request {}", 7));
/// let lazy = Hint::lazy(|| format!("request {}", 7));
/// # let _ = (fixed, owned, lazy);
/// ```
///
/// # Cost
///
/// A fixed text costs nothing. An owned one costs what making it cost; a lazy one an allocation. Neither is made into a hint at
/// all for a handle without a trail.
#[derive(Clone)]
pub struct Hint(Text);

/// A hint's bound. Long enough for a sentence and an id; 65,536 trails of 4 such records are 64 MiB, so the detector's
/// own bound is reached first and counts what it discards.
const MAX_BYTES: usize = 256;

/// What a lazy hint that panicked shows.
const PANICKED: &str = "(the hint panicked)";

#[derive(Clone)]
enum Text {
    Static(&'static str),
    /// At most [`MAX_BYTES`], and no more capacity than that.
    Owned(String),
    /// At most [`MAX_BYTES`].
    Shared(Arc<str>),
    Lazy(Lazy),
}

/// A closure of the user's. `None` only while it is dropped.
#[derive(Clone)]
struct Lazy(Option<Arc<dyn Fn() -> String + Send + Sync>>);

/// What an `Arc` keeps beside its value.
const ARC_COUNTS_BYTES: usize = 2 * size_of::<usize>();

impl Hint {
    /// A hint that is formatted only when it is shown, on the thread that makes the report.
    ///
    /// What the closure captures is kept until then, so it should be small and must not be the resource itself. A panic
    /// inside is caught and shown as `(the hint panicked)`; the process's panic hook has its say first. In a program
    /// built with `panic = "abort"` it aborts.
    ///
    /// # Examples
    ///
    /// ```
    /// use leaktrail::Hint;
    ///
    /// let (method, length) = ("POST", 4096);
    /// let hint = Hint::lazy(move || format!("{method} with {length} bytes"));
    /// # let _ = hint;
    /// ```
    pub fn lazy(text: impl Fn() -> String + Send + Sync + 'static) -> Hint {
        Hint(Text::Lazy(Lazy(Some(Arc::new(text)))))
    }

    /// The hint that `make` makes, or, if it panics, one that says so: a conversion is the user's code, and whoever only
    /// wanted to touch something goes on.
    pub(crate) fn made(make: impl FnOnce() -> Hint) -> Hint {
        catch_unwind(AssertUnwindSafe(make)).unwrap_or_else(|payload| {
            // A payload's own Drop may panic; it is not ours to run.
            std::mem::forget(payload);
            Hint::from(PANICKED)
        })
    }

    /// The text, at most 256 bytes, not escaped. Runs the user's code if it is lazy, and survives it.
    pub(crate) fn render(&self) -> String {
        match &self.0 {
            Text::Static(text) => cut(text).into_owned(),
            Text::Owned(text) => text.clone(),
            Text::Shared(text) => String::from(&**text),
            Text::Lazy(text) => text.render(),
        }
    }

    /// The heap that it keeps, in bytes. What a closure captured is counted, what that owns is not.
    pub(crate) fn size_bytes(&self) -> usize {
        match &self.0 {
            Text::Static(_) => 0,
            Text::Owned(text) => text.capacity(),
            Text::Shared(text) => text.len() + ARC_COUNTS_BYTES,
            Text::Lazy(text) => text.0.as_deref().map_or(0, |text| size_of_val(text) + ARC_COUNTS_BYTES),
        }
    }
}

impl Lazy {
    fn render(&self) -> String {
        let Some(text) = &self.0 else { return String::new() };
        // Unwind safety: of what the closure may have broken by its panic, nothing is ours.
        let text = match catch_unwind(AssertUnwindSafe(|| text())) {
            Ok(text) => text,
            Err(payload) => {
                drop_quietly(payload);
                PANICKED.to_owned()
            }
        };
        match cut(&text) {
            Cow::Borrowed(_) => text,
            Cow::Owned(cut) => cut,
        }
    }
}

impl Drop for Lazy {
    /// Hints are dropped by releases and by the reporter; what a closure captured must not panic into either.
    fn drop(&mut self) {
        drop_quietly(self.0.take());
    }
}

/// Drops it, and with it any panic that comes out.
fn drop_quietly<T>(value: T) {
    if let Err(payload) = catch_unwind(AssertUnwindSafe(move || drop(value))) {
        // A payload whose own drop panics would go on like this without end.
        std::mem::forget(payload);
    }
}

/// The text, cut at a character to at most [`MAX_BYTES`], the `…` included: what was cut once is not cut again.
fn cut(text: &str) -> Cow<'_, str> {
    if text.len() <= MAX_BYTES {
        return Cow::Borrowed(text);
    }
    let mut end = MAX_BYTES - '…'.len_utf8();
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    // Not `format!`, which would keep twice the room.
    Cow::Owned([&text[..end], "…"].concat())
}

impl From<&'static str> for Hint {
    fn from(text: &'static str) -> Hint {
        Hint(Text::Static(text))
    }
}

impl From<String> for Hint {
    fn from(text: String) -> Hint {
        let mut text = match cut(&text) {
            Cow::Owned(cut) => cut,
            Cow::Borrowed(_) => text,
        };
        if text.capacity() > MAX_BYTES {
            text.shrink_to_fit();
        }
        Hint(Text::Owned(text))
    }
}

impl From<Cow<'static, str>> for Hint {
    fn from(text: Cow<'static, str>) -> Hint {
        match text {
            Cow::Borrowed(text) => Hint::from(text),
            Cow::Owned(text) => Hint::from(text),
        }
    }
}

impl From<Arc<str>> for Hint {
    fn from(text: Arc<str>) -> Hint {
        match cut(&text) {
            Cow::Borrowed(_) => Hint(Text::Shared(text)),
            Cow::Owned(cut) => Hint(Text::Owned(cut)),
        }
    }
}

impl fmt::Debug for Hint {
    /// Shows the text that is there; a closure is not run.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Text::Static(text) => f.debug_tuple("Hint").field(text).finish(),
            Text::Owned(text) => f.debug_tuple("Hint").field(text).finish(),
            Text::Shared(text) => f.debug_tuple("Hint").field(text).finish(),
            Text::Lazy(_) => f.write_str("Hint(lazy)"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_shows_its_text_and_counts_its_heap() {
        let captured = [7_u64; 4];
        for (hint, text, bytes) in [
            (Hint::from("static"), "static", 0),
            (Hint::from("owned".to_owned()), "owned", 5),
            (Hint::from(Cow::Borrowed("borrowed")), "borrowed", 0),
            (Hint::from(Cow::<str>::Owned("owned".to_owned())), "owned", 5),
            (Hint::from(Arc::<str>::from("shared")), "shared", 6 + ARC_COUNTS_BYTES),
            (Hint::lazy(move || format!("lazy {}", captured.len())), "lazy 4", 32 + ARC_COUNTS_BYTES),
        ] {
            assert_eq!((hint.render().as_str(), hint.size_bytes()), (text, bytes), "{hint:?}");
            assert_eq!(hint.clone().render(), text);
        }
    }

    #[test]
    fn long_text_is_cut_on_a_character_and_keeps_no_heap() {
        // Characters end at 2 + 3 n, and the room before the mark is 253: the cut has to step back.
        let long = format!("xx{}", "語".repeat(500));
        let leaked: &'static str = String::leak(long.clone());
        for hint in [
            Hint::from(leaked),
            Hint::from(long.clone()),
            Hint::from(Arc::<str>::from(long.as_str())),
            Hint::lazy(move || long.clone()),
        ] {
            let shown = hint.render();
            assert_eq!(shown, format!("xx{}…", "語".repeat(83)), "{hint:?}");
            assert!(shown.len() <= MAX_BYTES && hint.size_bytes() <= MAX_BYTES, "{hint:?}");
        }
        let exact = "y".repeat(MAX_BYTES);
        assert_eq!(Hint::from(exact.clone()).render(), exact);
    }

    #[test]
    fn a_large_empty_buffer_is_given_back() {
        let mut text = String::with_capacity(1 << 20);
        text.push_str("short");
        assert!(Hint::from(text).size_bytes() <= MAX_BYTES);
    }

    /// Panics when it is dropped, with one more of its kind.
    struct Bomb;

    impl Drop for Bomb {
        fn drop(&mut self) {
            std::panic::panic_any(Bomb);
        }
    }

    #[test]
    fn a_panic_in_a_hint_is_caught_each_time() {
        let hint = Hint::lazy(|| panic!("no text today"));
        assert_eq!(hint.render(), PANICKED);
        assert_eq!(hint.render(), PANICKED);
        assert_eq!(format!("{hint:?}"), "Hint(lazy)");
    }

    #[test]
    fn neither_its_payload_nor_its_captures_panic_into_us() {
        let bomb = Bomb;
        let hint = Hint::lazy(move || {
            let _keep = &bomb;
            std::panic::panic_any(Bomb)
        });
        assert_eq!(hint.render(), PANICKED);
        drop(hint);
    }
}
