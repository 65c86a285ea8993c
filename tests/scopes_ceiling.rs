//! A scope in a build whose ceiling is below its level fails aloud. Run with `--features max_level_advanced` and the like;
//! without a ceiling it holds that there is none.

use std::panic::catch_unwind;

use leaktrail::Level;
use leaktrail::testing::{LeakScope, self_test};

#[test]
fn a_scope_that_cannot_see_does_not_pass() {
    let made = catch_unwind(|| LeakScope::new("blind"));
    if Level::CEILING == Level::Paranoid {
        made.expect("nothing is above it").assert_clean();
        return;
    }
    let text = *made.expect_err("it must not pass").downcast::<String>().unwrap();
    let expected = "leak scope 'blind' cannot see: it needs level PARANOID, and the ceiling of this build is ";
    assert!(text.starts_with(expected), "{text}");
    // Losses are detected from SIMPLE on.
    assert_eq!(catch_unwind(self_test).is_ok(), Level::CEILING > Level::Disabled);
}
