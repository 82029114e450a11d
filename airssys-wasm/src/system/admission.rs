//! Who may be sent a message, and what becomes of it when the process ends.

// Layer 3: Internal module imports
use crate::component::world::World;
use crate::core::component::id::ComponentId;
use crate::core::delivery::refusal::Refusal;
use crate::core::storage::backlog::Backlog;
use crate::core::storage::durability::Durability;
use crate::system::config::component::ComponentConfig;
use crate::system::node::Node;

impl Node {
    /// Whether an actor may be sent a message now.
    pub(crate) fn admit(&self, target: &ComponentId) -> Result<(), Refusal> {
        match self.directory.find(target) {
            Some(cell) if cell.mailbox.has_space() && cell.mailbox.on_disk().is_empty() => Ok(()),
            Some(cell) => self.admit_to_disk(target, cell.mailbox.on_disk()),
            None if !self.has_component(target.component()) => Err(Refusal::UnknownTarget),
            None if self.directory.is_full() && !self.is_durable(target) => Err(Refusal::NoRoom),
            // To one that was stopped it becomes a dead letter.
            None => match self.sleepers.waiting(target) {
                waiting if waiting.is_empty() => Ok(()),
                waiting => self.admit_to_disk(target, waiting),
            },
        }
    }

    /// Whether one more message may wait on disk for an actor whose mailbox is full, or for
    /// which others do.
    fn admit_to_disk(&self, target: &ComponentId, on_disk: Backlog) -> Result<(), Refusal> {
        let deployment = self.deployment(target).ok_or(Refusal::UnknownTarget)?;
        let settings = &deployment.settings;
        let is_small =
            on_disk.messages < settings.backlog && on_disk.bytes < settings.backlog_bytes;
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
