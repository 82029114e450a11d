//! What all requests share.

// Layer 1: Standard library imports
use std::sync::Arc;

// Layer 2: Third-party crate imports
use airssys_wasm::core::limits::Limits;
use airssys_wasm::system::config::system::SystemConfig;
use airssys_wasm::system::handle::System;

// Layer 3: Internal module imports
use crate::log_book::LogBook;
use crate::server::places::Places;

/// What all requests share.
pub(crate) struct Shared {
    pub(crate) system: System,
    pub(crate) book: Arc<LogBook>,
    /// What every request has to show.
    pub(crate) token: String,
    /// Places for connections and requests.
    pub(crate) places: Places,
    pub(crate) sizes: Sizes,
}

/// How large the bodies of requests may be, in bytes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sizes {
    /// Of a message: as much as the component that allows the most.
    pub(crate) message: usize,
    /// Of a component.
    pub(crate) component: usize,
}

impl Sizes {
    /// Those that go with a configuration.
    pub(crate) fn of(config: &SystemConfig) -> Self {
        let default = Limits::default();
        let limits = || config.components.iter().map(|it| &it.limits);
        let messages = limits().map(|it| it.message_bytes);
        let components = limits().map(|it| it.component_bytes);
        let size = |bytes| usize::try_from(bytes).unwrap_or(usize::MAX);
        Self {
            message: size(messages.fold(default.message_bytes, u64::max)),
            component: size(components.fold(default.component_bytes, u64::max)),
        }
    }
}
