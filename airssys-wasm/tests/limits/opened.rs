//! What an actor has open beyond its turns: timers, requests, subscriptions.

// Layer 2: Third-party crate imports
use serde_json::{Value, json};

// Layer 3: Internal module imports
use airssys_wasm::system::handle::System;

use crate::support::{ask, probe, repeat, script, until};

const PROBE: &str = "demo/probe/a";

/// Long after the test.
const FAR_MS: u32 = 3_600_000;

fn timer() -> Value {
    json!(["messaging.send-after", {"target": PROBE, "kind": "services.now-ms", "delay-ms": FAR_MS}])
}

fn subscription(pattern: &str) -> Value {
    json!(["messaging.subscribe", {"pattern": pattern}])
}

async fn refusal(system: &System, call: Value) -> String {
    script(system, PROBE, &[call]).await.remove(0)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_actor_has_so_many_timers() {
    let system = probe(|it| it.limits.timers = 3).await;
    let words = "quota-exceeded: timers allows 3, and 4 was wanted";
    let (set, error) = repeat(&system, PROBE, &timer(), 5).await;
    assert_eq!((set, error.as_deref()), (3, Some(words)), "within a turn");
    assert_eq!(refusal(&system, timer()).await, words, "and over turns");
    assert_eq!(system.status().open.timers, 3);
    // Another actor has timers of its own.
    let (set, _) = repeat(&system, "demo/probe/b", &timer(), 1).await;
    assert_eq!(set, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_timer_that_is_cancelled_makes_room() {
    let system = probe(|it| it.limits.timers = 1).await;
    let set = json!({"target": PROBE, "kind": "x", "delay-ms": FAR_MS}).to_string();
    let reply = ask(&system, PROBE, "messaging.send-after", set).await;
    let timer_id = serde_json::from_str::<Value>(&reply).unwrap()["ok"].clone();
    assert_ne!(refusal(&system, timer()).await, "");
    let cancel = json!(["messaging.cancel-timer", {"timer": timer_id}]);
    assert_eq!(refusal(&system, cancel).await, "");
    assert_eq!(refusal(&system, timer()).await, "");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_actor_has_so_many_requests_open() {
    let system = probe(|it| it.limits.requests = 2).await;
    // The requester has replies coming that it does not handle, so that all ends by itself.
    let request = json!(["messaging.request", {
        "target": "demo/probe/b", "kind": "services.now-ms", "payload": "{}", "timeout-ms": 5_000,
    }]);
    let (opened, error) = repeat(&system, PROBE, &request, 4).await;
    let words = "quota-exceeded: requests allows 2, and 3 was wanted";
    assert_eq!((opened, error.as_deref()), (2, Some(words)));
    until("they were answered", || system.status().open.requests == 0).await;
    assert_eq!(refusal(&system, request).await, "");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_actor_has_so_many_subscriptions() {
    let system = probe(|it| it.limits.subscriptions = 2).await;
    let words = "quota-exceeded: subscriptions allows 2, and 3 was wanted";
    let calls = ["a.b", "a.c", "a.d"].map(subscription);
    assert_eq!(script(&system, PROBE, &calls).await, ["", "", words]);
    // What it has already is no further one.
    let calls = ["a.b", "a.c", "a.d", "a.b"].map(subscription);
    assert_eq!(script(&system, PROBE, &calls).await, ["", "", words, ""]);
    let unsubscribe = json!(["messaging.unsubscribe", {"pattern": "a.b"}]);
    assert_eq!(refusal(&system, unsubscribe).await, "");
    assert_eq!(refusal(&system, subscription("a.d")).await, "");
    assert_eq!(system.status().open.subscriptions, 2);
}

/// Whatever becomes of it is one commit, which must not be of any size.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_published_counts_for_each_who_hears_of_it() {
    let system = probe(|it| {
        it.limits.turn_sends = 6;
        it.limits.turn_send_bytes = 100;
        it.limits.messages_per_s = 1_000;
    })
    .await;
    for instance in 0..3 {
        let subscriber = format!("demo/probe/{instance}");
        let subscribed = script(&system, &subscriber, &[subscription("news.>")]).await;
        assert_eq!(subscribed, [""]);
    }
    let publish = |bytes: u64| json!(["messaging.publish", {"topic": "news.eu", "kind": "services.now-ms", "payload": {"repeat": "x", "times": bytes}}]);
    let (published, error) = repeat(&system, PROBE, &publish(1), 4).await;
    let words = "quota-exceeded: turn_sends allows 6, and 9 was wanted";
    assert_eq!((published, error.as_deref()), (2, Some(words)));
    let words = "quota-exceeded: turn_send_bytes allows 100, and 120 was wanted";
    assert_eq!(refusal(&system, publish(40)).await, words);
    assert_eq!(refusal(&system, publish(33)).await, "");
    // Each is counted that was published in a second, and not the publication.
    let few = probe(|it| it.limits.messages_per_s = 2).await;
    for instance in 0..3 {
        let subscriber = format!("demo/probe/{instance}");
        script(&few, &subscriber, &[subscription("news.>")]).await;
    }
    let words = "quota-exceeded: messages_per_s allows 2, and 3 was wanted";
    assert_eq!(refusal(&few, publish(1)).await, words);
}
