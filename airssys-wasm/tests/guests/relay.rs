// Layer 1: Standard library imports
use std::sync::Arc;

// Layer 2: Third-party crate imports
use serde_json::json;

// Layer 3: Internal module imports
use airssys_wasm::core::component::MessagePayload;
use airssys_wasm::core::component::id::ComponentId;
use airssys_wasm::core::limits::{Limit, LimitExceeded, Limits};
use airssys_wasm::core::turn::call::{CallOutcome, Reply};
use airssys_wasm::core::turn::effects::{Content, Outgoing};
use airssys_wasm::core::turn::errors::{CallError, HostError};
use airssys_wasm::core::turn::surroundings::Nobody;
use airssys_wasm::runtime::settings::InstanceSettings;

use crate::support::{Actor, context, limits, settings, start, start_with};

fn content(kind: &str, text: &'static str) -> Content {
    Content {
        kind: kind.to_owned(),
        payload: MessagePayload::new(text),
    }
}

async fn outgoing(relay: &mut Actor, kind: &str, payload: String) -> Vec<Outgoing> {
    relay.turn(kind, payload).await.unwrap().effects.outgoing
}

#[tokio::test]
async fn everything_it_sends_is_recorded_in_order() {
    let mut relay = start("relay").await;
    let bob = ComponentId::new("test", "bob", "1");
    let carol = ComponentId::new("test", "carol", "1");

    let send = json!({"target": "test/bob/1", "kind": "hi", "text": "a"}).to_string();
    assert_eq!(
        outgoing(&mut relay, "send", send).await,
        [Outgoing::Send {
            to: bob.clone(),
            content: content("hi", "a"),
        }]
    );
    let broadcast =
        json!({"targets": ["test/bob/1", "test/carol/1"], "kind": "hi", "text": "b"}).to_string();
    assert_eq!(
        outgoing(&mut relay, "broadcast", broadcast).await,
        [&bob, &carol].map(|to| Outgoing::Send {
            to: to.clone(),
            content: content("hi", "b"),
        })
    );
    let publish = json!({"topic": "a.b", "kind": "hi", "text": "c"}).to_string();
    assert_eq!(
        outgoing(&mut relay, "publish", publish).await,
        [Outgoing::Publish {
            topic: "a.b".into(),
            content: content("hi", "c"),
        }]
    );
    let pattern = "a.*.b".to_owned();
    assert_eq!(
        outgoing(&mut relay, "subscribe", pattern.clone()).await,
        [Outgoing::Subscribe {
            pattern: pattern.clone(),
        }]
    );
    assert_eq!(
        outgoing(&mut relay, "unsubscribe", pattern.clone()).await,
        [Outgoing::Unsubscribe { pattern }]
    );
}

#[tokio::test]
async fn timers_and_requests_get_ids_that_can_be_cancelled() {
    let mut relay = start("relay").await;
    let later = json!({"target": "test/bob/1", "kind": "hi", "text": "", "delay_ms": 50});
    let report = relay.turn("later", later.to_string()).await.unwrap();
    let [
        Outgoing::SendAfter {
            timer, delay_ms, ..
        },
    ] = report.effects.outgoing[..]
    else {
        panic!("one timer");
    };
    assert_eq!(delay_ms, 50);
    assert_eq!(
        outgoing(&mut relay, "cancel", timer.to_string()).await,
        [Outgoing::CancelTimer { timer }]
    );

    let request = json!({"target": "test/bob/1", "kind": "hi", "text": "", "timeout_ms": 70});
    let report = relay.turn("request", request.to_string()).await.unwrap();
    let [
        Outgoing::Request {
            correlation,
            timeout_ms,
            ..
        },
    ] = report.effects.outgoing[..]
    else {
        panic!("one request");
    };
    assert_eq!(timeout_ms, 70);
    assert_ne!(correlation, timer);
    assert_eq!(
        outgoing(&mut relay, "cancel-request", correlation.to_string()).await,
        [Outgoing::CancelRequest { correlation }]
    );
}

#[tokio::test]
async fn replies_arrive_in_turns_of_their_own() {
    let mut relay = start("relay").await;
    let full = LimitExceeded::beyond(Limit::MessageBytes, 5);
    let outcomes: [(CallOutcome, &str); 7] = [
        (Ok(Some(MessagePayload::new("fine"))), "ok: fine"),
        (Ok(None), "ok: "),
        (Err(CallError::Rejected("no".into())), "no"),
        (Err(CallError::Failed("trap".into())), "trap"),
        (Err(CallError::Host(HostError::Timeout)), "timeout"),
        (Err(CallError::Host(HostError::Denied("x".into()))), "x"),
        (
            Err(CallError::Host(HostError::TooLarge(full))),
            "message_bytes",
        ),
    ];
    for (correlation, (outcome, expected)) in (1..).zip(outcomes) {
        let reply = Reply {
            correlation,
            outcome,
        };
        let report = relay
            .store
            .handle_callback(&reply, context(99))
            .await
            .unwrap();
        relay.store.commit(report.effects);
        let kept = relay.ask("outcome", correlation.to_string()).await.unwrap();
        assert!(kept.contains(expected), "{kept:?} says {expected:?}");
    }
}

#[tokio::test]
async fn a_turn_that_fails_sends_nothing() {
    let mut relay = start("relay").await;
    let send = json!({"target": "test/bob/1", "kind": "hi", "text": "a"}).to_string();
    let report = relay.turn("send-then-reject", send).await.unwrap();
    assert!(report.effects.is_empty());
    assert!(outgoing(&mut relay, "note", "x".into()).await.is_empty());
}

#[tokio::test]
async fn it_knows_its_address() {
    let mut relay = start("relay").await;
    assert_eq!(relay.ask("address", "").await.unwrap(), "test/guest/one");
}

#[tokio::test]
async fn sending_beyond_the_turns_allowance_is_an_error_in_the_turn() {
    let settings = limits(Limits {
        turn_sends: 1,
        ..Limits::default()
    });
    let mut relay = start_with("relay", settings).await;
    let both = json!({"targets": ["a/b/c", "a/b/d"], "kind": "", "text": ""}).to_string();
    let error = relay.ask("broadcast", both).await.unwrap_err();
    assert!(error.to_string().contains("turn_sends"), "{error}");
}

#[tokio::test]
async fn where_nobody_delivers_the_guest_is_told() {
    let settings = InstanceSettings {
        surroundings: Arc::new(Nobody {
            component: "test/guest".into(),
        }),
        ..settings()
    };
    let mut relay = start_with("relay", settings).await;
    let send = json!({"target": "test/bob/1", "kind": "hi", "text": "a"}).to_string();
    let error = relay.ask("send", send).await.unwrap_err();
    assert!(error.to_string().contains("unavailable"), "{error}");
}
