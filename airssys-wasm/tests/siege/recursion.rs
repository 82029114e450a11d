//! Calls that call: within a guest, and from actor to actor.

// Layer 2: Third-party crate imports
use serde_json::json;

// Layer 3: Internal module imports
use airssys_wasm::core::limits::Limit;
use airssys_wasm::system::error::AskError;
use airssys_wasm::system::handle::System;

use crate::support::{ACTOR, alone, call, id, siege_by, stopped_by};
use crate::wat::{guest, handling};

#[test]
fn recursion_ends_with_the_stack() {
    let _alone = alone();
    siege_by(
        guest("deep-recursion"),
        |_| {},
        async |system| {
            stopped_by(system, Limit::WasmStackBytes).await;
        },
    );
}

/// A function whose frame is as large as the stack takes it with one call.
#[test]
fn frames_of_any_size_end_with_the_stack() {
    let _alone = alone();
    let locals = "(local i64)".repeat(40_000);
    // What is used after the call has to be kept during it.
    let kept: String = (1..40_001)
        .step_by(8)
        .map(|local| format!("(local.set {local} (i64.load (local.get 0)))\n"))
        .collect();
    let used: String = (1..40_001)
        .step_by(8)
        .map(|local| format!("(i64.store (local.get 0) (local.get {local}))\n"))
        .collect();
    let frame = handling(
        &format!("(func $frame (param i32) {locals} {kept} (call $frame (i32.const 8)) {used})"),
        "(call $frame (i32.const 8)) (unreachable)",
    );
    siege_by(
        frame,
        |_| {},
        async |system| {
            stopped_by(system, Limit::WasmStackBytes).await;
        },
    );
}

/// Has `demo/hostile/0` call the next, and so on; the last one calls `last`.
async fn chain(system: &System, calls: usize, last: &str) -> String {
    let call_on = |target: String, text: &str| {
        json!({"target": target, "kind": "call", "text": text, "timeout_ms": 5_000}).to_string()
    };
    let mut inner = call_on(last.to_owned(), "");
    for number in (1..calls).rev() {
        inner = call_on(format!("evil/hostile/{number}"), &inner);
    }
    match system.ask(&id("evil/hostile/0"), "call", inner).await {
        Err(AskError::Rejected(why)) => why,
        other => panic!("{other:?}"),
    }
}

#[test]
fn calls_from_actor_to_actor_go_so_deep_and_no_deeper() {
    let _alone = alone();
    siege_by(
        guest("caller"),
        |it| it.limits.call_depth = 5,
        async |system| {
            let why = chain(system, 6, "evil/hostile/7").await;
            assert!(why.contains("quota-exceeded: call_depth allows 5"), "{why}");
        },
    );
}

#[test]
fn calls_in_a_circle_are_told_at_once() {
    let _alone = alone();
    siege_by(
        guest("caller"),
        |_| {},
        async |system| {
            for last in 0..4 {
                let why = chain(system, 4, &format!("evil/hostile/{last}")).await;
                assert!(why.contains("deadlock"), "{why}");
            }
            let why = chain(system, 1, "evil/hostile/0").await;
            assert!(why.contains("deadlock"), "of one: {why}");
        },
    );
}

/// A guest that is called in turn by what it calls would be in two turns at once.
#[test]
fn a_request_to_oneself_waits_for_the_turn_to_end() {
    let _alone = alone();
    siege_by(
        guest("probe"),
        |_| {},
        async |system| {
            let request = json!({"target": ACTOR, "kind": "services.now-ms", "payload": "{}", "timeout-ms": 5_000});
            let told = call(system, "messaging.request", request).await;
            assert_eq!(told, "");
        },
    );
}
