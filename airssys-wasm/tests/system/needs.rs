//! A component that says what it needs gets that or does not run, and gets nothing else.

// Layer 2: Third-party crate imports
use serde_json::{Value, json};

// Layer 3: Internal module imports
use airssys_wasm::core::security::capabilities::Capabilities;
use airssys_wasm::core::security::capability::Capability;
use airssys_wasm::security::grants::Missing;
use airssys_wasm::system::builder::SystemBuilder;
use airssys_wasm::system::config::component::ComponentConfig;
use airssys_wasm::system::error::{ControlError, StartError};
use airssys_wasm::system::handle::System;

use crate::support::{ask, ask_json, builder, bytes, component_status};

const MODEST: &str = "test/modest";

fn sends(pattern: &str) -> Capabilities {
    Capabilities {
        send: vec![pattern.into()],
        ..Capabilities::default()
    }
}

fn publishes(pattern: &str) -> Capabilities {
    Capabilities {
        publish: vec![pattern.into()],
        ..Capabilities::default()
    }
}

fn missing(capability: Capability, pattern: &str) -> Missing {
    Missing {
        capability,
        pattern: pattern.into(),
    }
}

/// A sink beside `guest`, which is granted what `change` says.
fn beside_a_sink(guest: &str, change: impl FnOnce(&mut ComponentConfig)) -> SystemBuilder {
    builder()
        .component("test/sink", bytes("echo"))
        .defaults(|_| {})
        .component_with(MODEST, bytes(guest), change)
}

async fn start(guest: &str, change: impl FnOnce(&mut ComponentConfig)) -> System {
    let system = beside_a_sink(guest, change).start().await.unwrap();
    // To bring it into being takes a grant of its own.
    assert_eq!(ask(&system, "test/sink/1", "", "here").await, "here");
    system
}

/// What it was told when it called a function of the host: nothing, or the error.
async fn call(system: &System, function: &str, arguments: Value) -> Result<(), String> {
    let answer = ask_json(system, "test/modest/1", function, arguments).await;
    match answer.get("error") {
        Some(error) => Err(error.as_str().unwrap().to_owned()),
        None => Ok(()),
    }
}

async fn send(system: &System, target: &str) -> Result<(), String> {
    call(
        system,
        "messaging.send",
        json!({"target": target, "kind": "k"}),
    )
    .await
}

async fn publish(system: &System) -> Result<(), String> {
    call(
        system,
        "messaging.publish",
        json!({"topic": "news.today", "kind": "k"}),
    )
    .await
}

