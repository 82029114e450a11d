//! What the host tells an instance about its surroundings.

// Layer 1: Standard library imports
use std::sync::Arc;

// Layer 3: Internal module imports
use crate::core::component::id::ComponentId;
use crate::core::limits::Limits;
use crate::core::memory::ComponentMemory;
use crate::core::security::capability::Capability;
use crate::core::security::provisions::Provisions;
use crate::core::turn::errors::HostError;
use crate::core::turn::notes::Notes;
use crate::core::turn::surroundings::{Alone, Surroundings};

/// Who an instance is and what it may have.
#[derive(Debug, Clone)]
pub struct InstanceSettings {
    /// The actor's address.
    pub address: ComponentId,
    /// Its limits.
    pub limits: Limits,
    /// What all instances of its component have, if somebody counts it.
    pub memory: Option<Arc<ComponentMemory>>,
    /// What the operator hands to it, as far as its surroundings permit.
    pub provisions: Arc<Provisions>,
    /// Whom it can reach.
    pub surroundings: Arc<dyn Surroundings>,
    /// What becomes of the thread that it computes on for too long.
    pub overrun: Overrun,
}

/// What becomes of a thread on which a guest that cannot wait computes for longer than
/// its slice, a few ticks of the engine's epoch.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Overrun {
    /// The guest keeps it until its turn ends.
    #[default]
    KeepThread,
    /// Its other tasks go to another thread. Turns must then run as tasks of a tokio
    /// runtime with many threads, outside of any `LocalSet`.
    HandOver,
}

impl InstanceSettings {
    /// Whether the instance may use a capability for a resource.
    ///
    /// # Errors
    ///
    /// What the guest is told.
    #[inline]
    pub(crate) fn permit(&self, capability: Capability, resource: &str) -> Result<(), HostError> {
        self.surroundings
            .permit(&self.address, capability, resource)
    }

    /// The same in a turn, which takes note of a denial.
    ///
    /// # Errors
    ///
    /// What the guest is told.
    #[inline]
    pub(crate) fn permit_in_turn(
        &self,
        notes: &mut Notes,
        capability: Capability,
        resource: &str,
    ) -> Result<(), HostError> {
        self.permit(capability, resource)
            .inspect_err(|denied| notes.denied(capability, resource, denied))
    }

    /// Default limits, memory that nobody else counts, no configuration, messages recorded and nobody to call.
    pub fn new(address: ComponentId) -> Self {
        Self {
            address,
            limits: Limits::default(),
            memory: None,
            provisions: Arc::default(),
            surroundings: Arc::new(Alone::default()),
            overrun: Overrun::default(),
        }
    }
}
