//! The live actors of a component, in the order of their last use.

// Layer 1: Standard library imports
use std::cmp::{Ordering, Reverse};
use std::collections::BinaryHeap;
use std::collections::binary_heap::PeekMut;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

// Layer 3: Internal module imports
use crate::component::cell::Cell;

/// Finds the live actors that were not used for longest.
///
/// Using an actor writes one number and takes no lock: entries move to where they belong
/// when somebody asks for the oldest. So what comes out is exact, and costs each actor
/// about one move for each time that it is looked at.
#[derive(Debug, Default)]
pub(crate) struct LiveSet {
    heap: Mutex<BinaryHeap<Reverse<Entry>>>,
}

/// An actor where it stood when it was last looked at.
#[derive(Debug)]
struct Entry {
    used_ms: u64,
    cell: Arc<Cell>,
}

impl LiveSet {
    /// An actor is live.
    pub(crate) fn insert(&self, cell: &Arc<Cell>) {
        let cell = Arc::clone(cell);
        let used_ms = cell.used_ms();
        self.lock().push(Reverse(Entry { used_ms, cell }));
    }

    /// When the actor that was not used for longest was last used.
    pub(crate) fn oldest_ms(&self) -> Option<u64> {
        let mut heap = self.lock();
        settle(&mut heap);
        heap.peek().map(|Reverse(entry)| entry.used_ms)
    }

    /// Takes the actor that was not used for longest, if it was not used since
    /// `before_ms`. It is to be put in again if it stays live.
    pub(crate) fn take_older(&self, before_ms: u64) -> Option<Arc<Cell>> {
        let mut heap = self.lock();
        settle(&mut heap);
        let Reverse(entry) = heap.peek()?;
        if entry.used_ms >= before_ms {
            return None;
        }
        heap.pop().map(|Reverse(entry)| entry.cell)
    }

    fn lock(&self) -> MutexGuard<'_, BinaryHeap<Reverse<Entry>>> {
        self.heap.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Moves entries that were used meanwhile to where they belong, and drops those of actors
/// that are gone, until the one on top is right.
fn settle(heap: &mut BinaryHeap<Reverse<Entry>>) {
    while let Some(mut top) = heap.peek_mut() {
        let used_ms = top.0.cell.used_ms();
        if top.0.cell.is_retired() {
            PeekMut::pop(top);
        } else if used_ms > top.0.used_ms {
            top.0.used_ms = used_ms;
        } else {
            return;
        }
    }
}

impl PartialEq for Entry {
    fn eq(&self, other: &Self) -> bool {
        self.used_ms == other.used_ms
    }
}

impl Eq for Entry {}

impl PartialOrd for Entry {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Entry {
    fn cmp(&self, other: &Self) -> Ordering {
        self.used_ms.cmp(&other.used_ms)
    }
}
