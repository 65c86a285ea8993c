//! Scopes on an executor: tasks carry them from thread to thread, and to no other task.

use std::time::Duration;

use leaktrail::testing::{Growth, LeakScope, check_async};
use leaktrail::{Tracked, Watched};
use tokio::sync::oneshot;
use tokio::task::yield_now;

/// Opens `n` handles at as many polls, loses one of them and gives the others back.
async fn lose_one_of(n: u64) {
    let mut held = Vec::new();
    for _ in 0..n {
        held.push(leaktrail::track(n));
        yield_now().await;
    }
    drop(held.pop());
    for handle in held {
        Tracked::release(handle);
        yield_now().await;
    }
}

/// Sixteen scopes whose tasks take turns on the same threads.
async fn sixteen_at_once() {
    let scopes: Vec<LeakScope> = (1..=16).map(|n| LeakScope::new(format!("task {n}"))).collect();
    let tasks: Vec<_> =
        scopes.iter().zip(1..).map(|(scope, n)| tokio::spawn(scope.instrument(lose_one_of(n * 10)))).collect();
    let stranger = tokio::spawn(lose_one_of(50));
    for task in tasks {
        task.await.unwrap();
    }
    stranger.await.unwrap();
    for (scope, n) in scopes.iter().zip(1..) {
        let seen = scope.detector().snapshot();
        assert_eq!((seen.created(), seen.leaked(), seen.released(), seen.live()), (n * 10, 1, n * 10 - 1, 0), "{seen}");
        scope.ignore_resource("u64", "counted above");
        scope.assert_clean();
    }
}

#[tokio::test(flavor = "current_thread")]
async fn sixteen_on_one_thread() {
    sixteen_at_once().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn sixteen_on_four_threads() {
    sixteen_at_once().await;
}

/// The settling lets the executor's tasks go on, also where the test's thread is the executor.
async fn a_task_that_releases_late() {
    check_async(async |scope| {
        let handle = leaktrail::track(1);
        tokio::spawn(scope.instrument(async move {
            tokio::time::sleep(Duration::from_millis(20)).await;
            Tracked::release(handle);
        }));
    })
    .await;
}

#[tokio::test(flavor = "current_thread")]
async fn a_late_task_is_waited_for_on_one_thread() {
    a_task_that_releases_late().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_late_task_is_waited_for_on_two_threads() {
    a_task_that_releases_late().await;
}

#[tokio::test]
async fn a_check_that_finds_a_leak_fails_the_test_that_has_it() {
    let line = line!() + 1;
    let failed = tokio::spawn(check_async(async |_| drop(leaktrail::track(1)))).await.unwrap_err();
    let text = *failed.into_panic().downcast::<String>().unwrap();
    assert!(text.starts_with(&format!("leak scope 'tests/scopes_tokio.rs:{line}:")), "{text}");
    assert!(text.contains("1 lost (0 B) at 1 site"), "{text}");
}

#[tokio::test]
async fn a_future_is_dropped_inside_its_scope() {
    struct Opens;
    impl Drop for Opens {
        fn drop(&mut self) {
            drop(leaktrail::watch(()));
        }
    }
    let scope = LeakScope::new("aborted");
    let (say, said) = oneshot::channel();
    let task = tokio::spawn(scope.instrument(async move {
        let _opens = Opens;
        say.send(()).unwrap();
        std::future::pending::<()>().await;
    }));
    said.await.unwrap();
    task.abort();
    task.await.unwrap_err();
    assert_eq!(scope.detector().snapshot().released(), 1);
    scope.assert_clean();
}

#[tokio::test]
async fn a_guard_before_an_await_is_left_to_the_thread_and_instrument_is_not() {
    let scope = LeakScope::new("blocking work");
    let handle = scope.handle();
    let watched: Watched<u8> = tokio::task::spawn_blocking(move || {
        let _entered = handle.enter();
        leaktrail::watch(1)
    })
    .await
    .unwrap();
    assert_eq!(scope.detector().snapshot().live(), 1);
    drop(watched);
    assert_eq!(scope.assert_clean_within_async(Duration::from_secs(60)).await, Duration::ZERO);
}

#[tokio::test]
async fn rounds_may_be_async() {
    Growth::new()
        .warm_up(1)
        .rounds(4)
        .check_async(async |_| {
            let handle = leaktrail::track(1);
            yield_now().await;
            Tracked::release(handle);
        })
        .await;
}
