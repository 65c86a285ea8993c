//! How a scope waits for late releases: a look at once, then pauses that grow.

use std::future::poll_fn;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Poll, Waker};
use std::thread;
use std::time::{Duration, Instant};

/// The first pause after a look that was not clean.
const FIRST_PAUSE: Duration = Duration::from_millis(1);
/// The longest pause: what a test that settles late loses at most.
const LONGEST_PAUSE: Duration = Duration::from_millis(50);

/// The pauses of one wait: 1, 2, 4 … 32, 50, 50 … ms, and no longer in all than the patience.
#[derive(Debug)]
pub(super) struct Pauses {
    started: Instant,
    patience: Duration,
    next: Duration,
}

impl Pauses {
    pub(super) fn new(patience: Duration) -> Pauses {
        Pauses { started: Instant::now(), patience, next: FIRST_PAUSE }
    }

    /// How long it was waited; zero before the first pause.
    pub(super) fn waited(&self) -> Duration {
        if self.next == FIRST_PAUSE { Duration::ZERO } else { self.started.elapsed() }
    }

    /// The next pause; nothing when the patience is at its end.
    pub(super) fn next(&mut self) -> Option<Duration> {
        let left = self.patience.saturating_sub(self.started.elapsed());
        let pause = self.next.min(left);
        self.next = (self.next * 2).min(LONGEST_PAUSE);
        (!pause.is_zero()).then_some(pause)
    }
}

/// Waits without blocking the executor, whichever it is: a thread sleeps and wakes the task.
pub(super) async fn sleep(pause: Duration) {
    #[derive(Default)]
    struct Alarm {
        rang: bool,
        waker: Option<Waker>,
    }
    let alarm = Arc::new(Mutex::new(Alarm::default()));
    let rings = alarm.clone();
    let clock = thread::Builder::new().name("leaktrail-pause".to_owned()).spawn(move || {
        thread::sleep(pause);
        let mut alarm = rings.lock().unwrap_or_else(PoisonError::into_inner);
        alarm.rang = true;
        let waker = alarm.waker.take();
        drop(alarm);
        // With no lock held: waking is the executor's code.
        waker.inspect(Waker::wake_by_ref);
    });
    if clock.is_err() {
        // No thread to be had: blocking is better than never waking.
        return thread::sleep(pause);
    }
    poll_fn(|context| {
        let mut alarm = alarm.lock().unwrap_or_else(PoisonError::into_inner);
        if alarm.rang {
            return Poll::Ready(());
        }
        let before = alarm.waker.replace(context.waker().clone());
        drop(alarm);
        drop(before);
        Poll::Pending
    })
    .await;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_from_one_to_fifty_milliseconds_and_end_with_the_patience() {
        let mut pauses = Pauses::new(Duration::from_secs(3_600));
        assert!(pauses.waited().is_zero());
        let lengths: Vec<u128> = (0..9).filter_map(|_| pauses.next()).map(|pause| pause.as_millis()).collect();
        assert_eq!(lengths, [1, 2, 4, 8, 16, 32, 50, 50, 50]);
        assert_eq!(Pauses::new(Duration::ZERO).next(), None);
        assert!(Pauses::new(Duration::from_micros(10)).next().is_none_or(|pause| pause <= Duration::from_micros(10)));
    }
}
