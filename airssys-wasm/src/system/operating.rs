//! What operators do with a system: change it, look at it, and care for dead letters.

// Layer 1: Standard library imports
use std::sync::Arc;

// Layer 3: Internal module imports
use crate::component::world::World;
use crate::core::component::id::ComponentId;
use crate::core::delivery::dead_letter::DeadLetter;
use crate::core::delivery::refusal::Refusal;
use crate::core::security::audit::Operation;
use crate::core::storage::store::{Store, StoreError};
use crate::core::turn::recorded::RecordedTurn;
use crate::messaging::dead_letters::DeadLetterId;
use crate::system::auditing::Deed;
use crate::system::builder::Source;
use crate::system::config::component::ComponentConfig;
use crate::system::error::{ControlError, StartError};
use crate::system::handle::System;
use crate::system::replay::{ReplayReport, replay};
use crate::system::signing::Binary;
use crate::system::status::{ActorStatus, SystemStatus};
use crate::system::upgrade::{DeployReport, UpgradeReport};

impl System {
    /// Adds a component, as if it had been there from the start.
    ///
    /// # Errors
    ///
    /// When there is one of this name, its settings have a mistake, its signature is not one
    /// that the system trusts, or it cannot be run.
    pub async fn deploy(
        &self,
        config: ComponentConfig,
        source: impl Into<Source>,
    ) -> Result<DeployReport, StartError> {
        let name = config.name.to_string();
        let deployed = match source.into().read(config.signature.clone()).await {
            Ok(binary) => self.node.deploy(config, binary).await,
            Err(error) => Err(error),
        };
        self.node.audited_deploy(&name, deployed)
    }

    /// Gives a component a new version while messages flow: its bytes, or a [`Binary`] with
    /// its signature.
    ///
    /// The new version is compiled and tried on the turns that were kept; one that fails
    /// where the old one had not is not taken. Then each live actor switches between two of
    /// its turns: `shutdown` of the old instance, `init` and `migrate` of the new one.
    /// Messages wait meanwhile and stay in order. If the new version fails too often in
    /// its first time, the old one comes back.
    ///
    /// # Errors
    ///
    /// When there is no such component, the signature is not one that the system trusts, the
    /// bytes cannot be run, the version is the same, or it failed on recorded turns. The old
    /// version runs on.
    pub async fn upgrade(
        &self,
        component: &str,
        binary: impl Into<Binary>,
    ) -> Result<UpgradeReport, ControlError> {
        let upgraded = self.node.upgrade(component, binary.into()).await;
        let deed = Deed::of(Operation::Upgrade).on(component);
        self.node.audited_refusal(deed, upgraded)
    }

    /// Returns to a version that is kept: the one with this digest, the beginning of one,
    /// or this name; else the one before the current one.
    ///
    /// # Errors
    ///
    /// When there is no such component, or no such version, or it needs what is not granted any
    /// more, or the policy does not let it run.
    pub async fn rollback(
        &self,
        component: &str,
        version: Option<&str>,
    ) -> Result<UpgradeReport, ControlError> {
        let returned = self.node.roll_back(component, version).await;
        let deed = Deed::of(Operation::Rollback).on(component);
        let deed = deed.with(version.unwrap_or_default());
        self.node.audited_refusal(deed, returned)
    }

    /// The system at this moment: components, groups, and what was counted.
    pub fn status(&self) -> SystemStatus {
        self.node.status()
    }

    /// Why the system's store failed, if it did: the system takes no messages any more.
    pub fn store_failure(&self) -> Option<StoreError> {
        self.node.halted().cloned()
    }

    /// The actors that are live at this moment, by address.
    pub fn list(&self) -> Vec<ActorStatus> {
        self.node.actors()
    }

    /// The durable actors of which anything is kept, live or not, by address: those whose
    /// address begins with `prefix` and comes after `after`, at most `limit`. Each costs two
    /// reads.
    ///
    /// # Errors
    ///
    /// When the store has failed. A system without one has no such actors.
    pub fn kept_actors(
        &self,
        prefix: &str,
        after: Option<&ComponentId>,
        limit: usize,
    ) -> Result<Vec<ComponentId>, ControlError> {
        let Some(log) = self.node.store.log() else {
            return Ok(Vec::new());
        };
        let found = log.actors(prefix, after, limit);
        found.map_err(|_| ControlError::Refused(Refusal::StoreFailed))
    }

    /// One actor at this moment, live or not.
    ///
    /// # Errors
    ///
    /// When there is no such component.
    pub fn inspect(&self, actor: &ComponentId) -> Result<ActorStatus, ControlError> {
        self.node.existing(actor.component())?;
        Ok(self.node.actor(actor))
    }

