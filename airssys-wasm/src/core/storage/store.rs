//! Where the state of actors is kept.

// Layer 1: Standard library imports
use std::future::Future;
use std::sync::Arc;

// Layer 2: Third-party crate imports
use serde::Serialize;
use thiserror::Error;

// Layer 3: Internal module imports
use crate::core::component::digest::Digest;
use crate::core::component::id::ComponentId;
use crate::core::storage::keyspace::Keyspace;
use crate::core::turn::effects::Writes;

/// Keeps the committed state of actors, and commits turns.
pub trait Store: Send + Sync + 'static {
    /// Proof that a turn is committed. Only the store can make one, and what a turn
    /// wants to happen is released by consuming it.
    type Committed: Send;

    /// What an actor continues from when it is activated. An actor that never was has
    /// an empty record.
    fn load(
        &self,
        actor: &ComponentId,
    ) -> impl Future<Output = Result<ActorRecord, StoreError>> + Send;

    /// Commits one turn of an actor: its number and its writes, as one.
    fn commit(
        &self,
        actor: &ComponentId,
        turn: u64,
        writes: &Writes,
    ) -> impl Future<Output = Result<Self::Committed, StoreError>> + Send;

    /// Takes back an actor's record when it is passivated.
    fn passivate(
        &self,
        actor: &ComponentId,
        record: ActorRecord,
    ) -> impl Future<Output = Result<(), StoreError>> + Send;
}

/// What there is of an actor while it has no instance.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ActorRecord {
    /// Its committed keys and values.
    pub keys: Keyspace,
    /// The number of its last turn.
    pub turn: u64,
    /// Who ran it last. Nobody, if it never was.
    pub ran_by: Option<Arc<VersionId>>,
}

/// One version of a component.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct VersionId {
    /// The digest of its bytes.
    pub digest: Digest,
    /// What it calls itself, or its digest if it does not say.
    pub label: String,
}

/// Why a store did not do what was asked.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum StoreError {
    /// The store failed earlier, and accepts nothing any more.
    #[error("the store stopped: {0}")]
    Stopped(String),
}
