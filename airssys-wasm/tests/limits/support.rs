//! Systems of components with small limits.

// Layer 2: Third-party crate imports
use serde_json::Value;

// Layer 3: Internal module imports
use airssys_wasm::core::component::MessagePayload;
use airssys_wasm::core::security::capabilities::Capabilities;
use airssys_wasm::system::builder::SystemBuilder;
use airssys_wasm::system::config::component::ComponentConfig;
use airssys_wasm::system::config::system::MemoryLayout;
use airssys_wasm::system::handle::System;

pub(crate) use crate::asking::{PATIENCE, bytes, id, try_ask, until};

/// A system whose memory is asked for when it is needed, and whose components may do what
/// they want, within limits.
pub(crate) fn builder() -> SystemBuilder {
    System::builder()
        .configure(|system| {
            system.max_live_actors = 64;
            system.memory = MemoryLayout::OnDemand;
        })
        .defaults(|component| {
            component.grants = Capabilities::trusted();
            component.retry.attempts = 1;
        })
}

/// A system with one component, `demo/probe`, which calls any host function.
pub(crate) async fn probe(change: impl FnOnce(&mut ComponentConfig)) -> System {
    let builder = builder().component_with("demo/probe", bytes("probe"), change);
    builder.start().await.unwrap()
}

/// What an actor replies, which must be text.
pub(crate) async fn ask(
    system: &System,
    to: &str,
    kind: &str,
    payload: impl Into<MessagePayload>,
) -> String {
    let reply = try_ask(system, to, kind, payload).await;
    reply.unwrap_or_else(|e| panic!("{to} {kind}: {e}"))
}

/// Has a probe call host functions in one turn, and returns the error of each, or nothing.
pub(crate) async fn script(system: &System, to: &str, calls: &[Value]) -> Vec<String> {
    let calls = Value::from(calls.to_vec()).to_string();
    let outcomes = ask(system, to, "script", calls).await;
    let outcomes: Vec<Value> = serde_json::from_str(&outcomes).expect("a list");
    let errors = outcomes.iter().map(|it| it["error"].as_str());
    errors
        .map(|error| error.unwrap_or_default().to_owned())
        .collect()
}

/// The same host function called so often in one turn: how often that went well, and the
/// first error.
pub(crate) async fn repeat(
    system: &System,
    to: &str,
    call: &Value,
    times: usize,
) -> (usize, Option<String>) {
    let errors = script(system, to, &vec![call.clone(); times]).await;
    let fine = errors.iter().take_while(|error| error.is_empty()).count();
    (fine, errors.get(fine).cloned())
}