    /// Dead letters in the order they came, at most `limit` after `after`; those to an
    /// actor, component or namespace, if `to` names one.
    pub fn dead_letters(
        &self,
        to: Option<&str>,
        after: Option<DeadLetterId>,
        limit: usize,
    ) -> Vec<(DeadLetterId, Arc<DeadLetter>)> {
        self.node.dead_letters().list(to, after, limit)
    }

    /// One dead letter.
    ///
    /// # Errors
    ///
    /// When there is none with this number.
    pub fn dead_letter(&self, id: DeadLetterId) -> Result<Arc<DeadLetter>, ControlError> {
        let letter = self.node.dead_letters().get(id);
        letter.ok_or(ControlError::NoDeadLetter(id))
    }

    /// Sends a dead letter again, to the actor that it was for. It is no dead letter any
    /// more, but may become another.
    ///
    /// # Errors
    ///
    /// When there is none with this number, or it was not accepted; then it stays.
    pub async fn retry_dead_letter(&self, id: DeadLetterId) -> Result<(), ControlError> {
        let open = self.node.is_open().map_err(ControlError::Refused);
        let retried = open.and_then(|()| self.node.retry(id));
        let deed = Deed::of(Operation::RetryLetter).with(id);
        self.audited_on_disk(deed, retried).await
    }

    /// Drops a dead letter.
    ///
    /// # Errors
    ///
    /// When there is none with this number, or the store has failed.
    pub async fn drop_dead_letter(&self, id: DeadLetterId) -> Result<(), ControlError> {
        let taken = self.node.dead_letters().take(id);
        let taken = taken.ok_or(ControlError::NoDeadLetter(id));
        let dropped = taken.and_then(|letter| self.node.forget(&[(id, letter)]));
        let deed = Deed::of(Operation::DropLetter).with(id);
        self.audited_on_disk(deed, dropped).await
    }

    /// Drops all dead letters, or those to an actor, component or namespace, and returns
    /// how many there were.
    ///
    /// # Errors
    ///
    /// When the store has failed.
    pub async fn drop_dead_letters(&self, to: Option<&str>) -> Result<usize, ControlError> {
        let taken = self.node.dead_letters().take_all(to);
        let dropped = self.node.forget(&taken);
        let letters = format_args!("{} to {}", taken.len(), to.unwrap_or("anybody")).to_string();
        let deed = Deed::of(Operation::DropLetter).with(letters);
        self.audited_on_disk(deed, dropped).await?;
        Ok(taken.len())
    }

    /// Waits until the disk has the commit of what was done, and writes down how that ended.
    /// It does so in a task of its own: it is done, and is written down also if whoever wanted
    /// it waits no longer.
    async fn audited_on_disk(
        &self,
        deed: Deed,
        done: Result<u64, ControlError>,
    ) -> Result<(), ControlError> {
        let seq = match done {
            Ok(seq) => seq,
            Err(error) => return self.node.audited(deed, Err(error)),
        };
        let node = Arc::clone(&self.node);
        let waiting = self.node.lanes.quick().spawn(async move {
            let durable = node.store.durable(seq).await.map_err(|error| {
                node.halt(&error);
                ControlError::Refused(Refusal::StoreFailed)
            });
            node.audited(deed, durable)
        });
        // It is broken off only if the threads end that it runs on.
        let broken_off = |_| Err(ControlError::Refused(Refusal::ShuttingDown));
        waiting.await.unwrap_or_else(broken_off)
    }

    /// The turns of a component that were kept, the oldest first.
    ///
    /// # Errors
    ///
    /// When there is no such component.
    pub fn recorded_turns(&self, component: &str) -> Result<Vec<Arc<RecordedTurn>>, ControlError> {
        let component = self.node.existing(component)?;
        Ok(component.deployment.recordings.list())
    }

    /// Runs the turn of a dead letter again, on the version that it ran on if that is kept,
    /// and else on the current one. Nothing that it wants to happen happens.
    ///
    /// # Errors
    ///
    /// When there is no such dead letter, or no turn of it.
    pub async fn replay(&self, id: DeadLetterId) -> Result<ReplayReport, ControlError> {
        let letter = self.dead_letter(id)?;
        let turn = letter.turn.as_ref().ok_or(ControlError::NoTurn(id))?;
        self.replay_turn(turn, None).await
    }

    /// Runs a recorded turn again: on a kept version, or on the one that it ran on if that
    /// is kept, and else on the current one. Nothing that it wants to happen happens.
    ///
    /// # Errors
    ///
    /// When its component is gone, there is no such version, or the turn read more than is
    /// kept of one.
    pub async fn replay_turn(
        &self,
        turn: &RecordedTurn,
        version: Option<&str>,
    ) -> Result<ReplayReport, ControlError> {
        if turn.learnt.is_cut {
            return Err(ControlError::TurnCut);
        }
        let version = self.node.version_for(turn, version)?;
        Ok(replay(turn, &version).await.0)
    }
}
