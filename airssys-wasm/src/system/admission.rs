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
    /// Whether an actor may be sent a message now.
    pub(crate) fn admit(&self, target: &ComponentId) -> Result<Presence, Refusal> {
        match self.directory.find(target) {
            Some(cell) if cell.mailbox.has_space() && cell.mailbox.on_disk().is_empty() => {
                Ok(Presence::Live)
            }
            Some(cell) => {
                self.admit_to_disk(target, cell.mailbox.on_disk())?;
                Ok(Presence::Live)
            }
            // To one that was stopped it becomes a dead letter.
            None => {
                let deployment = self.deployment(target).ok_or(Refusal::UnknownTarget)?;
                if !self.is_durable(target) {
                    self.directory.admit_one_more(&deployment)?;
                }
                let waiting = self.sleepers.waiting(target);
                if !waiting.is_empty() {
                    self.admit_to_disk(target, waiting)?;
                }
                Ok(Presence::Asleep)
            }
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

    /// Whether one more message may wait on disk for an actor whose mailbox is full, or for
    /// which others do.
    fn admit_to_disk(&self, target: &ComponentId, on_disk: Backlog) -> Result<(), Refusal> {
        let deployment = self.deployment(target).ok_or(Refusal::UnknownTarget)?;
        let settings = &deployment.settings;
        let limits = &settings.limits;
        let is_small = on_disk.messages < limits.backlog && on_disk.bytes < limits.backlog_bytes;
        if settings.durability.is_durable() && is_small {
            return Ok(());
        }
        Err(Refusal::MailboxFull)
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
