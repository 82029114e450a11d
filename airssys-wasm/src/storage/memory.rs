//! The state of ephemeral actors.

// Layer 1: Standard library imports
use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

// Layer 3: Internal module imports
use crate::core::component::id::ComponentId;
use crate::core::storage::store::ActorRecord;

/// Keeps the state of passivated actors in memory, for as long as the process lives.
///
/// A live actor has its state with itself, so that a commit has nothing to do here. Of actors
/// that have no state one number is kept, however many there were and however many turns they
/// ran: none of them has run a turn with that number or above.
///
/// The state of one actor is bounded by its limits, and that of all actors of a component
/// by the component's.
#[derive(Debug, Default)]
pub struct MemoryStore {
    kept: Mutex<Kept>,
}

#[derive(Debug, Default)]
struct Kept {
    /// Those that have keys.
    records: HashMap<ComponentId, ActorRecord>,
    /// The highest of all others.
    turns_below: u64,
}

impl MemoryStore {
    /// A store without any state.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes out what an actor continues from. One that never was, or had no state, has a
    /// record without keys, whose turns are numbered above those of all actors without state.
    pub fn take(&self, actor: &ComponentId) -> ActorRecord {
        let mut kept = self.lock();
        kept.records.remove(actor).unwrap_or_else(|| ActorRecord {
            turns_below: kept.turns_below,
            ..ActorRecord::default()
        })
    }

    /// Takes back an actor's record when it is passivated.
    pub fn keep(&self, actor: &ComponentId, record: ActorRecord) {
        let mut kept = self.lock();
        if record.keys.is_empty() {
            // Turns only have to have numbers that were not used, and may skip some. So who
            // comes and goes without state leaves nothing behind.
            kept.turns_below = kept.turns_below.max(record.turns_below);
        } else {
            kept.records.insert(actor.clone(), record);
        }
    }

    /// Whether a passivated actor has state.
    pub fn has(&self, actor: &ComponentId) -> bool {
        self.lock().records.contains_key(actor)
    }

    /// How many passivated actors have state.
    pub fn len(&self) -> usize {
        self.lock().records.len()
    }

    /// Whether no passivated actor has state.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn lock(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::storage::keyspace::Keyspace;
    use proptest::prelude::*;
    use std::collections::HashSet;

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
        let [with, without] = ["with", "without"].map(|n| ComponentId::new("a", "b", n));
        store.keep(&with, record(1, &["k"]));
        // Far ahead of any clock.
        store.keep(&without, record(u64::MAX - 1, &[]));
        assert_eq!((store.len(), store.has(&without)), (1, false));

        assert_eq!(store.take(&with), record(1, &["k"]));
        assert_eq!(store.take(&without), record(u64::MAX - 1, &[]));
        assert!(store.is_empty(), "a live actor has its state with itself");
    }

    proptest! {
        /// Actors come and go, by which each runs some turns, and has state or has not.
        #[test]
        fn no_actor_runs_a_turn_twice_and_only_state_is_kept(
            visits in proptest::collection::vec((0_u8..5, 0_u64..100, any::<bool>()), 0..60),
        ) {
            let store = MemoryStore::new();
            let mut below: HashMap<u8, u64> = HashMap::new();
            let mut with_state = HashSet::new();
            for (number, turns, has_state) in visits {
                let actor = ComponentId::new("a", "b", number.to_string());
                prop_assert_eq!(store.has(&actor), with_state.contains(&number));
                let found = store.take(&actor);
                prop_assert_eq!(!found.keys.is_empty(), with_state.remove(&number));
                let used = below.entry(number).or_default();
                prop_assert!(found.turns_below >= *used);
                *used = found.turns_below + turns;
                let keys: &[&str] = if has_state { &["k"] } else { &[] };
                store.keep(&actor, record(*used, keys));
                if has_state {
                    with_state.insert(number);
                }
                prop_assert_eq!(store.len(), with_state.len());
            }
        }
    }
}
