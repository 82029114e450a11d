//! Taking the state of one actor out of a system, and putting one in.

// Layer 1: Standard library imports
use std::ops::Bound;

// Layer 2: Third-party crate imports
use bytes::Bytes;
use serde::Serialize;
use tokio::task::spawn_blocking;

// Layer 3: Internal module imports
use crate::component::supervision::status::Standing;
use crate::core::component::id::ComponentId;
use crate::core::limits::{Limit, Limits};
use crate::core::security::audit::Operation;
use crate::core::storage::commit::{Commit, Growth};
use crate::core::storage::keyspace::Keyspace;
use crate::core::storage::row::{ActorStamp, Row, RowKey};
use crate::core::storage::store::Committed;
use crate::core::turn::effects::Writes;
use crate::core::turn::errors::HostError;
use crate::core::turn::overlay::check_key;
use crate::storage::log::log::CommitLog;
use crate::system::auditing::Deed;
use crate::system::data::actor_state::ActorState;
use crate::system::data::error::DataError;
use crate::system::data::state_reader::StateReader;
use crate::system::handle::System;
use crate::system::node::{Component, Node};

/// The most bytes that the rows of one import take up in the log: 512 MiB. A commit is
/// written at once.
pub const MAX_IMPORT_BYTES: u64 = 512 << 20;

/// About what a row takes up in the log besides its key and its value, with the address.
const ROW_BYTES: u64 = 16;

/// State that was imported, and is on disk.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Import {
    /// Whose it is now.
    pub actor: ComponentId,
    /// How many keys the actor has.
    pub keys: u64,
    /// Bytes of its keys and values.
    pub bytes: u64,
    /// How many keys it had before.
    pub keys_before: u64,
    /// Bytes of these keys and their values.
    pub bytes_before: u64,
}

impl System {
    /// What a durable actor keeps, live or not: what its last turn committed, and when this
    /// returns that is on disk. It costs a pass over its keys.
    ///
    /// # Errors
    ///
    /// When there is no such component, its actors keep nothing on disk, nothing is known of
    /// this one, or the store fails.
    pub async fn export(&self, actor: &ComponentId) -> Result<ActorState, DataError> {
        let deed = Deed::of(Operation::Export).on_actor(actor);
        self.node.audited(deed, self.read_kept(actor).await)
    }

    async fn read_kept(&self, actor: &ComponentId) -> Result<ActorState, DataError> {
        let (log, _) = self.node.log_of(actor)?;
        let (log, actor) = (log.clone(), actor.clone());
        let reading = spawn_blocking(move || {
            let state = read_state(&log, &actor);
            state.map(|state| (state, log.appended(), log))
        });
        let read = reading.await;
        let (state, seq, log) =
            read.unwrap_or_else(|panicked| Err(DataError::Disk(panicked.to_string())))?;
        // Nobody outside sees what a crash may undo.
        log.durable(seq).await?;
        Ok(state)
    }

    /// Begins to read lines that become the state of an actor by
    /// [`import`](Self::import), within the limits of its component.
    ///
    /// # Errors
    ///
    /// When `import` would refuse the actor.
    pub fn state_reader(&self, actor: &ComponentId) -> Result<StateReader, DataError> {
        let (_, component) = self.node.log_of(actor)?;
        self.node
            .check_stopped(actor, self.node.standing_of(actor))?;
        Ok(StateReader::new(
            actor.clone(),
            component.config.limits.clone(),
        ))
    }

    /// Replaces everything that a durable actor keeps, in one commit that is on disk when
    /// this returns. The actor was [stopped](System::stop) before, and continues from there
    /// when it is [resumed](System::resume). Messages to it are left alone.
    ///
    /// It costs a pass over the keys that were and those that are, and actors that are
    /// activated meanwhile wait for it.
    ///
    /// # Errors
    ///
    /// When the actor is not stopped, its actors keep nothing on disk, a limit is exceeded,
    /// or the store fails. Nothing has changed then, unless it was the store.
    pub async fn import(&self, state: ActorState) -> Result<Import, DataError> {
        let deed = Deed::of(Operation::Import).on_actor(&state.actor);
        self.node.audited(deed, self.replace_kept(state).await)
    }

