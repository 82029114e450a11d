//! Publishing to whoever subscribed.

// Layer 1: Standard library imports
use std::time::Instant;

// Layer 2: Third-party crate imports
use serde_json::json;

// Layer 3: Internal module imports
use airssys_wasm::core::event::Event;
use airssys_wasm::core::security::capability::Capability;
use airssys_wasm::system::error::PublishError;
use airssys_wasm::system::handle::System;

use crate::support::{Watch, ask, builder, guest, id, try_ask, until, until_reply};

async fn system() -> System {
    builder()
        .component_with("demo/relay", &*guest("relay"), |relay| {
            relay.limits.mailbox = 64;
        })
        .start()
        .await
        .unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_topic_reaches_those_whose_pattern_matches_each_once() {
    let system = system().await;
    for (instance, pattern) in [
        ("exact", "orders.eu.created"),
        ("star", "orders.*.created"),
        ("rest", "orders.>"),
        ("all", ">"),
        ("twice", "orders.eu.*"),
        ("twice", "*.eu.created"),
        ("other", "orders.us.created"),
    ] {
        ask(
            &system,
            &format!("demo/relay/{instance}"),
            "subscribe",
            pattern,
        )
        .await;
    }
    assert_eq!(system.status().open.subscriptions, 7);
    assert_eq!(
        system.publish("orders.eu.created", "note", "one").await,
        Ok(5)
    );
    assert_eq!(
        system.publish("orders.us.created", "note", "two").await,
        Ok(4)
    );
    assert_eq!(system.publish("orders", "note", "three").await, Ok(1));
    assert_eq!(system.publish("news.eu", "note", "four").await, Ok(1));
    for (instance, notes) in [
        ("exact", "one\n"),
        ("star", "one\ntwo\n"),
        ("rest", "one\ntwo\n"),
        ("all", "one\ntwo\nthree\nfour\n"),
        ("twice", "one\n"),
        ("other", "two\n"),
    ] {
        until_reply(
            &system,
            &format!("demo/relay/{instance}"),
            "notes",
            "",
            notes,
        )
        .await;
    }
    let twice = system.inspect(&id("demo/relay/twice")).unwrap();
    assert_eq!(twice.subscriptions, ["*.eu.created", "orders.eu.*"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn guests_publish_too_and_subscriptions_end_when_they_are_told_to() {
    let system = system().await;
    ask(&system, "demo/relay/a", "subscribe", "news.*").await;
    let news = |text: &str| json!({"topic": "news.eu", "kind": "note", "text": text}).to_string();
    ask(&system, "demo/relay/b", "publish", news("one")).await;
    until_reply(&system, "demo/relay/a", "notes", "", "one\n").await;
    ask(&system, "demo/relay/a", "unsubscribe", "news.*").await;
    ask(&system, "demo/relay/a", "unsubscribe", "never.was").await;
    ask(&system, "demo/relay/b", "publish", news("two")).await;
    assert_eq!(system.publish("news.eu", "note", "three").await, Ok(0));
    assert_eq!(ask(&system, "demo/relay/a", "notes", "").await, "one\n");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_subscription_outlives_passivation_and_wakes_its_actor() {
    let system = builder()
        .component_with("demo/relay", &*guest("relay"), |relay| relay.idle_ms = 1)
        .start()
        .await
        .unwrap();
    let mut watch = Watch::new(&system);
    ask(&system, "demo/relay/a", "subscribe", "wake.up").await;
    watch.passivated("demo/relay/a").await;
    assert_eq!(system.publish("wake.up", "note", "morning").await, Ok(1));
    watch.activated("demo/relay/a").await;
    until_reply(&system, "demo/relay/a", "notes", "", "morning\n").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_malformed_topic_is_refused_inside_and_outside() {
    let system = system().await;
    for topic in [
        "", ".", "a..b", "a.", ".a", "a.*", "a.>", ">", "a b", "a\0b",
    ] {
        let published = system.publish(topic, "note", "").await;
        assert!(
            matches!(published, Err(PublishError::Topic(_))),
            "{topic:?}: {published:?}"
        );
        let inside = json!({"topic": topic, "kind": "note", "text": ""}).to_string();
        let rejected = try_ask(&system, "demo/relay/a", "publish", inside).await;
        assert!(rejected.is_err(), "{topic:?}");
    }
    for pattern in ["", "a..b", "a.>.b", "a*", "a>", "a\0"] {
        let rejected = try_ask(&system, "demo/relay/a", "subscribe", pattern).await;
        assert!(rejected.is_err(), "{pattern:?}");
    }
    assert_eq!(system.status().open.subscriptions, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_subscriber_that_is_stopped_leaves_dead_letters() {
    let system = system().await;
    for actor in ["demo/relay/a", "demo/relay/b"] {
        ask(&system, actor, "subscribe", "t").await;
    }
    system.stop(&id("demo/relay/a")).unwrap();
    until("it has ended", || {
        system.inspect(&id("demo/relay/a")).unwrap().phase.is_none()
    })
    .await;
    assert_eq!(system.publish("t", "note", "x").await, Ok(2));
    until_reply(&system, "demo/relay/b", "notes", "", "x\n").await;
    let letters = system.dead_letters(Some("demo/relay/a"), None, 10);
    assert_eq!(letters.len(), 1);
}

/// Also where the pattern that it subscribed to was wider, or was put on disk long ago.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_may_not_subscribe_any_more_hears_no_more() {
    let system = builder()
        .component_with("demo/relay", &*guest("relay"), |relay| {
            relay.grants.subscribe = vec!["orders.*".to_owned(), "news.>".to_owned()];
        })
        .start()
        .await
        .unwrap();
    for pattern in ["orders.*", "news.>"] {
        ask(&system, "demo/relay/a", "subscribe", pattern).await;
    }
    let publish = async |topic| system.publish(topic, "note", topic).await.unwrap();
    assert_eq!(
        (publish("orders.eu").await, publish("news.eu").await),
        (1, 1)
    );

    let subscribe = Capability::Subscribe;
    let mut watch = Watch::new(&system);
    system.revoke("demo/relay", subscribe, "orders.*").unwrap();
    assert_eq!(
        (publish("orders.eu").await, publish("news.eu").await),
        (0, 1)
    );
    let denied = |event: &Event| matches!(event, Event::Denied { actor, what } if actor == &id("demo/relay/a") && what.contains("orders.eu"));
    watch.wait(denied).await;
    // A part of it, and the subscription is what it was.
    system.grant("demo/relay", subscribe, "orders.eu").unwrap();
    assert_eq!(
        (publish("orders.eu").await, publish("orders.us").await),
        (1, 0)
    );
    let notes = "orders.eu\nnews.eu\nnews.eu\norders.eu\n";
    until_reply(&system, "demo/relay/a", "notes", "", notes).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_publishes_does_not_have_denials_told_in_the_name_of_others() {
    let system = builder()
        .component_with("demo/relay", &*guest("relay"), |relay| {
            relay.grants.subscribe = vec!["orders.*".to_owned()];
        })
        .start()
        .await
        .unwrap();
    ask(&system, "demo/relay/a", "subscribe", "orders.*").await;
    let subscribe = Capability::Subscribe;
    system.revoke("demo/relay", subscribe, "orders.*").unwrap();
    let mut watch = Watch::new(&system);
    let began = Instant::now();
    for number in 0..200 {
        let topic = format!("orders.{number}");
        assert_eq!(system.publish(&topic, "note", "").await, Ok(0));
    }
    let minutes = began.elapsed().as_secs() / 60;
    let is_denial = |event: &Event| matches!(event, Event::Denied { .. });
    let told = watch.so_far().iter().filter(|it| is_denial(it)).count() as u64;
    // The first, and one for each minute that has begun since.
    assert!((1..=2 + minutes).contains(&told), "{told}");
    system.shutdown().await;
}
