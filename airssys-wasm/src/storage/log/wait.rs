//! Waiting for something to become true of the log.

// Layer 1: Standard library imports
use std::pin::Pin;
use std::task::{Context, Poll};

// Layer 3: Internal module imports
use crate::core::storage::store::StoreError;
use crate::storage::log::shared::Shared;
use crate::storage::log::state::{Event, State};
use crate::storage::log::waiters::Place;

/// Waits until `check` gives something, which it is asked at first and at each event of its
/// kind that reaches its number. It may be dropped at any time.
#[derive(Debug)]
#[must_use = "nobody waits yet"]
pub(crate) struct Wait<'a, C> {
    shared: &'a Shared,
    event: Event,
    number: u64,
    check: C,
    place: Option<Place>,
}

impl<'a, C> Wait<'a, C> {
    pub(crate) fn new(shared: &'a Shared, event: Event, number: u64, check: C) -> Self {
        Self {
            shared,
            event,
            number,
            check,
            place: None,
        }
    }
}

impl<C> Future for Wait<'_, C>
where
    C: FnMut(&mut State) -> Poll<Result<(), StoreError>> + Unpin,
{
    type Output = Result<(), StoreError>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.get_mut();
        // Both are made and dropped while nothing is locked: dropping a waker may drop a
        // task, whose futures lock the log.
        let waker = context.waker().clone();
        let mut state = this.shared.lock();
        let before = this
            .place
            .take()
            .and_then(|place| state.waiters(this.event).remove(place));
        let ready = (this.check)(&mut state);
        if ready.is_pending() {
            let place = state.waiters(this.event).add(this.number, waker);
            this.place = Some(place);
        }
        this.shared.unlock(state);
        drop(before);
        ready
    }
}

impl<C> Drop for Wait<'_, C> {
    fn drop(&mut self) {
        if let Some(place) = self.place {
            let mut state = self.shared.lock();
            let waker = state.waiters(self.event).remove(place);
            drop(state);
            drop(waker);
        }
    }
}
