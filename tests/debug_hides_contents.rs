//! Contents may be anybody's secrets: no text that this crate makes has them.

mod rig;

use std::fmt::{self, Debug};
use std::panic::{AssertUnwindSafe, catch_unwind};

use leaktrail::{ByteBuf, ByteBufAllocator, DropPolicy, Level};
use rig::Rig;

const MARKER: &[u8] = b"Swordfish-71";

/// Holds that a text has the marker in no spelling that a `Debug` could give it.
#[track_caller]
fn assert_hidden(text: &str) {
    let spelled = |each: fn(&u8) -> String, between: &str| MARKER.iter().map(each).collect::<Vec<_>>().join(between);
    for secret in [
        String::from_utf8(MARKER.to_vec()).unwrap(),
        format!("{MARKER:?}"),
        spelled(|byte| byte.to_string(), ", "),
        spelled(|byte| byte.to_string(), ",\n"),
        spelled(|byte| format!("{byte:02x}"), ""),
        spelled(|byte| format!("{byte:#04x}"), ", "),
        // A part of it is too much as well.
        "word".to_owned(),
        "119, 111".to_owned(),
    ] {
        assert!(!text.contains(&secret), "{secret:?} is in {text}");
    }
}

#[track_caller]
fn assert_debug_hides(value: &dyn Debug) {
    let (short, long) = (format!("{value:?}"), format!("{value:#?}"));
    assert!(!short.is_empty());
    assert_hidden(&short);
    assert_hidden(&long);
}

struct Shown<'a>(&'a dyn fmt::Display);

impl Debug for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {:#}", self.0, self.0)
    }
}

#[test]
fn no_type_shows_what_is_in_a_buffer() {
    assert!(catch_unwind(|| assert_debug_hides(&MARKER)).is_err(), "a slice does show it");
    for level in [Level::Disabled, Level::Simple, Level::Paranoid] {
        let rig = Rig::new(level, DropPolicy::Reclaim, 100);
        let mut buffer = rig.allocator.allocate(MARKER.len() + 4).unwrap();
        buffer.put_slice(MARKER);
        assert_debug_hides(&buffer);
        assert_debug_hides(&Ok::<_, ()>(&buffer));
        let refused = buffer.try_reserve(1000).unwrap_err();
        assert_debug_hides(&refused);
        assert_debug_hides(&Shown(&refused));

        let body = buffer.freeze();
        assert_debug_hides(&body);
        assert_debug_hides(&vec![body.slice(1..5), body.clone()]);
        let joined = ByteBuf::join([body.retain(), body.slice(..)]);
        assert_debug_hides(&joined);
        assert_debug_hides(&rig.detector.watch(body.slice(..)));
        assert_debug_hides(&rig.allocator);
        assert_debug_hides(&rig);
        joined.release();
        body.release();

        // Nor does anything that is told of those that were lost here.
        assert_debug_hides(&rig.detector.snapshot());
        assert_debug_hides(&Shown(&rig.detector.snapshot()));
        for report in rig.reports() {
            assert_debug_hides(&report);
            assert_debug_hides(&Shown(&report));
            assert_hidden(&serde_json::to_string(&report).unwrap());
        }
        for refusal in rig.refusals() {
            assert_debug_hides(&refusal);
            assert_debug_hides(&Shown(&refusal));
        }
        assert_eq!(rig.memory.used(), 0);
    }
}

/// What a panic says of a bad index or of bytes that do not fit.
#[test]
fn no_panic_shows_what_is_in_a_buffer() {
    let rig = Rig::new(Level::Simple, DropPolicy::Release, 100);
    let said = |work: &mut dyn FnMut()| {
        let panic = catch_unwind(AssertUnwindSafe(work)).unwrap_err();
        let text = panic.downcast_ref::<String>().cloned();
        text.unwrap_or_else(|| (*panic.downcast_ref::<&str>().unwrap()).to_owned())
    };
    let mut buffer = rig.allocator.allocate(4).unwrap();
    let too_much = said(&mut || buffer.put_slice(MARKER));
    assert_eq!(too_much, "12 byte(s) do not fit into the 4 that are left of 4");
    let mut body = rig.filled(MARKER);
    for text in [
        said(&mut || drop(body.slice(5..100))),
        said(&mut || body.advance(100)),
        said(&mut || ByteBuf::join([body.retain()]).advance(100)),
        too_much,
    ] {
        assert_hidden(&text);
    }
}
