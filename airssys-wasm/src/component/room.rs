//! Room for live actors: that of a system, or that of one component.

// Layer 1: Standard library imports
use std::fmt;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

// Layer 2: Third-party crate imports
use tokio::sync::oneshot;

// Layer 3: Internal module imports
use crate::component::places::{Claim, KEPT, Places, Waiter};

/// How many actors wait for room, besides as many as there is room for. Each has a task and
/// at least one message.
const MAX_WAITING: usize = 1_024;

/// How many actors may be live at once, and how many are, or wait to be.
///
/// An actor that is never idle keeps its place. So an eighth of the places that actors which
/// always run leave is parted evenly among all components, at least one for each as far as
/// there are so many: what is a component's part nobody else takes, and the rest is for all.
/// Nothing is kept where there are fewer than eight places, or one component.
///
/// As many again as an eighth may wait to be live once it is full, in even parts too.
#[derive(Debug)]
pub(crate) struct Room {
    places: Mutex<Places<oneshot::Sender<Place>>>,
    /// Actors that are live, or wait to be.
    count: AtomicUsize,
    max_count: usize,
    waiting: AtomicUsize,
}

/// A place among the live actors, which is given back by being dropped.
pub(crate) struct Place {
    room: Arc<Room>,
    claim: Claim,
}

impl Room {
    /// Room for so many live actors, of one component as far as is known.
    pub(crate) fn new(max_live: usize) -> Self {
        Self {
            places: Mutex::new(Places::new(max_live)),
            count: AtomicUsize::new(0),
            max_count: max_live.saturating_mul(2).saturating_add(MAX_WAITING),
            waiting: AtomicUsize::new(0),
        }
    }

    /// Whether so many actors wait that no further one may begin.
    pub(crate) fn is_full(&self) -> bool {
        self.len() >= self.max_count
    }

    /// The same for a component that has `own` actors here.
    pub(crate) fn is_full_for(&self, own: usize) -> bool {
        if !self.is_full() {
            return false;
        }
        let kept = self.max_count / KEPT;
        let part = self.lock().part_of(kept);
        own >= part || self.len() >= self.max_count.saturating_add(kept)
    }

    /// How many actors are live, or wait to be.
    pub(crate) fn len(&self) -> usize {
        self.count.load(Ordering::Relaxed)
    }

    /// How many actors wait for a place.
    pub(crate) fn waiting(&self) -> usize {
        self.waiting.load(Ordering::Relaxed)
    }

    /// How many actors of a component wait, if it has its part of the kept places already.
    pub(crate) fn waiting_beyond(&self, component: &str) -> usize {
        self.lock().waiting_beyond(component)
    }

    /// Whether a component has more than its part of what is kept, so that others gain a
    /// place when one of its actors leaves.
    pub(crate) fn is_beyond(&self, component: &str) -> bool {
        let places = self.lock();
        places.taken_by(component) > places.kept().part
    }

    /// One more actor is there.
    pub(crate) fn enter(&self) {
        self.count.fetch_add(1, Ordering::Relaxed);
    }

    /// An actor is gone.
    pub(crate) fn leave(&self) {
        self.count.fetch_sub(1, Ordering::Relaxed);
    }

    /// So many components share the room.
    pub(crate) fn share_among(self: &Arc<Self>, components: usize) {
        let called = {
            let mut places = self.lock();
            places.share_among(components);
            places.call(oneshot::Sender::is_closed)
        };
        self.seat(called);
    }

    /// Waits for a place among the live actors, which so many components share: they are
    /// counted only when places are scarce. If there is none, `make_room` is to have
    /// somebody leave.
    pub(crate) async fn place(
        self: &Arc<Self>,
        claim: Claim,
        components: impl FnOnce() -> usize,
        make_room: impl FnOnce(),
    ) -> Option<Place> {
        if self.lock().take_if_ample(&claim) {
            return Some(self.place_of(claim));
        }
        self.share_among(components());
        let called = {
            let mut places = self.lock();
            if places.take(&claim) {
                return Some(self.place_of(claim));
            }
            let (call, called) = oneshot::channel();
            places.wait(claim, call);
            called
        };
        let _waiting = Waiting::in_room(self);
        make_room();
        called.await.ok()
    }

    fn place_of(self: &Arc<Self>, claim: Claim) -> Place {
        Place {
            room: Arc::clone(self),
            claim,
        }
    }

    fn seat(self: &Arc<Self>, called: Vec<Waiter<oneshot::Sender<Place>>>) {
        for waiter in called {
            // Who has just ceased to wait gives it back: what is not taken is dropped.
            drop(waiter.call.send(self.place_of(waiter.claim)));
        }
    }

    fn lock(&self) -> MutexGuard<'_, Places<oneshot::Sender<Place>>> {
        self.places.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Somebody who waits for a place, until it is dropped.
struct Waiting<'a>(&'a Room);

impl<'a> Waiting<'a> {
    fn in_room(room: &'a Room) -> Self {
        room.waiting.fetch_add(1, Ordering::Relaxed);
        Self(room)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.waiting.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let called = {
            let mut places = self.room.lock();
            places.leave(&self.claim);
            places.call(oneshot::Sender::is_closed)
        };
        self.room.seat(called);
    }
}

impl fmt::Debug for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Place").field(&self.claim).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::component::id::ComponentId;
    use std::time::Duration;
    use tokio::time::timeout;

    /// An actor of a component by its number.
    fn claim(component: usize) -> Claim {
        Claim {
            actor: ComponentId::new("a", component.to_string(), "x"),
            always: false,
        }
    }

    #[tokio::test]
    async fn a_place_goes_to_who_waits_and_not_to_who_has_ceased_to() {
        let room = Arc::new(Room::new(1));
        let place = async |number| room.place(claim(number), || 1, || {}).await;
        let first = place(0).await;
        assert!(timeout(Duration::ZERO, place(1)).await.is_err());
        assert_eq!(room.waiting(), 0, "who gave up does not wait");
        let waiting = place(2);
        let (second, ()) = tokio::join!(waiting, async { drop(first) });
        assert!(second.is_some());
        drop(second);
        assert!(room.lock().is_empty());
    }

    #[test]
    fn whoever_has_few_may_wait_when_others_have_filled_the_room() {
        let room = Arc::new(Room::new(8));
        room.share_among(2);
        let max = 8 * 2 + MAX_WAITING;
        (0..max).for_each(|_| room.enter());
        assert!(room.is_full_for(max));
        assert!(room.is_full_for(max / KEPT / 2));
        assert!(!room.is_full_for(max / KEPT / 2 - 1));
        (0..max / KEPT).for_each(|_| room.enter());
        assert!(room.is_full_for(0));
    }
}
