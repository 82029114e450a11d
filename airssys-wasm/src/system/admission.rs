//! Who may be sent a message, and what becomes of it when the process ends.

// Layer 1: Standard library imports
use std::sync::Arc;

// Layer 2: Third-party crate imports
use bytes::Bytes;

// Layer 3: Internal module imports
use crate::component::world::World;
use crate::core::component::id::ComponentId;
use crate::core::delivery::refusal::Refusal;
use crate::core::storage::backlog::Backlog;
use crate::core::storage::durability::Durability;
use crate::core::turn::errors::HostError;
use crate::system::config::component::ComponentConfig;
use crate::system::node::{Deployed, Node};

/// Whether an actor that may be sent a message is in memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Presence {
    /// It is.
    Live,
    /// It is not, if it ever was.
    Asleep,
}

impl Node {
    /// Whether an actor may be sent a message of so many bytes now.
    pub(crate) fn admit(&self, target: &ComponentId, bytes: u64) -> Result<Presence, Refusal> {
        match self.directory.find(target) {
            Some(cell) if cell.mailbox.has_space(bytes) && cell.mailbox.on_disk().is_empty() => {
                Ok(Presence::Live)
            }
            Some(cell) => {
                let deployment = self.deployment(target).ok_or(Refusal::UnknownTarget)?;
                self.admit_to_disk(&deployment, cell.mailbox.on_disk())?;
                Ok(Presence::Live)
            }
            // To one that was stopped it becomes a dead letter.
            None => {
                self.admit_to_sleeper(target, bytes)?;
                Ok(Presence::Asleep)
            }
        }
    }

    /// Whether one that is not live may be sent a message of so many bytes. It waits on disk if
    /// others do already, or if there is no room for the actor or in memory.
    fn admit_to_sleeper(&self, target: &ComponentId, bytes: u64) -> Result<(), Refusal> {
        let deployment = self.deployment(target).ok_or(Refusal::UnknownTarget)?;
        let room = self.directory.admit_one_more(&deployment);
        let has_memory = deployment.waiting.has_room_for_first(bytes);
        let waiting = self.sleepers.waiting(target);
        if !self.is_durable(target) {
            room?;
        } else if room.is_err() {
            return self.admit_to_disk(&deployment, waiting);
        }
        match has_memory && waiting.is_empty() {
            true => Ok(()),
            false => self.admit_to_disk(&deployment, waiting),
        }
    }

    /// Whether there is an actor that is not live: it has state, messages wait for it, or it
    /// always runs.
    pub(crate) fn has_state(&self, actor: &ComponentId) -> Result<bool, Refusal> {
        let always = |it: Arc<Deployed>| it.always.iter().any(|it| it == actor.instance());
        if self.deployment(actor).is_some_and(always) {
            return Ok(true);
        }
        match self.store.log().filter(|_| self.is_durable(actor)) {
            None => Ok(self.store.memory().has(actor)),
            Some(log) => {
                let is_kept = log.has_record(actor).map_err(|_| Refusal::StoreFailed)?;
                Ok(is_kept || !self.sleepers.waiting(actor).is_empty())
            }
        }
    }

    /// A key of a durable actor as its last commit left it, and the last commit that this
    /// depends on.
    pub(crate) fn read_state(
        &self,
        actor: &ComponentId,
        key: &str,
    ) -> Result<(Option<Bytes>, u64), HostError> {
        if !self.has_component(actor.component()) {
            return Err(HostError::NotFound);
        }
        let Some(log) = self.store.log().filter(|_| self.is_durable(actor)) else {
            let why = format!("{actor} is not durable, and only what is committed can be read");
            return Err(HostError::Unavailable(why));
        };
        let read = log.value(actor, key);
        read.map_err(|_| HostError::from(Refusal::StoreFailed))
    }

    /// Whether one more message may wait on disk for an actor of this component for which so
    /// much does, and that takes none in memory.
    fn admit_to_disk(&self, deployment: &Deployed, on_disk: Backlog) -> Result<(), Refusal> {
        let limits = &deployment.settings.limits;
        let is_small = on_disk.messages < limits.backlog && on_disk.bytes < limits.backlog_bytes;
        if !deployment.settings.durability.is_durable() || !is_small {
            return Err(Refusal::MailboxFull);
        }
        let total = self.on_disk(deployment);
        match total.messages < limits.total_backlog && total.bytes < limits.total_backlog_bytes {
            true => Ok(()),
            false => Err(Refusal::MailboxFull),
        }
    }

    /// What waits on disk alone for all actors of a component, as far as is known.
    pub(crate) fn on_disk(&self, deployment: &Deployed) -> Backlog {
        self.sleepers.total(&deployment.name, &deployment.waiting)
    }

    /// Whether an actor survives the process.
    pub(crate) fn is_durable(&self, actor: &ComponentId) -> bool {
        self.store.log().is_some() && self.durability(actor).is_durable()
    }

    /// What the actors of a component are to keep.
    pub(crate) fn durability_of(&self, component: &ComponentConfig) -> Durability {
        match self.default_durability {
            Some(default) => component.durability.unwrap_or(default),
            None => Durability::None,
        }
    }

    /// What an actor keeps.
    pub(crate) fn durability(&self, actor: &ComponentId) -> Durability {
        let components = self.read_components();
        let component = components.by_name.get(actor.component());
        component.map_or(Durability::None, |it| it.deployment.settings.durability)
    }
}
