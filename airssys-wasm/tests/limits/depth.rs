//! How deep calls inside of turns get.

// Layer 2: Third-party crate imports
use serde_json::json;

// Layer 3: Internal module imports
use airssys_wasm::system::error::AskError;
use airssys_wasm::system::handle::System;

use crate::support::{builder, bytes, id};

async fn callers(call_depth: u64) -> System {
    builder()
        .component_with("demo/caller", bytes("caller"), |it| {
            it.limits.call_depth = call_depth;
        })
        .component("demo/echo", bytes("echo"))
        .start()
        .await
        .unwrap()
}

/// Has so many actors call, each the next, and the last one `demo/echo`.
async fn chain(system: &System, calls: usize) -> Result<String, AskError> {
    let call = |target: String, kind: &str, text: &str| {
        json!({"target": target, "kind": kind, "text": text, "timeout_ms": 20_000}).to_string()
    };
    let mut inner = call("demo/echo/a".into(), "", "reached");
    for number in (1..calls).rev() {
        inner = call(format!("demo/caller/{number}"), "call", &inner);
    }
    let reply = system.ask(&id("demo/caller/0"), "call", inner).await?;
    let reply = reply.unwrap_or_default();
    Ok(String::from_utf8(reply.as_bytes().to_vec()).expect("text"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn calls_go_so_deep_and_no_deeper() {
    for (call_depth, calls) in [(0, 0), (1, 1), (3, 3)] {
        let system = callers(call_depth).await;
        if calls > 0 {
            assert_eq!(chain(&system, calls).await.unwrap(), "reached");
        }
        let Err(AskError::Rejected(why)) = chain(&system, calls + 1).await else {
            panic!("it went deeper");
        };
        let words = format!("quota-exceeded: call_depth allows {call_depth}");
        assert!(why.contains(&words), "{why}");
    }
}
