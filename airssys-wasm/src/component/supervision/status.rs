//! What an operator is shown of a supervisor.

// Layer 2: Third-party crate imports
use serde::Serialize;

// Layer 3: Internal module imports
use crate::component::supervision::group::Strategy;
use crate::core::component::id::ComponentId;

/// Whether an actor may run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Standing {
    /// It may.
    Running,
    /// It, or the group that it belongs to, failed too often.
    GivenUp,
    /// An operator stopped it, or it failed and its policy is not to start again.
    Ended,
}

/// A group, as a list shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct GroupStatus {
    /// Its name.
    pub name: String,
    /// Who is restarted when a member fails.
    pub strategy: Strategy,
    /// The group that it is a member of.
    pub parent: Option<String>,
    /// Whether it runs.
    pub state: GroupState,
    /// The restarts that count at the moment.
    pub restarts_in_window: usize,
    /// The restarts that are allowed within the window.
    pub max_restarts: u32,
    /// The length of the window in milliseconds.
    pub window_ms: u64,
    /// The members in their order, as they are written in the settings.
    pub members: Vec<String>,
}

/// Whether a group runs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum GroupState {
    /// It does.
    Running,
    /// It failed too often, or the outermost group that it is in did.
    GivenUp(GivenUp),
}

/// That something was given up, and over what.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct GivenUp {
    /// The actor whose failure was the last straw.
    pub actor: ComponentId,
    /// When that was, in milliseconds, on the clock that the supervisor is shown.
    pub at_ms: u64,
}
