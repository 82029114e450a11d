//! Systems with a data folder.

// Layer 1: Standard library imports
use std::path::Path;
use std::time::{Duration, Instant};

// Layer 2: Third-party crate imports
use tokio::time::sleep;

// Layer 3: Internal module imports
use airssys_wasm::component::retry::RetryPolicy;
use airssys_wasm::core::component::id::ComponentId;
use airssys_wasm::core::security::capabilities::Capabilities;
use airssys_wasm::core::storage::durability::Durability;
use airssys_wasm::system::builder::SystemBuilder;
use airssys_wasm::system::config::system::MemoryLayout;
use airssys_wasm::system::handle::System;

use crate::process::PATIENCE;

/// A system that keeps its data here.
pub(crate) fn builder(data: &Path) -> SystemBuilder {
    System::builder()
        .configure(|system| {
            system.max_live_actors = 512;
            system.memory = MemoryLayout::OnDemand;
            system.data = Some(data.into());
        })
        .defaults(|component| component.grants = Capabilities::trusted())
}

/// A running one of counters and relays, and of one sort of counters that keep nothing.
pub(crate) async fn start(data: &Path) -> System {
    let builder = builder(data)
        .component_with("demo/counter", &*guest("counter"), |component| {
            component.limits.storage_bytes = 100;
        })
        .component("demo/relay", &*guest("relay"))
        .component_with("demo/fleeting", &*guest("counter"), |component| {
            component.durability = Some(Durability::None);
        });
    builder.start().await.unwrap()
}

/// Where a guest is.
pub(crate) fn guest(name: &str) -> String {
    format!("../guests/bin/{name}.wasm")
}

/// A message is tried so often, at once.
pub(crate) fn at_once(attempts: u32) -> RetryPolicy {
    RetryPolicy {
        attempts,
        first_ms: 1,
        factor: 1.0,
        max_ms: 1,
        jitter: 0.0,
    }
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

/// Waits until something holds, and fails when it does not come to hold.
pub(crate) async fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !holds() {
        assert!(Instant::now() < deadline, "it never came to hold: {what}");
        sleep(Duration::from_millis(1)).await;
    }
}
