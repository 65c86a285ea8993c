//! Who waits for bytes, first in, first out. Plain code without time or threads: what is shared is in [`room`](super::room).
//!
//! ```text
//! root   4 of 10 free    ◄── 7 wants 6: waits here, and its bytes are kept here after 10 ms
//!   ├─ tenant a          ◄── 9 wants 1: behind 7, whose bytes would never come together else
//!   └─ tenant b, full    ◄── 5 wants 2: waits here, in nobody's way but tenant b's own
//! ```
//!
//! A request waits at one budget at a time: the first that has no room for it, from the one that was asked up to the root.
//! There it is in the way of all who come later and want bytes of that budget, and of nobody else.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use super::call::{Answer, Call};
use crate::clock::Stamp;

/// A budget as the line sees it.
pub(super) trait Payer {
    /// What tells it from all others.
    fn place(&self) -> Place;
    /// True if its bytes are bytes of that one too.
    fn pays_from(&self, place: Place) -> bool;
    /// Takes the bytes, from itself and from every budget above, or from none.
    fn pay(&self, bytes: u64) -> Paid;
}

/// A budget's identity: an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place(pub(super) usize);

/// What came of paying.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Paid {
    Yes,
    /// There is no room at this one, where so many bytes are used.
    Short(Place, u64),
    /// There will never be room at this one, where so many bytes are used.
    Never(Place, u64),
}

/// Bytes that are kept at one budget for who waits there longest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Kept {
    pub(super) place: Place,
    pub(super) bytes: u64,
    pub(super) since: Stamp,
}

impl Kept {
    /// How long it has been waited for.
    pub(super) fn age(&self, now: Stamp) -> Duration {
        now.since(self.since)
    }
}

/// Everybody who waits for bytes of one tree of budgets.
#[derive(Debug)]
pub(super) struct Line<P> {
    /// One for each budget that was asked; none is empty. Within one nobody is served before who came earlier.
    lanes: Vec<Lane<P>>,
    /// Answered, and to be woken once no lock is held.
    answered: Vec<Arc<Call>>,
    next_number: u64,
}

#[derive(Debug)]
struct Lane<P> {
    payer: Arc<P>,
    requests: VecDeque<Request>,
}

#[derive(Debug)]
struct Request {
    /// In the order of arrival, over all lanes.
    number: u64,
    bytes: u64,
    since: Stamp,
    call: Arc<Call>,
}

impl<P: Payer> Line<P> {
    pub(super) fn new() -> Line<P> {
        Line { lanes: Vec::new(), answered: Vec::new(), next_number: 0 }
    }

    /// Enters a request; the answer is its number.
    pub(super) fn enter(&mut self, payer: &Arc<P>, bytes: u64, since: Stamp, call: Arc<Call>) -> u64 {
        let number = self.next_number;
        self.next_number += 1;
        let request = Request { number, bytes, since, call };
        match self.lanes.iter_mut().find(|lane| lane.payer.place() == payer.place()) {
            Some(lane) => lane.requests.push_back(request),
            None => self.lanes.push(Lane { payer: payer.clone(), requests: VecDeque::from([request]) }),
        }
        number
    }

    /// Serves everybody whose turn it is and who fits. Afterwards every first one is short; what is kept for them is the
    /// answer, one entry for each budget at which somebody waits.
    pub(super) fn serve(&mut self) -> Vec<Kept> {
        loop {
            let mut kept: Vec<Kept> = Vec::new();
            let mut after = None;
            let answered = loop {
                let Some(at) = self.next_lane(after) else { break None };
                let (payer, first) = (&self.lanes[at].payer, &self.lanes[at].requests[0]);
                after = Some(first.number);
                if kept.iter().any(|kept| payer.pays_from(kept.place)) {
                    continue;
                }
                match payer.pay(first.bytes) {
                    Paid::Yes => break Some((at, Answer::Served)),
                    Paid::Never(..) => break Some((at, Answer::Never)),
                    Paid::Short(place, _) => kept.push(Kept { place, bytes: first.bytes, since: first.since }),
                }
            };
            let Some((at, answer)) = answered else { return kept };
            if let Some(request) = self.lanes[at].requests.pop_front() {
                request.call.answer(answer);
                self.answered.push(request.call);
            }
            self.lanes.retain(|lane| !lane.requests.is_empty());
        }
    }

    /// Takes a request out that is not waited for any more; false if it was answered before.
    pub(super) fn leave(&mut self, number: u64) -> bool {
        let mut found = false;
        for lane in &mut self.lanes {
            if let Ok(at) = lane.requests.binary_search_by_key(&number, |request| request.number) {
                lane.requests.remove(at);
                found = true;
            }
        }
        self.lanes.retain(|lane| !lane.requests.is_empty());
        found
    }

    /// True if nobody who asked the same budget came earlier.
    pub(super) fn is_first(&self, number: u64) -> bool {
        self.lanes.iter().any(|lane| lane.requests[0].number == number)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.lanes.is_empty()
    }

    /// How many wait for bytes of one budget.
    pub(super) fn waiting_at(&self, place: Place) -> u64 {
        let here = self.lanes.iter().filter(|lane| lane.payer.pays_from(place));
        here.map(|lane| lane.requests.len() as u64).sum()
    }

    /// Whoever has been answered since this was asked last.
    pub(super) fn take_answered(&mut self) -> Vec<Arc<Call>> {
        std::mem::take(&mut self.answered)
    }

    /// The lane whose first came earliest, of those that came after number `after`.
    fn next_lane(&self, after: Option<u64>) -> Option<usize> {
        let firsts = self.lanes.iter().enumerate().map(|(at, lane)| (lane.requests[0].number, at));
        firsts.filter(|(number, _)| after.is_none_or(|after| *number > after)).min().map(|(_, at)| at)
    }
}
