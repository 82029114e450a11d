//! Where a system keeps what its actors committed.

// Layer 1: Standard library imports
use std::sync::Arc;

// Layer 3: Internal module imports
use crate::core::component::id::ComponentId;
use crate::core::storage::commit::Commit;
use crate::core::storage::durability::Durability;
use crate::core::storage::row::MessageNumber;
use crate::core::storage::store::{
    ActorRecord, Committed, MessagePage, Store, StoreError,
};
use crate::core::turn::call::CallOutcome;
use crate::storage::data_folder::DataFolder;
use crate::storage::log::log::{Appended, CommitLog};
use crate::storage::memory::MemoryStore;

/// Keeps ephemeral actors in memory, and durable ones in a commit log on disk, if there is
/// one.
#[derive(Debug)]
pub struct ActorStore {
    memory: MemoryStore,
    log: Option<CommitLog>,
    /// Ours until the log is closed, which is dropped first.
    _folder: Option<DataFolder>,
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
            _folder: None,
        }
    }

    /// A store with a commit log.
    pub(crate) fn on_disk(folder: DataFolder, log: CommitLog) -> Self {
        Self {
            memory: MemoryStore::new(),
            log: Some(log),
            _folder: Some(folder),
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
                let stamp = log.record(actor)?.unwrap_or_default();
                Ok(ActorRecord {
                    keys: log.state(actor)?,
                    turns_below: stamp.turns_below,
                    ran_by: stamp.ran_by,
                    horizon: log.horizon_of(actor),
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
        limit: usize,
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
