//! The W3C trace context that travels with messages.

// Layer 1: Standard library imports
use std::time::Duration;

// Layer 2: Third-party crate imports
use serde_json::{Value, json};

// Layer 3: Internal module imports
use airssys_wasm::system::handle::System;

use crate::support::{ask, builder, guest, id, once, until};

const PARENT: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

async fn system() -> System {
    builder()
        .component_with("demo/probe", &*guest("probe"), once)
        .component_with("demo/counter", &*guest("counter"), once)
        .component("demo/caller", &*guest("caller"))
        .start()
        .await
        .unwrap()
}

async fn traced(system: &System, to: &str, kind: &str, payload: String, parent: &str) -> Value {
    let message = system.message(&id(to), kind, payload);
    let system = system.in_trace(parent);
    let asked = system.ask_within(message, Duration::from_secs(10));
    let reply = asked.await.unwrap().unwrap();
    serde_json::from_slice(reply.as_bytes()).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_receiver_sees_the_trace_and_a_callee_a_child_of_it() {
    let system = system().await;
    let seen = traced(
        &system,
        "demo/probe/a",
        "services.trace-context",
        "{}".into(),
        PARENT,
    )
    .await;
    let seen = seen["ok"].as_str().unwrap().to_owned();
    assert_eq!(seen[..36], PARENT[..36], "the same trace");

    let call = json!({"target": "demo/probe/b", "kind": "services.trace-context", "text": "{}",
        "timeout_ms": 5_000});
    let below = traced(&system, "demo/caller/a", "call", call.to_string(), PARENT).await;
    let below = below["ok"].as_str().unwrap();
    assert_eq!(below[..36], PARENT[..36], "the same trace");
    assert_eq!(&below[53..], "01", "still sampled");
    assert_ne!(below[36..52], PARENT[36..52], "a step of its own");
    assert_ne!(below[36..52], seen[36..52]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_malformed_trace_is_dropped_and_none_is_made_up() {
    let system = system().await;
    for parent in [
        "",
        "hello",
        "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7",
        "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
        "00-4BF92F3577B34DA6A3CE929D0E0E4736-00F067AA0BA902B7-01",
        "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01\r\nx: y",
    ] {
        let seen = traced(
            &system,
            "demo/probe/a",
            "services.trace-context",
            "{}".into(),
            parent,
        )
        .await;
        assert_eq!(seen["ok"], Value::Null, "{parent:?}");
    }
    let untraced = ask(&system, "demo/probe/a", "services.trace-context", "{}");
    assert_eq!(untraced.await, r#"{"ok":null}"#);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_turn_sends_and_what_dies_keeps_its_trace() {
    let system = system().await;
    // Sent, sent later, requested: each receiver traps, and its dead letter tells.
    let to = json!({"target": "demo/counter/c", "kind": "add-then-trap", "payload": "1",
        "delay-ms": 1, "timeout-ms": 5_000});
    let kinds = [
        "messaging.send",
        "messaging.send-after",
        "messaging.request",
    ];
    for (count, kind) in kinds.into_iter().enumerate() {
        traced(&system, "demo/probe/a", kind, to.to_string(), PARENT).await;
        let letters = || system.dead_letters(Some("demo/counter/c"), None, 10);
        until("it has trapped", || letters().len() == count + 1).await;
        let parent = letters()[count].1.trace_parent.clone().expect("a trace");
        assert_eq!(parent[..36], PARENT[..36], "{kind}");
        assert_ne!(parent[36..52], PARENT[36..52], "{kind}");
    }
}
