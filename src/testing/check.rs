//! The usual test in one call.

use std::panic::Location;
use std::time::Duration;

use super::scope::LeakScope;
use crate::report::Site;

/// How long the one-call checks wait for late releases.
const PATIENCE: Duration = Duration::from_millis(500);

/// Runs a test in a scope of its own, entered, and fails unless everything has come back half a second later.
///
/// The scope is named after the line that calls this. What the test returns is returned once the scope was asked; a handle in
/// it counts as alive.
///
/// # Panics
///
/// As [`LeakScope::assert_clean`], and as the test does.
///
/// # Examples
///
/// ```
/// use leaktrail::testing::check;
///
/// let answer = check(|_scope| {
///     let handle = leaktrail::track(42); // on the global detector, counted in the scope
///     leaktrail::Tracked::release(handle)
/// });
/// assert_eq!(answer, 42);
/// ```
#[track_caller]
pub fn check<R>(test: impl FnOnce(&LeakScope) -> R) -> R {
    let scope = LeakScope::new(name(Location::caller()));
    let entered = scope.enter();
    let result = test(&scope);
    drop(entered);
    scope.assert_clean_within(PATIENCE);
    result
}

/// Runs an async test in a scope of its own, entered whenever it is polled, and fails unless everything has come back half a
/// second later. The executor's other tasks go on meanwhile.
///
/// What the test spawns is counted in the scope if it is [`instrument`](LeakScope::instrument)ed.
///
/// # Panics
///
/// As [`LeakScope::assert_clean`], and as the test does.
///
/// # Examples
///
/// ```
/// use leaktrail::testing::check_async;
///
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// check_async(async |scope| {
///     let task = tokio::spawn(scope.instrument(async { leaktrail::Tracked::release(leaktrail::track(42)) }));
///     assert_eq!(task.await.unwrap(), 42);
/// })
/// .await;
/// # });
/// ```
#[track_caller]
pub fn check_async<T, R>(test: T) -> impl Future<Output = R>
where
    T: AsyncFnOnce(&LeakScope) -> R,
{
    // Not an `async fn`: that would have no caller to name.
    let scope = LeakScope::new(name(Location::caller()));
    async move {
        let result = scope.instrument(test(&scope)).await;
        scope.assert_clean_within_async(PATIENCE).await;
        result
    }
}

/// What a scope is called that nobody named.
pub(super) fn name(caller: &'static Location<'static>) -> String {
    Site::from_location(caller).to_string()
}
