//! A component can do nothing that was not granted, and what is granted can change while its
//! actors run.

// Layer 1: Standard library imports
use std::fs;

// Layer 2: Third-party crate imports
use serde_json::{Value, json};

// Layer 3: Internal module imports
use airssys_wasm::core::event::Event;
use airssys_wasm::core::security::capabilities::Capabilities;
use airssys_wasm::core::security::capability::Capability;
use airssys_wasm::system::builder::SystemBuilder;
use airssys_wasm::system::config::component::ComponentConfig;
use airssys_wasm::system::config::secret_source::SecretSource;
use airssys_wasm::system::error::{ControlError, StartError};
use airssys_wasm::system::handle::System;

use crate::support::{Watch, ask_json, builder, bytes, until};

const PROBE: &str = "demo/probe/one";

/// A system with a probe that is granted what `change` says, beside an echo.
fn with_probe(change: impl FnOnce(&mut ComponentConfig)) -> SystemBuilder {
    builder()
        .component("demo/echo", bytes("echo"))
        .defaults(|_| {})
        .component_with("demo/probe", bytes("probe"), change)
}

async fn start(change: impl FnOnce(&mut ComponentConfig)) -> System {
    with_probe(change).start().await.unwrap()
}

/// What the probe was told: the value, or the error.
async fn call(system: &System, function: &str, arguments: Value) -> Result<Value, String> {
    let answer = ask_json(system, PROBE, function, arguments).await;
    match answer.get("error") {
        Some(error) => Err(error.as_str().unwrap().to_owned()),
        None => Ok(answer["ok"].clone()),
    }
}

