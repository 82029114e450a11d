//! The state of ephemeral actors.

// Layer 1: Standard library imports
use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

// Layer 3: Internal module imports
use crate::core::component::id::ComponentId;
use crate::core::storage::store::ActorRecord;
use crate::core::time::unix_ms;

/// Keeps the state of passivated actors in memory, for as long as the process lives.
///
/// A live actor has its state with itself, so that a commit has nothing to do here. Of an
/// actor that has no state nothing is kept, however many turns it ran.
///
/// The state of one actor is bounded by its limits, and that of all actors of a component
/// by the component's.
#[derive(Debug, Default)]
pub struct MemoryStore {
    records: Mutex<HashMap<ComponentId, ActorRecord>>,
}

impl MemoryStore {
    /// A store without any state.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes out what an actor continues from. One that never was has an empty record.
    pub fn take(&self, actor: &ComponentId) -> ActorRecord {
        self.lock().remove(actor).unwrap_or_default()
    }

    /// Takes back an actor's record when it is passivated.
    pub fn keep(&self, actor: &ComponentId, record: ActorRecord) {
        // Turns are numbered by the time where nothing is known. One who has run more of
        // them than milliseconds went by must be remembered.
        if !record.keys.is_empty() || record.turns_below >= unix_ms(SystemTime::now()) {
            self.lock().insert(actor.clone(), record);
        }
    }

    /// Whether a passivated actor has state.
    pub fn has(&self, actor: &ComponentId) -> bool {
        self.lock().contains_key(actor)
    }

    /// How many passivated actors have state.
    pub fn len(&self) -> usize {
        self.lock().len()
    }

    /// Whether no passivated actor has state.
    pub fn is_empty(&self) -> bool {
        self.lock().is_empty()
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<ComponentId, ActorRecord>> {
        self.records.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::storage::keyspace::Keyspace;

    fn record(turns_below: u64, keys: &[&str]) -> ActorRecord {
        let mut keyspace = Keyspace::default();
        let writes = keys.iter().map(|key| ((*key).to_owned(), Some("v".into())));
        keyspace.apply(writes.collect());
        ActorRecord {
            keys: keyspace,
            turns_below,
            ..ActorRecord::default()
        }
    }

    #[test]
    fn state_survives_passivation_and_no_state_costs_nothing() {
        let store = MemoryStore::new();
        let [with, without, busy] =
            ["with", "without", "busy"].map(|n| ComponentId::new("a", "b", n));
        store.keep(&with, record(1, &["k"]));
        store.keep(&without, record(1, &[]));
        store.keep(&busy, record(u64::MAX, &[]));
        assert_eq!(store.len(), 2);

        assert_eq!(store.take(&with), record(1, &["k"]));
        assert_eq!(store.take(&busy), record(u64::MAX, &[]));
        assert_eq!(store.take(&without), ActorRecord::default());
        assert!(store.is_empty(), "a live actor has its state with itself");
    }
}
