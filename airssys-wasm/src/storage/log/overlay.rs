//! What was committed and is not in the tables yet.
//!
//! A batch moves from one layer to the next:
//!
//! ```text
//! pending -> in flight -> settling -> unapplied -> applying -> (tables)
//!  merging    to the log   durable, moves bit by bit   to the tables
//! ```

// Layer 1: Standard library imports
use std::collections::BTreeSet;
use std::collections::btree_map::Range;
use std::iter::Peekable;
use std::ops::RangeBounds;
use std::sync::Arc;

// Layer 3: Internal module imports
use crate::core::component::id::ComponentId;
use crate::core::storage::row::RowKey;
use crate::storage::log::batch::{Batch, Slot};

/// How many layers there are.
const LAYERS: usize = 5;

/// The layers. A newer one says what counts; what none has is as the tables say.
#[derive(Debug, Default)]
pub(crate) struct Overlay {
    /// What the next write to the log is made of.
    pub(crate) pending: Batch,
    /// What is being written to the log.
    pub(crate) in_flight: Option<Arc<Batch>>,
    /// What is in the log, on its way to `unapplied`.
    pub(crate) settling: Option<Batch>,
    /// What is in the log alone.
    pub(crate) unapplied: Batch,
    /// What is being written to the tables.
    pub(crate) applying: Option<Arc<Batch>>,
}

impl Overlay {
    /// What the overlay says of a row, if it does.
    pub(crate) fn get(&self, actor: &ComponentId, key: &RowKey) -> Option<&Slot> {
        let rows = self.layers().into_iter().flatten();
        rows.filter_map(|layer| layer.rows_of(actor))
            .find_map(|rows| rows.get(key))
    }

    /// What the overlay says of an actor's rows in a range, in order.
    pub(crate) fn range<'a>(
        &'a self,
        actor: &ComponentId,
        range: impl RangeBounds<RowKey> + Clone,
    ) -> Merged<'a> {
        Merged {
            layers: self.layers().map(|layer| {
                let rows = layer?.rows_of(actor)?;
                Some(rows.range(range.clone()).peekable())
            }),
        }
    }

    /// Whose rows the overlay says something of, among those whose address begins with
    /// `prefix`. It looks at all.
    pub(crate) fn actors(&self, prefix: &str) -> BTreeSet<ComponentId> {
        let layers = self.layers().into_iter().flatten();
        layers
            .flat_map(Batch::actors)
            .filter(|actor| actor.as_str().starts_with(prefix))
            .cloned()
            .collect()
    }

    /// Whether rows of an actor wait for the log.
    pub(crate) fn is_unlogged(&self, actor: &ComponentId) -> bool {
        let in_flight = self.in_flight.as_ref();
        self.pending.rows_of(actor).is_some()
            || in_flight.is_some_and(|batch| batch.rows_of(actor).is_some())
    }

    /// About how many bytes wait for the log.
    pub(crate) fn unlogged_bytes(&self) -> u64 {
        let in_flight = self.in_flight.as_ref();
        self.pending.counts().bytes + in_flight.map_or(0, |batch| batch.counts().bytes)
    }

    /// About how many bytes wait for the tables.
    pub(crate) fn unapplied_bytes(&self) -> u64 {
        let applying = self.applying.as_ref();
        let settling = self.settling.as_ref();
        self.unapplied.counts().bytes
            + settling.map_or(0, |batch| batch.counts().bytes)
            + applying.map_or(0, |batch| batch.counts().bytes)
    }

    /// The newest first.
    fn layers(&self) -> [Option<&Batch>; LAYERS] {
        [
            Some(&self.pending),
            self.in_flight.as_deref(),
            self.settling.as_ref(),
            Some(&self.unapplied),
            self.applying.as_deref(),
        ]
    }
}

/// What layers say of an actor's rows, in order.
pub(crate) struct Merged<'a> {
    /// The newest first.
    layers: [Option<Peekable<Range<'a, RowKey, Slot>>>; LAYERS],
}

impl<'a> Iterator for Merged<'a> {
    type Item = (&'a RowKey, &'a Slot);

    fn next(&mut self) -> Option<Self::Item> {
        let heads = self.layers.iter_mut().flatten();
        let least = heads
            .filter_map(|layer| layer.peek().map(|head| head.0))
            .min()?;
        let mut newest = None;
        for layer in self.layers.iter_mut().flatten() {
            let head = layer.next_if(|head| head.0 == least);
            newest = newest.or(head);
        }
        newest
    }
}
