//! Messages that expect no reply: now, later, and to many.

// Layer 2: Third-party crate imports
use serde_json::json;

// Layer 3: Internal module imports
use airssys_wasm::core::delivery::refusal::Refusal;
use airssys_wasm::core::event::Event;
use airssys_wasm::system::error::AskError;
use airssys_wasm::system::handle::System;

use crate::support::{Watch, ask, builder, guest, id, try_ask, until, until_reply};

async fn relays() -> System {
    builder()
        .component("demo/relay", &*guest("relay"))
        .component("demo/probe", &*guest("probe"))
        .start()
        .await
        .unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_guest_sends_when_its_turn_has_succeeded_and_not_before() {
    let system = relays().await;
    let one = json!({"target": "demo/relay/b", "kind": "note", "text": "one"});
    let rejected = try_ask(&system, "demo/relay/a", "send-then-reject", one.to_string());
    assert_eq!(
        rejected.await,
        Err(AskError::Rejected("nothing is to be sent".into()))
    );
    let two = json!({"target": "demo/relay/b", "kind": "note", "text": "two"});
    ask(&system, "demo/relay/a", "send", two.to_string()).await;
    until_reply(&system, "demo/relay/b", "notes", "", "two\n").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_broadcast_reaches_each_target_once() {
    let system = relays().await;
    let targets: Vec<String> = (0..20).map(|n| format!("demo/relay/r{n}")).collect();
    for text in ["x", "y"] {
        let all = json!({"targets": targets, "kind": "note", "text": text});
        ask(&system, "demo/relay/a", "broadcast", all.to_string()).await;
    }
    for target in &targets {
        until_reply(&system, target, "notes", "", "x\ny\n").await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn timers_fire_in_their_order_and_not_when_cancelled() {
    let system = relays().await;
    let later = |text: &str, delay_ms: u32| {
        json!({"target": "demo/relay/b", "kind": "note", "text": text, "delay_ms": delay_ms})
            .to_string()
    };
    ask(&system, "demo/relay/a", "later", later("third", 3_000)).await;
    ask(&system, "demo/relay/a", "later", later("first", 2_000)).await;
    let second = ask(&system, "demo/relay/a", "later", later("second", 2_500)).await;
    ask(&system, "demo/relay/a", "later", later("never", 60_000)).await;
    assert_eq!(system.status().open.timers, 4);
    ask(&system, "demo/relay/a", "cancel", second.clone()).await;
    // Cancelling again, and what never was, is no error.
    ask(&system, "demo/relay/a", "cancel", second).await;
    ask(&system, "demo/relay/a", "cancel", "77").await;
    // Another actor's number is another timer.
    assert_eq!(system.status().open.timers, 3);
    until_reply(&system, "demo/relay/b", "notes", "", "first\nthird\n").await;
    assert_eq!(system.status().open.timers, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_cancels_the_timer_of_another() {
    let system = relays().await;
    let later = json!({"target": "demo/relay/b", "kind": "note", "text": "x", "delay_ms": 60_000});
    let timer = ask(&system, "demo/relay/a", "later", later.to_string()).await;
    ask(&system, "demo/relay/b", "cancel", timer.clone()).await;
    assert_eq!(system.status().open.timers, 1);
    ask(&system, "demo/relay/a", "cancel", timer).await;
    assert_eq!(system.status().open.timers, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_timer_outlives_the_passivation_of_who_set_it() {
    let system = builder()
        .component_with("demo/relay", &*guest("relay"), |relay| relay.idle_ms = 1)
        .start()
        .await
        .unwrap();
    let mut watch = Watch::new(&system);
    let later = json!({"target": "demo/relay/a", "kind": "note", "text": "up", "delay_ms": 600});
    ask(&system, "demo/relay/a", "later", later.to_string()).await;
    watch.passivated("demo/relay/a").await;
    until_reply(&system, "demo/relay/a", "notes", "", "up\n").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_sent_to_an_actor_that_was_stopped_becomes_a_dead_letter() {
    let system = relays().await;
    let mut watch = Watch::new(&system);
    let later = json!({"target": "demo/relay/b", "kind": "note", "text": "x", "delay_ms": 2_000});
    ask(&system, "demo/relay/a", "later", later.to_string()).await;
    system.stop(&id("demo/relay/b")).unwrap();
    // The timer was set before, and has nobody to tell.
    let reason = watch
        .find(|event| match event {
            Event::DeadLetter { to, reason, .. } if to.as_str() == "demo/relay/b" => Some(reason),
            _ => None,
        })
        .await;
    assert_eq!(reason, "not delivered: the actor is stopped");
    // Neither does a turn: what it sends leaves when it is over.
    let send = json!({"target": "demo/relay/b", "kind": "note", "text": "x"});
    ask(&system, "demo/relay/a", "send", send.to_string()).await;
    until("it is kept", || system.status().dead_letters == 2).await;
    system.resume(&"demo/relay/b".parse().unwrap()).unwrap();
    ask(&system, "demo/relay/a", "send", send.to_string()).await;
    until_reply(&system, "demo/relay/b", "notes", "", "x\n").await;
    assert_eq!(system.status().dead_letters, 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_actor_knows_its_own_address_and_may_send_to_itself() {
    let system = relays().await;
    assert_eq!(
        ask(&system, "demo/relay/me", "address", "").await,
        "demo/relay/me"
    );
    let note = json!({"target": "demo/relay/me", "kind": "note", "text": "hello"});
    ask(&system, "demo/relay/me", "send", note.to_string()).await;
    until_reply(&system, "demo/relay/me", "notes", "", "hello\n").await;
    until("nothing is lost", || system.status().dead_letters == 0).await;
    let refused = system.send(&id("demo/none/me"), "", "").await.unwrap_err();
    assert_eq!(refused.reason, Refusal::UnknownTarget);
}
