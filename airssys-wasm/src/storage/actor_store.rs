//! Where a system keeps what its actors committed.

// Layer 1: Standard library imports
use std::path::PathBuf;
use std::sync::Arc;

// Layer 2: Third-party crate imports
use serde::Serialize;

// Layer 3: Internal module imports
use crate::core::component::id::ComponentId;
use crate::core::storage::commit::Commit;
use crate::core::storage::durability::Durability;
use crate::core::storage::row::MessageNumber;
use crate::core::storage::store::{
    ActorRecord, Committed, MessagePage, PageLimit, Store, StoreError,
};
use crate::core::turn::call::CallOutcome;
use crate::storage::log::log::{Appended, CommitLog};
use crate::storage::memory::MemoryStore;
use crate::storage::path_text::write_path;

/// Keeps ephemeral actors in memory, and durable ones in a commit log on disk, if there is
/// one.
#[derive(Debug)]
pub struct ActorStore {
    memory: MemoryStore,
    log: Option<CommitLog>,
    data: Option<Arc<DataInfo>>,
}

/// The data that a store on disk began with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DataInfo {
    /// The folder that it is in.
    #[serde(serialize_with = "write_path")]
    pub folder: PathBuf,
    /// How many messages waited in it from before.
    pub waiting_at_start: u64,
}

/// Proof that a turn is committed: on its way to the disk, or with nothing to go there.
#[derive(Debug)]
pub struct Taken(Option<Appended>);

impl Committed for Taken {
    #[inline]
    fn seq(&self) -> u64 {
        self.0.as_ref().map_or(0, Committed::seq)
    }
}

impl ActorStore {
    /// A store without a disk: all actors are ephemeral.
    pub fn in_memory() -> Self {
        Self {
            memory: MemoryStore::new(),
            log: None,
            data: None,
        }
    }

    /// A store with a commit log.
    pub(crate) fn on_disk(log: CommitLog, data: DataInfo) -> Self {
        Self {
            memory: MemoryStore::new(),
            log: Some(log),
            data: Some(Arc::new(data)),
        }
    }

    /// The data that it began with, if it is on disk.
    pub fn data(&self) -> Option<&Arc<DataInfo>> {
        self.data.as_ref()
    }

    /// Writes everything down and gives the folder back. Nothing can be read or committed
    /// afterwards.
    ///
    /// # Errors
    ///
    /// When the store has failed, now or earlier.
    pub(crate) async fn close(&self) -> Result<(), StoreError> {
        match &self.log {
            Some(log) => log.close().await,
            None => Ok(()),
        }
    }

    /// The commit log, if there is one.
    pub(crate) fn log(&self) -> Option<&CommitLog> {
        self.log.as_ref()
    }

    /// The ephemeral actors that are passivated.
    pub fn memory(&self) -> &MemoryStore {
        &self.memory
    }

    fn log_of(&self, kept: Durability) -> Option<&CommitLog> {
        self.log.as_ref().filter(|_| kept.is_durable())
    }
}

impl Store for ActorStore {
    type Committed = Taken;

    #[inline]
    fn append(&self, commit: Commit) -> Result<Taken, StoreError> {
        match &self.log {
            Some(log) if !commit.is_empty() => Ok(Taken(Some(log.append(commit)?))),
            _ => Ok(Taken(None)),
        }
    }

    /// No other commit comes between, so that no more is taken at once than there is room for,
    /// and one commit.
    async fn append_when_room(&self, commit: Commit) -> Result<Taken, StoreError> {
        match &self.log {
            Some(log) if !commit.is_empty() => Ok(Taken(Some(log.append_when_room(commit).await?))),
            _ => Ok(Taken(None)),
        }
    }

    async fn room(&self) -> Result<(), StoreError> {
        match &self.log {
            Some(log) => log.room().await,
            None => Ok(()),
        }
    }

    async fn durable(&self, seq: u64) -> Result<(), StoreError> {
        match &self.log {
            Some(log) if seq > 0 => log.durable(seq).await,
            _ => Ok(()),
        }
    }

    fn load(&self, actor: &ComponentId, kept: Durability) -> Result<ActorRecord, StoreError> {
        match self.log_of(kept) {
            Some(log) => {
                let kept = log.load(actor)?;
                let stamp = kept.stamp.unwrap_or_default();
                Ok(ActorRecord {
                    keys: kept.keys,
                    turns_below: stamp.turns_below,
                    ran_by: stamp.ran_by,
                    horizon: kept.horizon,
                })
            }
            None => Ok(self.memory.take(actor)),
        }
    }

    fn passivate(
        &self,
        actor: &ComponentId,
        kept: Durability,
        record: ActorRecord,
    ) -> Result<(), StoreError> {
        if self.log_of(kept).is_none() {
            self.memory.keep(actor, record);
        }
        Ok(())
    }

    fn messages(
        &self,
        actor: &ComponentId,
        after: MessageNumber,
        limit: PageLimit,
    ) -> Result<MessagePage, StoreError> {
        match &self.log {
            Some(log) => log.messages(actor, after, limit),
            None => Ok(MessagePage::default()),
        }
    }

    fn answer(
        &self,
        actor: &ComponentId,
        periods: [u64; 2],
        id: &Arc<str>,
    ) -> Result<Option<CallOutcome>, StoreError> {
        match &self.log {
            Some(log) => log.answer(actor, periods, id),
            None => Ok(None),
        }
    }
}
