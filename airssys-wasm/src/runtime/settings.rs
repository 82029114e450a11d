//! What the host tells an instance about its surroundings.

// Layer 1: Standard library imports
use std::collections::BTreeMap;

// Layer 3: Internal module imports
use crate::core::component::id::ComponentId;
use crate::core::limits::Limits;
use crate::runtime::host_fn::rpc::CallPort;

/// Who an instance is and what it may have.
#[derive(Debug, Clone)]
pub struct InstanceSettings {
    /// The actor's address.
    pub address: ComponentId,
    /// Its limits.
    pub limits: Limits,
    /// What the operator configured for it.
    pub config: BTreeMap<String, String>,
    /// The components that it may know of, as `namespace/name`, in order.
    pub directory: Vec<String>,
    /// Whether anybody delivers what it sends.
    pub delivery: Delivery,
    /// Who answers its calls. Without one they are answered with `unavailable`.
    pub calls: Option<CallPort>,
}

/// Whether anybody delivers what an instance sends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Delivery {
    /// Messages are recorded, and whoever runs the turn delivers them.
    Recorded,
    /// There is nobody to deliver them, so the guest is told `unavailable` rather
    /// than having its messages lost.
    Nobody,
}

impl InstanceSettings {
    /// Default limits, no configuration, messages recorded, nobody to call.
    pub fn new(address: ComponentId) -> Self {
        Self {
            address,
            limits: Limits::default(),
            config: BTreeMap::new(),
            directory: Vec::new(),
            delivery: Delivery::Recorded,
            calls: None,
        }
    }
}
