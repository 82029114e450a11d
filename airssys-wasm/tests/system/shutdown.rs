//! The end of a system.

// Layer 1: Standard library imports
use std::time::Duration;

// Layer 2: Third-party crate imports
use serde_json::json;
use tokio::time::timeout;

// Layer 3: Internal module imports
use airssys_wasm::core::delivery::refusal::Refusal;
use airssys_wasm::core::event::Event;
use airssys_wasm::system::config::component::ComponentConfig;
use airssys_wasm::system::error::{AskError, ControlError, PublishError, StartError};

use crate::support::{
    PATIENCE, Watch, ask, at_once, builder, bytes, counts, guest, id, is_settled, once, try_ask,
    until,
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_accepted_is_handled_and_actors_are_passivated() {
    let system = builder()
        .component("demo/ledger", &*guest("ledger"))
        .component("demo/life", &*guest("lifecycle"))
        .start()
        .await
        .unwrap();
    ask(&system, "demo/life/a", "get", "starts").await;
    // Each message makes another one, which is accepted although the end has begun.
    let first = id("demo/ledger/first");
    for _ in 0..200 {
        system
            .send(&first, "forward", "demo/ledger/second next")
            .await
            .unwrap();
    }
    let mut watch = Watch::new(&system);
    let report = system.shutdown().await;
    assert!(report.is_clean(), "{report:?}");
    assert_eq!(
        (report.timers, report.requests, report.dead_letters),
        (0, 0, 0)
    );
    let ledger = counts(&system, "demo/ledger");
    assert_eq!((ledger.handled, ledger.rejected), (400, 0));
    assert!(system.list().is_empty());
    watch.wait(|event| *event == Event::ShuttingDown).await;
    let events = watch.so_far();
    let is_end = |event: &&Event| matches!(event, Event::Passivated { .. });
    assert!(events.iter().filter(is_end).count() >= 3, "{events:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_an_actor_writes_at_its_end_is_kept() {
    let system = builder()
        .component_with("demo/life", &*guest("lifecycle"), |it| it.idle_ms = 1)
        .start()
        .await
        .unwrap();
    let mut watch = Watch::new(&system);
    ask(&system, "demo/life/a", "get", "stops").await;
    watch.passivated("demo/life/a").await;
    assert_eq!(ask(&system, "demo/life/a", "get", "stops").await, "1");
    assert!(system.shutdown().await.is_clean());
    assert_eq!(counts(&system, "demo/life").failed, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_new_is_taken() {
    let system = builder()
        .component("demo/echo", &*guest("echo"))
        .start()
        .await
        .unwrap();
    ask(&system, "demo/echo/a", "", "").await;
    let other = system.clone();
    system.shutdown().await;
    let echo = id("demo/echo/a");
    let shut = Refusal::ShuttingDown;
    assert_eq!(
        try_ask(&other, "demo/echo/a", "", "").await,
        Err(AskError::Refused(shut))
    );
    let refused = other.send(&echo, "", "mine").await.unwrap_err();
    assert_eq!(refused.reason, shut);
    assert_eq!(refused.message.payload().as_bytes(), b"mine");
    assert_eq!(
        other.publish("t", "", "").await,
        Err(PublishError::Refused(shut))
    );
    assert_eq!(other.spawn(&echo).await, Err(ControlError::Refused(shut)));
    let config = ComponentConfig::new("demo/late".parse().unwrap());
    assert!(matches!(
        other.deploy(config, bytes("echo")).await,
        Err(StartError::ShuttingDown)
    ));
    // Twice is once.
    assert!(other.shutdown().await.is_clean());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_could_not_be_finished_is_told() {
    let system = builder()
        .component_with("demo/loop", bytes("endless-loop"), |it| {
            once(it);
            it.limits.turn_wall_ms = 4_000;
            it.limits.turn_fuel = u64::MAX;
        })
        .component("demo/relay", &*guest("relay"))
        .start()
        .await
        .unwrap();
    let busy = id("demo/loop/a");
    for _ in 0..3 {
        system.send(&busy, "", "").await.unwrap();
    }
    let later = json!({"target": "demo/relay/b", "kind": "note", "text": "", "delay_ms": 60_000});
    ask(&system, "demo/relay/a", "later", later.to_string()).await;
    let request = json!({"target": "demo/loop/a", "kind": "", "text": "", "timeout_ms": 60_000});
    ask(&system, "demo/relay/a", "request", request.to_string()).await;
    let report = system.shutdown_within(Duration::from_millis(100)).await;
    assert!(!report.is_clean());
    // Had the loop been waited for, the first message would have been handled.
    assert_eq!(report.busy_actors, ["demo/loop/a"]);
    assert_eq!(report.messages, 4, "{report:?}");
    assert_eq!((report.timers, report.requests), (1, 1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_actor_that_pauses_before_another_attempt_is_not_waited_for_too_long() {
    let system = builder()
        .component_with("demo/counter", &*guest("counter"), |it| {
            it.retry = at_once(2);
            it.retry.first_ms = 60_000;
            it.retry.max_ms = 60_000;
        })
        .start()
        .await
        .unwrap();
    let counter = id("demo/counter/a");
    system.send(&counter, "add-then-retry", "1").await.unwrap();
    system.send(&counter, "add", "1").await.unwrap();
    until("it pauses", || counts(&system, "demo/counter").failed == 1).await;
    let report = system.shutdown_within(Duration::from_millis(50)).await;
    assert_eq!(report.busy_actors, [""; 0]);
    assert_eq!((report.messages, report.dead_letters), (2, 2));
    assert!(is_settled(counts(&system, "demo/counter")));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_waits_for_an_answer_is_told_of_the_end() {
    let system = builder()
        .component_with("demo/counter", &*guest("counter"), |it| {
            it.retry = at_once(2);
            it.retry.first_ms = 60_000;
            it.retry.max_ms = 60_000;
        })
        .start()
        .await
        .unwrap();
    let asking = {
        let system = system.clone();
        tokio::spawn(async move { try_ask(&system, "demo/counter/a", "add-then-retry", "1").await })
    };
    until("it pauses", || counts(&system, "demo/counter").failed == 1).await;
    system.shutdown_within(Duration::from_millis(50)).await;
    let answer = timeout(PATIENCE, asking).await.unwrap().unwrap();
    assert!(answer.is_err(), "{answer:?}");
}