fn version(system: &System) -> String {
    component_status(system, MODEST).version.label.clone()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_needs_more_than_is_granted_does_not_start() {
    let started = beside_a_sink("modest-v2", |it| it.grants = sends("test/other")).start();
    let error = started.await.err().unwrap();
    let StartError::NeedsNotMet {
        name,
        missing: listed,
    } = &error
    else {
        panic!("{error}");
    };
    assert_eq!(name, MODEST);
    assert_eq!(
        listed[..],
        [
            missing(Capability::Send, "test/sink"),
            missing(Capability::Publish, "news.>"),
        ]
    );
    for words in [MODEST, "send", "test/sink", "publish", "news.>"] {
        assert!(error.to_string().contains(words), "{error}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nor_is_it_added_to_a_system_until_it_is_granted() {
    let system = builder().start().await.unwrap();
    let with = |grants| ComponentConfig {
        grants,
        ..ComponentConfig::new(MODEST.parse().unwrap())
    };
    for grants in [
        Capabilities::default(),
        sends("test/sink/1"),
        publishes(">"),
        sends("self"),
    ] {
        let refused = system.deploy(with(grants), bytes("modest")).await;
        assert!(
            matches!(&refused, Err(StartError::NeedsNotMet { missing: listed, .. })
                if listed[..] == [missing(Capability::Send, "test/sink")]),
            "{refused:?}"
        );
        assert!(system.status().components.is_empty());
    }
    system
        .deploy(with(sends("test/*")), bytes("modest"))
        .await
        .unwrap();
    assert_eq!(version(&system), "1.0.0");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_gets_no_more_than_it_asked_for_whatever_is_granted() {
    let system = start("modest", |it| it.grants = Capabilities::trusted()).await;
    assert_eq!(send(&system, "test/sink/1").await, Ok(()));
    let to_sink = json!({"target": "test/sink/1", "kind": "k", "timeout-ms": 1_000});
    for (function, arguments, capability) in [
        (
            "messaging.send",
            json!({"target": "test/modest/1"}),
            Capability::Send,
        ),
        (
            "messaging.send",
            json!({"target": "test/sink/new"}),
            Capability::Spawn,
        ),
        ("messaging.send-after", to_sink.clone(), Capability::Timers),
        ("messaging.request", to_sink.clone(), Capability::Call),
        ("rpc.call", to_sink, Capability::Call),
        (
            "messaging.publish",
            json!({"topic": "news.today"}),
            Capability::Publish,
        ),
        (
            "messaging.subscribe",
            json!({"pattern": "news.*"}),
            Capability::Subscribe,
        ),
        (
            "services.secret",
            json!({"name": "key"}),
            Capability::Secrets,
        ),
    ] {
        let denied = call(&system, function, arguments).await.unwrap_err();
        assert!(
            denied.starts_with(&format!("denied: `{capability}`")) && denied.contains("needs"),
            "{function}: {denied}"
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_greedier_version_is_refused_and_the_old_one_runs_on() {
    let system = start("modest", |it| it.grants = sends("test/sink")).await;
    assert_eq!(send(&system, "test/sink/1").await, Ok(()));
    let refused = system.upgrade(MODEST, bytes("modest-v2")).await;
    assert_eq!(
        refused.err(),
        Some(ControlError::NeedsNotMet {
            component: MODEST.into(),
            missing: vec![missing(Capability::Publish, "news.>")],
        })
    );
    assert_eq!(version(&system), "1.0.0");
    assert_eq!(send(&system, "test/sink/1").await, Ok(()));
    assert!(publish(&system).await.is_err());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn once_it_is_granted_the_greedier_version_is_taken() {
    let system = start("modest", |it| it.grants = sends("test/sink")).await;
    // A part of what it needs is not enough.
    system.grant(MODEST, Capability::Publish, "news.*").unwrap();
    let refused = system.upgrade(MODEST, bytes("modest-v2")).await;
    assert!(
        matches!(refused, Err(ControlError::NeedsNotMet { .. })),
        "{refused:?}"
    );

    system.grant(MODEST, Capability::Publish, "news.>").unwrap();
    assert!(
        publish(&system).await.is_err(),
        "the old version does not need it"
    );
    system.upgrade(MODEST, bytes("modest-v2")).await.unwrap();
    assert_eq!(version(&system), "2.0.0");
    assert_eq!(publish(&system).await, Ok(()));
    assert_eq!(send(&system, "test/sink/1").await, Ok(()));

    // The way back is open, and takes away what the first version did not ask for.
    system.rollback(MODEST, None).await.unwrap();
    assert!(publish(&system).await.is_err());
    assert_eq!(send(&system, "test/sink/1").await, Ok(()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_revoked_is_missing_for_the_next_version() {
    let system = start("modest", |it| {
        it.grants = Capabilities {
            publish: vec!["news.>".into()],
            ..sends("test/sink")
        };
    })
    .await;
    system
        .revoke(MODEST, Capability::Send, "test/sink")
        .unwrap();
    let denied = send(&system, "test/sink/1").await.unwrap_err();
    assert!(denied.contains("not granted"), "{denied}");
    let refused = system.upgrade(MODEST, bytes("modest-v2")).await;
    assert!(
        matches!(&refused, Err(ControlError::NeedsNotMet { missing: listed, .. })
            if listed[..] == [missing(Capability::Send, "test/sink")]),
        "{refused:?}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_version_is_returned_to_only_if_it_still_gets_what_it_needs() {
    let system = start("modest", |it| it.grants = sends("test/sink")).await;
    system.grant(MODEST, Capability::Publish, "news.>").unwrap();
    system.upgrade(MODEST, bytes("modest-v2")).await.unwrap();
    system.rollback(MODEST, None).await.unwrap();
    system.revoke(MODEST, Capability::Publish, ">").unwrap();
    let refused = system.rollback(MODEST, Some("2.0.0")).await;
    assert!(
        matches!(&refused, Err(ControlError::NeedsNotMet { missing: listed, .. })
            if listed[..] == [missing(Capability::Publish, "news.>")]),
        "{refused:?}"
    );
    assert_eq!(version(&system), "1.0.0");
    assert_eq!(send(&system, "test/sink/1").await, Ok(()));
    system.grant(MODEST, Capability::Publish, ">").unwrap();
    system.rollback(MODEST, Some("2.0.0")).await.unwrap();
    assert_eq!(publish(&system).await, Ok(()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_configuration_speaks_for_a_component_that_is_silent() {
    let refused = beside_a_sink("probe", |it| it.needs = Some(sends("test/sink"))).start();
    assert!(matches!(
        refused.await.err(),
        Some(StartError::NeedsNotMet { .. })
    ));

    let system = start("probe", |it| {
        it.needs = Some(sends("test/sink"));
        it.grants = Capabilities::trusted();
    })
    .await;
    assert_eq!(send(&system, "test/sink/1").await, Ok(()));
    assert!(publish(&system).await.is_err());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_binary_and_configuration_say_is_needed_together() {
    let with = |grants| {
        beside_a_sink("modest", |it| {
            it.needs = Some(publishes("news.>"));
            it.grants = grants;
        })
    };
    for (grants, lacks) in [
        (sends("test/sink"), missing(Capability::Publish, "news.>")),
        (publishes(">"), missing(Capability::Send, "test/sink")),
    ] {
        let refused = with(grants).start().await.err();
        assert!(
            matches!(&refused, Some(StartError::NeedsNotMet { missing: listed, .. })
                if listed[..] == [lacks]),
            "{refused:?}"
        );
    }
    let system = with(Capabilities::trusted()).start().await.unwrap();
    assert_eq!(ask(&system, "test/sink/1", "", "here").await, "here");
    assert_eq!(send(&system, "test/sink/1").await, Ok(()));
    assert_eq!(publish(&system).await, Ok(()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_that_asks_for_nothing_gets_nothing() {
    let system = start("probe", |it| {
        it.needs = Some(Capabilities::default());
        it.grants = Capabilities::trusted();
    })
    .await;
    assert!(send(&system, "test/sink/1").await.is_err());
    let kept = json!({"key": "k", "value": "v"});
    assert_eq!(call(&system, "storage.set", kept).await, Ok(()));
}
