//! Room for live actors: that of a system, or that of one component.

// Layer 1: Standard library imports
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

// Layer 2: Third-party crate imports
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// How many actors wait for room, besides as many as there is room for. Each has a task and
/// at least one message.
const MAX_WAITING: usize = 1_024;

/// How many actors may be live at once, and how many are, or wait to be.
#[derive(Debug)]
pub(crate) struct Room {
    places: Arc<Semaphore>,
    /// Actors that are live, or wait to be.
    count: AtomicUsize,
    max_count: usize,
    waiting: AtomicUsize,
}

impl Room {
    /// Room for so many live actors.
    pub(crate) fn new(max_live: usize) -> Self {
        Self {
            places: Arc::new(Semaphore::new(max_live.min(Semaphore::MAX_PERMITS))),
            count: AtomicUsize::new(0),
            max_count: max_live.saturating_mul(2).saturating_add(MAX_WAITING),
            waiting: AtomicUsize::new(0),
        }
    }

    /// Whether so many actors wait that no further one may begin.
    pub(crate) fn is_full(&self) -> bool {
        self.len() >= self.max_count
    }

    /// How many actors are live, or wait to be.
    pub(crate) fn len(&self) -> usize {
        self.count.load(Ordering::Relaxed)
    }

    /// How many actors wait for a place.
    pub(crate) fn waiting(&self) -> usize {
        self.waiting.load(Ordering::Relaxed)
    }

    /// One more actor is there.
    pub(crate) fn enter(&self) {
        self.count.fetch_add(1, Ordering::Relaxed);
    }

    /// An actor is gone.
    pub(crate) fn leave(&self) {
        self.count.fetch_sub(1, Ordering::Relaxed);
    }

    /// Waits for a place among the live actors. If there is none, `make_room` is to have
    /// somebody leave.
    pub(crate) async fn place(&self, make_room: impl FnOnce()) -> Option<OwnedSemaphorePermit> {
        if let Ok(place) = Arc::clone(&self.places).try_acquire_owned() {
            return Some(place);
        }
        self.waiting.fetch_add(1, Ordering::Relaxed);
        make_room();
        let place = Arc::clone(&self.places).acquire_owned().await;
        self.waiting.fetch_sub(1, Ordering::Relaxed);
        place.ok()
    }
}
