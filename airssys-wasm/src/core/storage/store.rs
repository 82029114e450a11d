//! Where the state of actors is kept.

// Layer 1: Standard library imports
use std::future::Future;
use std::sync::Arc;

// Layer 2: Third-party crate imports
use serde::{Deserialize, Serialize};
use thiserror::Error;

// Layer 3: Internal module imports
use crate::core::component::digest::Digest;
use crate::core::component::id::ComponentId;
use crate::core::storage::commit::Commit;
use crate::core::storage::durability::Durability;
use crate::core::storage::keyspace::Keyspace;
use crate::core::storage::row::{MessageNumber, StoredMessage};
use crate::core::turn::call::CallOutcome;

/// Keeps what actors have committed, in one order.
///
/// A commit is taken into the order at once, and is on disk some time later. Whoever reads
/// sees every commit that was taken. A crash loses the commits that were not on disk yet:
/// always the last ones, and never a part of one.
pub trait Store: Send + Sync + 'static {
    /// Proof that something is committed. Only the store can make one, and what a turn
    /// wants to happen is released by consuming it.
    type Committed: Committed;

    /// Takes a commit into the order. It does not wait. An empty commit is no commit, and
    /// its proof has the number of none.
    ///
    /// # Errors
    ///
    /// When the store has failed.
    fn append(&self, commit: Commit) -> Result<Self::Committed, StoreError>;

    /// Waits until there is room for one more commit, where the disk is slower than actors.
    fn room(&self) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// Takes a commit into the order when there is room for one more.
    ///
    /// # Errors
    ///
    /// When the store has failed.
    fn append_when_room(
        &self,
        commit: Commit,
    ) -> impl Future<Output = Result<Self::Committed, StoreError>> + Send {
        async {
            self.room().await?;
            self.append(commit)
        }
    }

    /// Waits until a commit, and all before it, are on disk. What was never committed is.
    fn durable(&self, seq: u64) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// What an actor continues from when it is activated. An actor that never was has
    /// an empty record.
    ///
    /// # Errors
    ///
    /// When the store has failed.
    fn load(&self, actor: &ComponentId, kept: Durability) -> Result<ActorRecord, StoreError>;

    /// Takes back an actor's record when it is passivated.
    ///
    /// # Errors
    ///
    /// When the store has failed.
    fn passivate(
        &self,
        actor: &ComponentId,
        kept: Durability,
        record: ActorRecord,
    ) -> Result<(), StoreError>;

    /// The messages after `after` that wait for an actor, in order, up to `limit`.
    ///
    /// # Errors
    ///
    /// When the store has failed.
    fn messages(
        &self,
        actor: &ComponentId,
        after: MessageNumber,
        limit: PageLimit,
    ) -> Result<MessagePage, StoreError>;

    /// What a message from outside with this id was answered in one of two periods.
    ///
    /// # Errors
    ///
    /// When the store has failed.
    fn answer(
        &self,
        actor: &ComponentId,
        periods: [u64; 2],
        id: &Arc<str>,
    ) -> Result<Option<CallOutcome>, StoreError>;
}

/// Proof that something is committed.
pub trait Committed: Send {
    /// Its place in the order of commits, from 1. Zero if there was nothing to commit.
    fn seq(&self) -> u64;
}

/// What there is of an actor while it has no instance.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ActorRecord {
    /// Its committed keys and values.
    pub keys: Keyspace,
    /// A number that none of its turns has reached.
    pub turns_below: u64,
    /// Who ran it last. Nobody, if it never was.
    pub ran_by: Option<Arc<VersionId>>,
    /// The commits that its state may be from: all up to this one.
    pub horizon: u64,
}

/// How much is read at once of what waits for an actor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PageLimit {
    /// How many messages, at least one.
    pub messages: usize,
    /// How many bytes of payloads and kinds. The message that reaches it is read.
    pub bytes: u64,
}

/// Messages that wait for an actor.
#[derive(Debug, Clone, Default)]
pub struct MessagePage {
    /// The messages, in order.
    pub messages: Vec<(MessageNumber, StoredMessage)>,
    /// Whether there are more.
    pub has_more: bool,
    /// The last commit that was taken when they were read: what it and those before it sent
    /// to the actor is here.
    pub as_of: u64,
}

/// One version of a component.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
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
    /// The store failed, now or earlier, and accepts nothing any more. What it has
    /// acknowledged is safe.
    #[error("the store stopped: {0}")]
    Stopped(String),
    /// The store was closed, since the system ends. What was not committed by then is done
    /// again after the next start.
    #[error("the store is closed")]
    Closed,
}
