//! A store in memory.

// Layer 1: Standard library imports
use std::collections::HashMap;
use std::future::{Future, ready};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

// Layer 3: Internal module imports
use crate::core::component::id::ComponentId;
use crate::core::storage::store::{ActorRecord, Store, StoreError};
use crate::core::time::unix_ms;
use crate::core::turn::effects::Writes;

/// Keeps the state of passivated actors in memory, for as long as the process lives.
///
/// A live actor has its state with itself, so that a commit has nothing to do here. Of an
/// actor that has no state nothing is kept, however many turns it ran.
///
/// One actor's state is bounded by its limits; how many actors have state is not.
#[derive(Debug, Default)]
pub struct MemoryStore {
    records: Mutex<HashMap<ComponentId, ActorRecord>>,
}

/// Proof that a turn is committed in memory.
#[derive(Debug)]
pub struct InMemory(());

impl MemoryStore {
    /// A store without any state.
    pub fn new() -> Self {
        Self::default()
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

impl Store for MemoryStore {
    type Committed = InMemory;

    fn load(
        &self,
        actor: &ComponentId,
    ) -> impl Future<Output = Result<ActorRecord, StoreError>> + Send {
        ready(Ok(self.lock().remove(actor).unwrap_or_default()))
    }

    fn commit(
        &self,
        _actor: &ComponentId,
        _turn: u64,
        _writes: &Writes,
    ) -> impl Future<Output = Result<InMemory, StoreError>> + Send {
        ready(Ok(InMemory(())))
    }

    fn passivate(
        &self,
        actor: &ComponentId,
        record: ActorRecord,
    ) -> impl Future<Output = Result<(), StoreError>> + Send {
        // Turns are numbered by the time where nothing is known. One who has run more of
        // them than milliseconds went by must be remembered.
        if !record.keys.is_empty() || record.turn >= unix_ms(SystemTime::now()) {
            self.lock().insert(actor.clone(), record);
        }
        ready(Ok(()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::storage::keyspace::Keyspace;

    fn record(turn: u64, keys: &[&str]) -> ActorRecord {
        let mut keyspace = Keyspace::default();
        let writes = keys.iter().map(|key| ((*key).to_owned(), Some("v".into())));
        keyspace.apply(writes.collect());
        ActorRecord {
            keys: keyspace,
            turn,
            ran_by: None,
        }
    }

    #[tokio::test]
    async fn state_survives_passivation_and_no_state_costs_nothing() {
        let store = MemoryStore::new();
        let [with, without, busy] =
            ["with", "without", "busy"].map(|n| ComponentId::new("a", "b", n));
        store.passivate(&with, record(1, &["k"])).await.unwrap();
        store.passivate(&without, record(1, &[])).await.unwrap();
        store.passivate(&busy, record(u64::MAX, &[])).await.unwrap();
        assert_eq!(store.len(), 2);

        assert_eq!(store.load(&with).await, Ok(record(1, &["k"])));
        assert_eq!(store.load(&busy).await, Ok(record(u64::MAX, &[])));
        assert_eq!(store.load(&without).await, Ok(ActorRecord::default()));
        assert!(store.is_empty(), "a live actor has its state with itself");
    }
}