    async fn replace_kept(&self, state: ActorState) -> Result<Import, DataError> {
        self.node.is_open().map_err(DataError::Refused)?;
        let (log, component) = self.node.log_of(&state.actor)?;
        check_limits(&component.config.limits, &state.keys).map_err(DataError::OverQuota)?;
        log.room().await?;
        let log = log.clone();
        let node = self.node.clone();
        let replacing = spawn_blocking(move || {
            let actor = state.actor.clone();
            // Nobody can resume it while this is held.
            let supervisor = node.supervisor();
            node.check_stopped(&actor, supervisor.verdict(&actor))?;
            let plan = Plan::of(&log, state)?;
            let usage = &component.deployment.usage;
            if plan.growth.bytes > 0 || plan.growth.keys > 0 {
                let admitted = usage.admit(&component.config.limits, plan.growth);
                admitted.map_err(DataError::OverQuota)?;
            }
            let seq = log.append(plan.commit)?.seq();
            usage.add(plan.growth);
            Ok((seq, plan.import, log))
        });
        let replaced = replacing.await;
        let (seq, import, log) =
            replaced.unwrap_or_else(|panicked| Err(DataError::Disk(panicked.to_string())))?;
        log.durable(seq).await?;
        Ok(import)
    }
}

impl Node {
    /// The log that an actor's component keeps its state in.
    fn log_of(&self, actor: &ComponentId) -> Result<(&CommitLog, Component), DataError> {
        let name = actor.component();
        let found = self.component(name);
        let component = found.ok_or_else(|| DataError::NoComponent(name.into()))?;
        let log = self.store.log().ok_or(DataError::NoDataFolder)?;
        match component.deployment.settings.durability.is_durable() {
            true => Ok((log, component)),
            false => Err(DataError::NotDurable(actor.clone())),
        }
    }

    fn standing_of(&self, actor: &ComponentId) -> Standing {
        self.supervisor().verdict(actor)
    }

    /// One that runs has its state in memory, and one that may run takes it up at any moment.
    fn check_stopped(&self, actor: &ComponentId, standing: Standing) -> Result<(), DataError> {
        match standing {
            Standing::Running => Err(DataError::NotStopped(actor.clone())),
            _ if self.directory.find(actor).is_some() => Err(DataError::NotStopped(actor.clone())),
            _ => Ok(()),
        }
    }
}

/// Reads what an actor keeps, at one moment.
pub(crate) fn read_state(log: &CommitLog, actor: &ComponentId) -> Result<ActorState, DataError> {
    let kept = log.load(actor)?;
    if kept.is_nothing() {
        return Err(DataError::NoState(actor.clone()));
    }
    Ok(ActorState {
        actor: actor.clone(),
        ran_by: kept.stamp.and_then(|stamp| stamp.ran_by),
        keys: kept.keys,
    })
}

/// What has to be committed to replace the state of an actor that nobody else changes
/// meanwhile.
pub(crate) struct Plan {
    pub(crate) commit: Commit,
    pub(crate) import: Import,
    /// By how much the actor's state grows.
    pub(crate) growth: Growth,
}

impl Plan {
    /// Compares what there is with what is to be.
    pub(crate) fn of(log: &CommitLog, state: ActorState) -> Result<Self, DataError> {
        let actor = state.actor;
        let (kept, keys) = (log.load(&actor)?, state.keys);
        let (before, stamp) = (kept.keys, kept.stamp.unwrap_or_default());
        let writes = before.writes_to(&keys);
        check_size(&actor, &writes)?;
        let mut commit = Commit::default();
        for (key, value) in writes {
            commit.write(&actor, RowKey::State(key), value.map(Row::Value));
        }
        let stamp = ActorStamp {
            ran_by: state.ran_by,
            ..stamp
        };
        commit.put(&actor, RowKey::Record, Row::Record(stamp));
        let growth = before.growth_to(&keys);
        commit.growth = (growth != Growth::default()).then(|| (actor.clone(), growth));
        let import = Import {
            actor,
            keys: keys.len() as u64,
            bytes: keys.bytes(),
            keys_before: before.len() as u64,
            bytes_before: before.bytes(),
        };
        Ok(Self {
            commit,
            import,
            growth,
        })
    }
}

fn check_size(actor: &ComponentId, writes: &Writes) -> Result<(), DataError> {
    let row_bytes = ROW_BYTES + actor.as_str().len() as u64;
    let of_value = |value: &Option<Bytes>| value.as_ref().map_or(0, Bytes::len);
    let sizes = writes.iter();
    let sizes = sizes.map(|(key, value)| (key.len() + of_value(value)) as u64 + row_bytes);
    match sizes.sum() {
        0..=MAX_IMPORT_BYTES => Ok(()),
        bytes => Err(DataError::TooLarge {
            bytes,
            max_bytes: MAX_IMPORT_BYTES,
        }),
    }
}

/// Who imports may have made the state by other means than reading it within these limits.
fn check_limits(limits: &Limits, keys: &Keyspace) -> Result<(), HostError> {
    HostError::check_quota(Limit::StorageBytes, limits.storage_bytes, keys.bytes())?;
    HostError::check_quota(Limit::StorageKeys, limits.storage_keys, keys.len() as u64)?;
    for (key, value) in keys.range(Bound::Unbounded) {
        check_key(limits, key)?;
        HostError::check_size(Limit::ValueBytes, limits.value_bytes, value.len())?;
    }
    Ok(())
}
