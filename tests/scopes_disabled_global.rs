//! A scope sees what is opened on the global detector while that is DISABLED. In a process of its own: the level is global.

use leaktrail::testing::LeakScope;
use leaktrail::{Config, LeakDetector, Level};

#[test]
fn a_scope_sees_what_a_disabled_global_detector_would_not() {
    LeakDetector::install(Config::new().level(Level::Disabled)).unwrap();
    let global = LeakDetector::global();
    global.set_level(Level::Disabled);

    let scope = LeakScope::new("disabled");
    let entered = scope.enter();
    drop(leaktrail::track(1));
    // Code under test that sets the level sets the global one's, not the scope's.
    global.set_level(Level::Disabled);
    drop(global.clone().track(2));
    drop(entered);
    drop(leaktrail::track(3));

    assert_eq!(scope.detector().snapshot().leaked(), 2);
    assert_eq!(global.snapshot().created(), 0);
    let failure = std::panic::catch_unwind(|| scope.assert_clean()).unwrap_err();
    assert!(failure.downcast::<String>().unwrap().contains("2 lost"));

    // A suite that sees nothing says so.
    let blind = std::panic::catch_unwind(leaktrail::testing::self_test).unwrap_err();
    let text = blind.downcast::<String>().unwrap();
    assert!(text.starts_with("leak detection is off: the level in force is DISABLED"), "{text}");
}
