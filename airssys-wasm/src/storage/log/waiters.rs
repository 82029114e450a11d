//! Who waits until a number is reached.

// Layer 1: Standard library imports
use std::collections::BTreeMap;
use std::task::Waker;

/// Tasks that wait, each for a number. There is one for each future that is polled, so that
/// their number is bounded by whoever makes futures.
///
/// Nobody may be woken or forgotten while the log is locked: dropping a waker may drop a
/// task, whose futures lock it. So all methods give wakers back.
#[derive(Debug, Default)]
pub(crate) struct Waiters {
    waiting: BTreeMap<Place, Waker>,
    next: u64,
}

/// The number that somebody waits for, and which of those who do it is.
pub(crate) type Place = (u64, u64);

impl Waiters {
    /// Somebody waits for a number. Logarithmic in the number of those who wait.
    pub(crate) fn add(&mut self, number: u64, waker: Waker) -> Place {
        self.next += 1;
        let place = (number, self.next);
        self.waiting.insert(place, waker);
        place
    }

    /// Somebody waits no longer, or not in this way.
    pub(crate) fn remove(&mut self, place: Place) -> Option<Waker> {
        self.waiting.remove(&place)
    }

    /// How many wait.
    #[cfg(test)]
    pub(crate) fn len(&self) -> usize {
        self.waiting.len()
    }

    /// Takes out all who wait for a number up to this one.
    #[must_use]
    pub(crate) fn reached(&mut self, number: u64) -> Vec<Waker> {
        if self.waiting.is_empty() {
            return Vec::new();
        }
        let later = match number.checked_add(1) {
            Some(next) => self.waiting.split_off(&(next, 0)),
            None => BTreeMap::new(),
        };
        std::mem::replace(&mut self.waiting, later)
            .into_values()
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn those_whose_number_is_reached_are_taken_and_no_others() {
        let mut waiters = Waiters::default();
        let places =
            [7, 3, 5, 5, u64::MAX].map(|number| waiters.add(number, Waker::noop().clone()));
        assert_eq!(waiters.reached(2).len(), 0);
        assert_eq!(waiters.reached(5).len(), 3);
        assert!(waiters.remove(places[1]).is_none(), "it was taken");
        assert!(waiters.remove(places[0]).is_some());
        assert_eq!(waiters.reached(u64::MAX).len(), 1);
    }
}
