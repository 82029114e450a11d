//! A loaded component, as the engine's callers name it.

// Layer 3: Internal module imports
use crate::core::component::id::ComponentId;

/// Names one component that was loaded into a
/// [`RuntimeEngine`](crate::core::runtime::traits::RuntimeEngine).
///
/// A handle is a name and no owner: dropping it unloads nothing, and using it after
/// the component was unloaded is answered with
/// [`ComponentNotFound`](crate::core::runtime::errors::WasmError::ComponentNotFound).
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ComponentHandle {
    id: ComponentId,
    handle_id: u64,
}

impl ComponentHandle {
    /// Makes a handle out of its parts.
    pub fn new(id: ComponentId, handle_id: u64) -> Self {
        Self { id, handle_id }
    }

    /// The address that the component was loaded under.
    pub fn id(&self) -> &ComponentId {
        &self.id
    }

    /// The engine's number for this loading. Engines count from 1.
    pub fn handle_id(&self) -> u64 {
        self.handle_id
    }
}
