//! Asking actors, and waiting: for the suites that run whole systems.

// Layer 1: Standard library imports
use std::fs;
use std::time::{Duration, Instant};

// Layer 2: Third-party crate imports
use tokio::time::sleep;

// Layer 3: Internal module imports
use airssys_wasm::core::component::MessagePayload;
use airssys_wasm::core::component::id::ComponentId;
use airssys_wasm::system::error::AskError;
use airssys_wasm::system::handle::System;

/// How long a test waits for what has to happen. It is long, so that a machine that is busy with
/// other things fails nothing.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// A guest's bytes.
pub(crate) fn bytes(name: &str) -> Vec<u8> {
    fs::read(format!("../guests/bin/{name}.wasm")).unwrap_or_else(|e| panic!("{name}: {e}"))
}

/// An address.
pub(crate) fn id(address: &str) -> ComponentId {
    address.parse().unwrap_or_else(|e| panic!("{address}: {e}"))
}

/// What an actor replies, which must be text, or why it does not.
pub(crate) async fn try_ask(
    system: &System,
    to: &str,
    kind: &str,
    payload: impl Into<MessagePayload>,
) -> Result<String, AskError> {
    let reply = system.ask(&id(to), kind, payload).await?;
    let reply = reply.unwrap_or_default();
    Ok(String::from_utf8(reply.as_bytes().to_vec()).expect("text"))
}

/// Waits until something holds, and fails when it does not come to hold.
pub(crate) async fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !holds() {
        assert!(Instant::now() < deadline, "it never came to hold: {what}");
        sleep(Duration::from_millis(1)).await;
    }
}
