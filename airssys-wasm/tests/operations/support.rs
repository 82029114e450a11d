//! Systems with a data folder.

// Layer 1: Standard library imports
use std::path::Path;

// Layer 3: Internal module imports
use airssys_wasm::core::component::id::ComponentId;
use airssys_wasm::core::storage::durability::Durability;
use airssys_wasm::system::config::system::MemoryLayout;
use airssys_wasm::system::handle::System;

/// A system of counters and relays that keeps its data here, and of one sort of counters
/// that keep nothing.
pub(crate) async fn start(data: &Path) -> System {
    let guest = |name: &str| format!("../guests/bin/{name}.wasm");
    let builder = System::builder()
        .configure(|system| {
            system.max_live_actors = 64;
            system.memory = MemoryLayout::OnDemand;
            system.data = Some(data.into());
        })
        .component_with("demo/counter", guest("counter").as_str(), |component| {
            component.limits.storage_bytes = 100;
        })
        .component("demo/relay", guest("relay").as_str())
        .component_with("demo/fleeting", guest("counter").as_str(), |component| {
            component.durability = Some(Durability::None);
        });
    builder.start().await.unwrap()
}

/// An address.
pub(crate) fn id(address: &str) -> ComponentId {
    address.parse().unwrap_or_else(|e| panic!("{address}: {e}"))
}

/// What an actor replies, which must be text.
pub(crate) async fn ask(system: &System, to: &str, kind: &str, payload: &str) -> String {
    let reply = system.ask(&id(to), kind, payload).await;
    let reply = reply.unwrap_or_else(|e| panic!("{to} {kind}: {e}"));
    String::from_utf8(reply.unwrap_or_default().as_bytes().to_vec()).expect("text")
}
