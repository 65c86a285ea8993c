//! A table whose places are filled once and never emptied: how a value is found in it, or put there, without a lock.
//!
//! ```text
//! places:   [ A ][ B ][   ][ C ] …        a walk begins at the value's own place and goes on past others
//!                      ▲
//!                      the first empty one decides: whoever fills it first has it. Who comes second
//!                      looks at what is there now, and goes on if it is another value
//! ```
//!
//! All that look for one value walk the same way, and what they pass never changes. So a value has one place, whoever put it
//! there.

use once_cell::race::OnceBox;

/// A place in the table.
pub(super) trait Place<T> {
    /// How a value is handed over.
    type Owned;
    /// What it was filled with. Whoever sees that sees all of it.
    fn get(&self) -> Option<&T>;
    /// Fills it, or gives the value back where it is filled already.
    fn set(&self, value: Self::Owned) -> Result<(), Self::Owned>;
}

/// Set at most once, by exchange; a set one is read by one Acquire load.
impl<T> Place<T> for OnceBox<T> {
    type Owned = Box<T>;

    fn get(&self) -> Option<&T> {
        OnceBox::get(self)
    }

    fn set(&self, value: Box<T>) -> Result<(), Box<T>> {
        OnceBox::set(self, value)
    }
}

/// What a walk came to.
#[derive(Debug)]
pub(super) enum Found<'a, T> {
    /// It was there, or another thread has put it there meanwhile.
    Known(&'a T),
    /// This walk has put it there.
    New(&'a T),
}

/// Looks for a value from `start` on, and puts there what `make` makes if it is not there. `None` when no value is made, or
/// the table is full.
pub(super) fn find_or_fill<'a, T, P: Place<T>>(
    places: &'a [P],
    start: usize,
    is_it: impl Fn(&T) -> bool,
    make: impl FnOnce() -> Option<P::Owned>,
) -> Option<Found<'a, T>> {
    // Made when the first empty place is met, and carried on if another thread fills that place first.
    let mut made: Option<P::Owned> = None;
    let mut make = Some(make);
    for step in 0..places.len() {
        let place = &places[(start + step) % places.len()];
        if let Some(found) = place.get() {
            if is_it(found) {
                return Some(Found::Known(found));
            }
            continue;
        }
        let value = match made.take() {
            Some(value) => value,
            None => make.take()?()?,
        };
        match place.set(value) {
            Ok(()) => return place.get().map(Found::New),
            // Another thread filled it, perhaps with this very value.
            Err(value) => match place.get() {
                Some(found) if is_it(found) => return Some(Found::Known(found)),
                _ => made = Some(value),
            },
        }
    }
    None
}

#[cfg(all(test, leaktrail_loom))]
mod loom_tests {
    use std::sync::OnceLock;

    use loom::sync::Arc;
    use loom::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
    use loom::thread;

    use super::*;

    /// Values that one place of a model may be offered.
    const OFFERS: usize = 4;

    /// `OnceBox` with a number for its pointer: the same operations in the same orders, on loom's atomic. The values stand
    /// beside it, where loom does not look: what a reader may see of one it has by this number alone.
    #[derive(Debug)]
    struct Modelled<T> {
        chosen: AtomicUsize,
        offered: [OnceLock<std::sync::Arc<T>>; OFFERS],
    }

    impl<T> Place<T> for Modelled<T> {
        type Owned = std::sync::Arc<T>;

        fn get(&self) -> Option<&T> {
            let chosen = self.chosen.load(Ordering::Acquire).checked_sub(1)?;
            self.offered[chosen].get().map(|value| &**value)
        }

        fn set(&self, value: Self::Owned) -> Result<(), Self::Owned> {
            let offer = self.offered.iter().position(|offer| offer.set(value.clone()).is_ok());
            let number = offer.expect("as many as threads") + 1;
            let exchanged = self.chosen.compare_exchange(0, number, Ordering::Release, Ordering::Acquire);
            exchanged.map(drop).map_err(|_| value)
        }
    }

    /// A stored value: loom sees a reader that comes before the writer is done.
    #[derive(Debug)]
    struct Value(AtomicU64);

    fn put(places: &[Modelled<Value>], value: u64) -> Option<(usize, bool)> {
        let is_it = |found: &Value| {
            let found = found.0.load(Ordering::Relaxed);
            assert_ne!(found, 0, "seen before it was whole");
            found == value
        };
        let make = || {
            let made = std::sync::Arc::new(Value(AtomicU64::new(0)));
            // Relaxed: what publishes it is the place.
            made.0.store(value, Ordering::Relaxed);
            Some(made)
        };
        // All walks begin at the same place, so that they meet.
        find_or_fill(places, 0, is_it, make).map(|found| match found {
            Found::Known(value) => (std::ptr::from_ref(value) as usize, false),
            Found::New(value) => (std::ptr::from_ref(value) as usize, true),
        })
    }

    fn table(places: usize) -> Arc<Vec<Modelled<Value>>> {
        Arc::new((0..places).map(|_| Modelled { chosen: AtomicUsize::new(0), offered: Default::default() }).collect())
    }

    #[test]
    fn loom_of_threads_that_put_one_value_one_has_put_it_and_all_have_it() {
        loom::model(|| {
            let table = table(2);
            let others: Vec<_> = (0..2)
                .map(|_| {
                    let table = table.clone();
                    thread::spawn(move || put(&table, 7).unwrap())
                })
                .collect();
            let mine = put(&table, 7).unwrap();
            let mut all: Vec<_> = others.into_iter().map(|other| other.join().unwrap()).collect();
            all.push(mine);
            assert!(all.iter().all(|(place, _)| *place == mine.0), "one value in two places");
            assert_eq!(all.iter().filter(|(_, is_new)| *is_new).count(), 1);
        });
    }

    #[test]
    fn loom_values_that_want_one_place_have_a_place_each() {
        loom::model(|| {
            let table = table(3);
            let other = {
                let table = table.clone();
                thread::spawn(move || (put(&table, 1).unwrap().0, put(&table, 2).unwrap().0))
            };
            let mine = (put(&table, 2).unwrap().0, put(&table, 1).unwrap().0);
            let (first, second) = other.join().unwrap();
            assert_eq!((first, second), (mine.1, mine.0));
            assert_ne!(first, second);
        });
    }

    #[test]
    fn loom_of_two_that_want_the_last_place_one_goes_without() {
        loom::model(|| {
            let table = table(1);
            let other = {
                let table = table.clone();
                thread::spawn(move || put(&table, 1).is_some())
            };
            let mine = put(&table, 2).is_some();
            assert!(mine != other.join().unwrap());
        });
    }
}
