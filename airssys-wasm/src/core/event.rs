//! What happens in a system, for whoever watches it.

// Layer 1: Standard library imports
use std::sync::Arc;

// Layer 2: Third-party crate imports
use serde::Serialize;

// Layer 3: Internal module imports
use crate::core::component::id::ComponentId;
use crate::core::storage::store::VersionId;

/// Something that happened. Messages that were handled are no events: they are counted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Event {
    /// An actor has got an instance, and its `init` has run.
    Activated {
        /// The actor.
        actor: ComponentId,
        /// What runs it.
        version: Arc<VersionId>,
    },
    /// An actor's `shutdown` has run, and its instance is gone.
    Passivated {
        /// The actor.
        actor: ComponentId,
    },
    /// A turn failed: a trap, a limit, the deadline, or a start that was refused.
    TurnFailed {
        /// The actor.
        actor: ComponentId,
        /// What it handled: a message's kind, `reply` or `start`.
        kind: String,
        /// How often the message was tried so far.
        attempt: u32,
        /// Why it failed.
        error: String,
    },
    /// A guest used something that it was not granted.
    Denied {
        /// The actor.
        actor: ComponentId,
        /// What was denied.
        what: String,
    },
    /// A supervisor restarts actors.
    Restarted {
        /// The actor that failed.
        failed: ComponentId,
        /// Who is restarted: actors and components.
        members: Vec<String>,
    },
    /// A supervisor gave up a group or an actor.
    GaveUp {
        /// The group, or the actor that belongs to none.
        target: String,
        /// The actor whose failure was one too many.
        last_straw: ComponentId,
    },
    /// An actor was stopped for good.
    Stopped {
        /// The actor.
        actor: ComponentId,
    },
    /// A group, component or actor runs again.
    Resumed {
        /// Which.
        target: String,
    },
    /// A message was given up.
    DeadLetter {
        /// Its number.
        id: u64,
        /// Whom it was for.
        to: ComponentId,
        /// Why.
        reason: String,
    },
    /// A component was added.
    Deployed {
        /// Its name.
        component: String,
        /// Its first version.
        version: Arc<VersionId>,
    },
    /// A component's actors begin to switch to another version.
    UpgradeStarted {
        /// The component.
        component: String,
        /// What they run.
        from: Arc<VersionId>,
        /// What they are to run.
        to: Arc<VersionId>,
    },
    /// An actor has switched to another version.
    Switched {
        /// The actor.
        actor: ComponentId,
        /// What it runs now.
        version: Arc<VersionId>,
    },
    /// A component's new version failed too often, and the one before is back.
    UpgradeReverted {
        /// The component.
        component: String,
        /// What is back.
        to: Arc<VersionId>,
        /// Failures since the upgrade.
        failures: u32,
    },
    /// The system takes no more messages from outside.
    ShuttingDown,
    /// The store has failed: the system takes nothing until it is started again.
    StoreFailed {
        /// Why.
        reason: String,
    },
}