/// Every host function that needs a grant, with arguments that are well formed, and what is
/// to be granted.
fn uses() -> Vec<(&'static str, Value, Capability, &'static str)> {
    let message = json!({"target": "demo/echo/x", "kind": "k", "timeout-ms": 5_000});
    vec![
        (
            "messaging.send",
            message.clone(),
            Capability::Send,
            "demo/echo",
        ),
        (
            "messaging.broadcast",
            json!({"targets": ["demo/echo/x"], "kind": "k"}),
            Capability::Send,
            "demo/echo/x",
        ),
        (
            "messaging.send-after",
            message.clone(),
            Capability::Timers,
            "demo/*",
        ),
        (
            "messaging.request",
            message.clone(),
            Capability::Call,
            "demo/echo",
        ),
        ("rpc.call", message, Capability::Call, "*"),
        (
            "messaging.publish",
            json!({"topic": "orders.eu", "kind": "k"}),
            Capability::Publish,
            "orders.*",
        ),
        (
            "messaging.subscribe",
            json!({"pattern": "orders.*"}),
            Capability::Subscribe,
            "orders.>",
        ),
        (
            "storage.get-from",
            json!({"actor": "demo/echo/x", "key": "k"}),
            Capability::Storage,
            "demo/echo",
        ),
        (
            "services.secret",
            json!({"name": "api"}),
            Capability::Secrets,
            "a*",
        ),
    ]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_a_grant_nothing_but_logging_and_ones_own_keys() {
    let system = start(|_| {}).await;
    for (function, arguments, capability, _) in uses() {
        let denied = call(&system, function, arguments).await.unwrap_err();
        assert!(
            denied.starts_with(&format!("denied: `{capability}`")),
            "{function}: {denied}"
        );
    }
    for (function, arguments) in [
        ("storage.set", json!({"key": "k", "value": "v"})),
        ("storage.get", json!({"key": "k"})),
        ("storage.get-from", json!({"actor": PROBE, "key": "k"})),
        ("services.log", json!({"level": "info", "text": "hello"})),
        ("services.now-ms", json!({})),
        ("services.random-bytes", json!({"count": 4})),
        ("messaging.my-address", json!({})),
    ] {
        let called = call(&system, function, arguments).await;
        assert!(called.is_ok(), "{function}: {called:?}");
    }
    system.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_grant_counts_from_the_next_host_call_until_it_is_revoked() {
    let system = start(|probe| {
        probe.secrets.insert(
            "api".into(),
            SecretSource {
                env: Some("CARGO_PKG_NAME".into()),
                file: None,
            },
        );
    })
    .await;
    // The receiver exists, so that nothing has to be brought into being.
    ask_json(&system, "demo/echo/x", "echo", json!({})).await;
    for (function, arguments, capability, pattern) in uses() {
        assert!(system.grant("demo/probe", capability, pattern).unwrap());
        assert!(!system.grant("demo/probe", capability, pattern).unwrap());
        let called = call(&system, function, arguments.clone()).await;
        let is_allowed = match &called {
            Ok(_) => true,
            // An actor that is not durable has nothing to read.
            Err(error) => error.starts_with("unavailable"),
        };
        assert!(is_allowed, "{function}: {called:?}");
        system.revoke("demo/probe", capability, pattern).unwrap();
        let denied = call(&system, function, arguments).await.unwrap_err();
        assert!(denied.starts_with("denied"), "{function}: {denied}");
    }
    assert_eq!(
        system.grants("demo/probe").unwrap(),
        Capabilities::default()
    );
    system.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn grants_are_changed_as_a_whole_or_not_at_all() {
    let system = start(|probe| probe.grants.send = vec!["demo/echo".into()]).await;
    let narrow = Capabilities {
        send: vec!["demo/echo/x".into()],
        ..Capabilities::default()
    };
    system.set_grants("demo/probe", narrow.clone()).unwrap();
    let wrong = Capabilities {
        publish: vec!["orders".into()],
        send: vec!["demo".into()],
        ..Capabilities::default()
    };
    let refused = system.set_grants("demo/probe", wrong).unwrap_err();
    assert!(refused.to_string().contains("demo/*"), "{refused}");
    assert_eq!(system.grants("demo/probe").unwrap(), narrow);

    let wider = system.revoke("demo/probe", Capability::Send, "demo/echo/y");
    assert!(
        matches!(wider, Err(ControlError::NotGranted { .. })),
        "{wider:?}"
    );
    assert!(matches!(
        system.grant("demo/nobody", Capability::Send, "self"),
        Err(ControlError::NoComponent(_))
    ));
    system.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn to_wake_an_actor_that_never_was_needs_a_grant_of_its_own() {
    let system = start(|probe| {
        probe.grants.send = vec!["*".into()];
        probe.grants.call = vec!["*".into()];
    })
    .await;
    let to = |target: &str| json!({"target": target, "kind": "k", "timeout-ms": 5_000});
    for function in ["messaging.send", "messaging.request", "rpc.call"] {
        let denied = call(&system, function, to("demo/echo/new"))
            .await
            .unwrap_err();
        assert!(
            denied.starts_with("denied: `spawn`"),
            "{function}: {denied}"
        );
    }
    assert!(
        system
            .list()
            .iter()
            .all(|actor| !actor.address.to_string().contains("new"))
    );
    system
        .grant("demo/probe", Capability::Spawn, "demo/echo/new")
        .unwrap();
    call(&system, "messaging.send", to("demo/echo/new"))
        .await
        .unwrap();
    let is_live = || {
        system
            .list()
            .iter()
            .any(|it| it.address.to_string() == "demo/echo/new")
    };
    until("the actor is there", is_live).await;
    // One that is there needs no such grant, nor does the actor itself.
    system.revoke("demo/probe", Capability::Spawn, "*").unwrap();
    call(&system, "messaging.send", to("demo/echo/new"))
        .await
        .unwrap();
    call(&system, "messaging.send", to(PROBE)).await.unwrap();
    system.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_may_not_be_known_is_not_shown() {
    let system = start(|probe| {
        probe.config = [("colour", "red"), ("price", "9")]
            .map(|(key, value)| (key.to_owned(), value.to_owned()))
            .into();
        probe.grants.config = vec!["col*".into()];
    })
    .await;
    let config = |key: &str| json!({ "key": key });
    assert_eq!(
        call(&system, "services.config", config("colour"))
            .await
            .unwrap(),
        "red"
    );
    assert_eq!(
        call(&system, "services.config", config("price"))
            .await
            .unwrap(),
        Value::Null
    );

    let list = json!({"limit": 10});
    let listed = call(&system, "services.list-components", list.clone())
        .await
        .unwrap();
    assert_eq!(listed["components"], json!([]));
    system
        .grant("demo/probe", Capability::Directory, "demo/e*")
        .unwrap();
    let listed = call(&system, "services.list-components", list)
        .await
        .unwrap();
    assert_eq!(listed["components"], json!(["demo/echo"]));
    system.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn secrets_come_from_outside_and_are_told_to_the_guest_alone() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("api-key");
    fs::write(&file, "hunter2-the-secret\n").unwrap();
    let configure = |probe: &mut ComponentConfig| {
        probe.grants.secrets = vec!["api-*".into()];
        probe.recording.every_ms = 0;
        let source = SecretSource {
            file: Some(file.clone()),
            env: None,
        };
        probe.secrets.insert("api-key".into(), source);
    };
    let system = start(configure).await;
    let told = call(&system, "services.secret", json!({"name": "api-key"})).await;
    assert_eq!(told.unwrap(), "hunter2-the-secret");
    let none = call(&system, "services.secret", json!({"name": "api-none"})).await;
    assert_eq!(none.unwrap(), Value::Null);
    // The reply is the guest's own doing; what the host took note of has no secret in it.
    for turn in system.recorded_turns("demo/probe").unwrap() {
        let learnt = format!("{:?}", turn.learnt);
        assert!(!learnt.contains("hunter2"), "{learnt}");
    }
    let shown = format!("{:?} {:?}", system.status(), system.grants("demo/probe"));
    assert!(!shown.contains("hunter2"));
    system.shutdown().await;

    fs::remove_file(&file).unwrap();
    let refused = with_probe(configure).start().await.err().unwrap();
    assert!(matches!(refused, StartError::Provision { .. }), "{refused}");
    assert!(refused.to_string().contains("api-key"), "{refused}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn keys_of_others_can_be_read_where_that_is_granted_and_they_are_durable() {
    let data = tempfile::tempdir().unwrap();
    let system = with_probe(|probe| probe.grants.storage = vec!["demo/counter".into()])
        .component("demo/counter", bytes("counter"))
        .configure(|system| system.data = Some(data.path().into()))
        .start()
        .await
        .unwrap();
    let read = |actor: &str| json!({"actor": actor, "key": "count"});
    let before = call(&system, "storage.get-from", read("demo/counter/alice")).await;
    assert_eq!(before.unwrap(), Value::Null);
    for sum in [5, 7] {
        ask_json(&system, "demo/counter/alice", "add", json!(sum)).await;
    }
    let after = call(&system, "storage.get-from", read("demo/counter/alice")).await;
    assert!(after.unwrap().is_string());
    let denied = call(&system, "storage.get-from", read("demo/echo/x"))
        .await
        .unwrap_err();
    assert!(denied.starts_with("denied: `storage`"), "{denied}");
    system
        .grant("demo/probe", Capability::Storage, "*")
        .unwrap();
    let unknown = call(&system, "storage.get-from", read("no/such/actor")).await;
    assert_eq!(unknown.unwrap_err(), "not-found");
    for forged in [
        "demo/counter",
        "demo/counter/../x",
        "demo/c\u{0441}unter/x",
        "",
    ] {
        let invalid = call(&system, "storage.get-from", read(forged))
            .await
            .unwrap_err();
        assert!(invalid.starts_with("invalid: actor"), "{forged}: {invalid}");
    }
    system.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_watches_is_told_of_denials() {
    let system = start(|_| {}).await;
    let mut watch = Watch::new(&system);
    let denied = call(
        &system,
        "messaging.publish",
        json!({"topic": "a.b", "kind": "k"}),
    )
    .await;
    assert!(denied.is_err());
    let event = watch
        .wait(|event| matches!(event, Event::Denied { .. }))
        .await;
    let Event::Denied { actor, what } = event else {
        panic!("{event:?}");
    };
    assert_eq!(actor.to_string(), PROBE);
    assert_eq!(what, "`publish` for \"a.b\": not granted");
    system.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_turn_that_was_denied_something_is_denied_it_when_it_is_replayed() {
    let system = start(|probe| probe.recording.every_ms = 0).await;
    let denied = call(
        &system,
        "messaging.publish",
        json!({"topic": "a.b", "kind": "k"}),
    )
    .await;
    assert!(denied.is_err());
    system
        .grant("demo/probe", Capability::Publish, ">")
        .unwrap();
    let turns = system.recorded_turns("demo/probe").unwrap();
    let report = system.replay_turn(&turns[0], None).await.unwrap();
    assert!(report.is_same(), "{report:?}");
    system.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_pattern_that_is_none_stops_the_start() {
    let refused = with_probe(|probe| probe.grants.send = vec!["demo/../x".into()]);
    let refused = refused.start().await.err().unwrap();
    assert!(matches!(refused, StartError::Config(_)), "{refused}");
    assert!(refused.to_string().contains("grants.send[0]"), "{refused}");
}
