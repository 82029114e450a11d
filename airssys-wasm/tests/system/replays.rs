//! Recorded turns, and running them again.

// Layer 1: Standard library imports
use std::fs;
use std::sync::Arc;

// Layer 2: Third-party crate imports
use serde_json::{Value, json};

// Layer 3: Internal module imports
use airssys_wasm::component::settings::RecordingSettings;
use airssys_wasm::core::delivery::envelope::Letter;
use airssys_wasm::core::security::capabilities::Capabilities;
use airssys_wasm::core::security::capability::Capability;
use airssys_wasm::core::turn::recorded::RecordedTurn;
use airssys_wasm::system::config::component::ComponentConfig;
use airssys_wasm::system::config::secret_source::SecretSource;
use airssys_wasm::system::error::ControlError;
use airssys_wasm::system::handle::System;

use crate::support::{ask, builder, bytes, guest, id, marked, once, try_ask, until};

/// Every turn is kept, the last 64.
fn all_turns(config: &mut ComponentConfig) {
    once(config);
    config.recording = RecordingSettings {
        turns: 64,
        every_ms: 0,
    };
}

async fn system() -> System {
    builder()
        .component_with("demo/probe", &*guest("probe"), all_turns)
        .component_with("demo/counter", &*guest("counter"), all_turns)
        .component_with("demo/caller", &*guest("caller"), all_turns)
        .component_with("demo/relay", &*guest("relay"), all_turns)
        .component_with("demo/ledger", &*guest("ledger"), all_turns)
        .start()
        .await
        .unwrap()
}

fn turns(system: &System, component: &str) -> Vec<Arc<RecordedTurn>> {
    system.recorded_turns(component).unwrap()
}

async fn assert_all_replay(system: &System, component: &str, count: usize) {
    let turns = turns(system, component);
    assert_eq!(turns.len(), count);
    for turn in turns {
        let report = system.replay_turn(&turn, None).await.unwrap();
        assert!(report.is_same_version);
        assert!(report.is_same(), "{report:#?}");
        assert_eq!(report.was, report.is);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_turn_does_the_same_again_whatever_it_learnt() {
    let system = system().await;
    let everything = json!([
        ["services.now-ms", {}],
        ["services.random-bytes", {"count": 32}],
        ["services.config", {"key": "none"}],
        ["services.list-components", {"limit": 2}],
        ["services.trace-context", {}],
        ["messaging.my-address", {}],
        ["storage.get", {"key": "a"}],
        ["storage.set", {"key": "a", "value": "1"}],
        ["storage.get", {"key": "a"}],
        ["storage.get-many", {"keys": ["a", "b", "c"]}],
        ["storage.remove", {"key": "b"}],
        ["storage.list-keys", {"prefix": "", "limit": 2}],
        ["storage.list-keys", {"prefix": "k", "cursor": "k3", "limit": 3}],
        ["storage.usage", {}],
        ["messaging.send", {"target": "demo/probe/other", "kind": "services.now-ms", "payload": "{}"}],
        ["messaging.send", {"target": "demo/nobody/x", "kind": "k"}],
        ["messaging.send", {"target": "no address", "kind": "k"}],
        ["messaging.broadcast", {"targets": ["demo/probe/other", "demo/nobody/x"], "kind": "k"}],
        ["messaging.send-after", {"target": "demo/probe/other", "kind": "services.now-ms",
            "payload": "{}", "delay-ms": 60_000}],
        ["messaging.publish", {"topic": "a.b", "kind": "k"}],
        ["messaging.publish", {"topic": "a..b", "kind": "k"}],
        ["rpc.call", {"target": "demo/counter/c", "kind": "add", "payload": "2", "timeout-ms": 5_000}],
        ["rpc.call", {"target": "demo/counter/c", "kind": "add", "payload": "2", "timeout-ms": 5_000}],
        ["rpc.call", {"target": "demo/counter/c", "kind": "add", "payload": "x", "timeout-ms": 5_000}],
        ["rpc.call", {"target": "demo/nobody/c", "kind": "add", "timeout-ms": 5_000}],
        ["rpc.call", {"target": "demo/probe/a", "kind": "add", "timeout-ms": 5_000}],
    ]);
    let writes: Vec<Value> = (0..8)
        .map(|n| json!(["storage.set", {"key": format!("k{n}"), "value": "v"}]))
        .collect();
    let writes = Value::from(writes).to_string();
    ask(&system, "demo/probe/a", "script", writes).await;
    for _ in 0..2 {
        ask(&system, "demo/probe/a", "script", everything.to_string()).await;
    }
    // Meanwhile the world has moved on, which the turns that ran before do not see.
    ask(
        &system,
        "demo/probe/a",
        "storage.set",
        r#"{"key": "a", "value": "9"}"#,
    )
    .await;
    let kept = turns(&system, "demo/probe");
    for turn in kept.iter().filter(|it| it.actor == id("demo/probe/a")) {
        let report = system.replay_turn(turn, None).await.unwrap();
        assert!(report.is_same(), "{report:#?}");
    }
    // The calls did not happen again.
    assert_eq!(ask(&system, "demo/counter/c", "get", "").await, "8");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn replies_rejections_and_callbacks_are_turns_too() {
    let system = system().await;
    let request = |kind: &str| {
        json!({"target": "demo/counter/c", "kind": kind, "text": "1", "timeout_ms": 5_000})
            .to_string()
    };
    for kind in ["add", "add-then-reject", "add-then-trap"] {
        let correlation = ask(&system, "demo/relay/a", "request", request(kind)).await;
        until("it is answered", || system.status().open.requests == 0).await;
        while ask(&system, "demo/relay/a", "outcome", correlation.as_str())
            .await
            .is_empty()
        {}
    }
    for turn in turns(&system, "demo/relay") {
        let report = system.replay_turn(&turn, None).await.unwrap();
        assert!(report.is_same(), "{report:#?}");
    }
    let kinds: Vec<String> = turns(&system, "demo/relay")
        .iter()
        .map(|turn| turn.letter.kind().to_owned())
        .collect();
    assert_eq!(kinds.iter().filter(|kind| *kind == "reply").count(), 3);
    // A turn that failed is kept with its dead letter alone.
    assert_all_replay(&system, "demo/counter", 2).await;
    let (dead, _) = system.dead_letters(None, None, 1)[0];
    let report = system.replay(dead).await.unwrap();
    assert!(report.is_same(), "{report:#?}");
    assert_eq!(ask(&system, "demo/counter/c", "get", "").await, "1");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_failed_by_chance_fails_again_with_the_same_chance() {
    let system = system().await;
    let letters = || system.dead_letters(Some("demo/ledger"), None, 100);
    for number in 1..=64 {
        let _ = try_ask(&system, "demo/ledger/a", "flip", number.to_string()).await;
        if number >= 12 && !letters().is_empty() {
            break;
        }
    }
    let letters = letters();
    assert!(!letters.is_empty(), "one toss in two is tails");
    for (dead, _) in letters {
        let report = system.replay(dead).await.unwrap();
        assert!(report.is_same(), "{report:#?}");
    }
    for turn in turns(&system, "demo/ledger") {
        let report = system.replay_turn(&turn, None).await.unwrap();
        assert!(report.is_same(), "{report:#?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_more_turns_are_kept_than_configured() {
    let keeping = |turns, every_ms| {
        move |config: &mut ComponentConfig| {
            config.recording = RecordingSettings { turns, every_ms };
        }
    };
    let system = builder()
        .component_with("demo/five", &*guest("counter"), keeping(5, 0))
        .component_with("demo/none", &*guest("counter"), keeping(0, 0))
        .component_with("demo/one", &*guest("counter"), keeping(5, 86_400_000))
        .start()
        .await
        .unwrap();
    for component in ["demo/five", "demo/none", "demo/one"] {
        for number in 1..=20 {
            ask(
                &system,
                &format!("{component}/a"),
                "add",
                number.to_string(),
            )
            .await;
        }
    }
    let payloads = |component: &str| -> Vec<String> {
        let turns = turns(&system, component);
        let letters = turns.iter().map(|turn| match &turn.letter {
            Letter::Message(message) => {
                String::from_utf8(message.payload().as_bytes().to_vec()).unwrap()
            }
            reply => panic!("{reply:?}"),
        });
        letters.collect()
    };
    assert_eq!(payloads("demo/five"), ["16", "17", "18", "19", "20"]);
    assert_eq!(payloads("demo/none"), [""; 0]);
    assert_eq!(payloads("demo/one"), ["1"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_version_tells_what_it_would_have_done_differently() {
    let system = builder()
        .component_with("demo/room", bytes("chat-room"), all_turns)
        .start()
        .await
        .unwrap();
    ask(&system, "demo/room/a", "join", "demo/room/b").await;
    ask(&system, "demo/room/a", "say", "hello").await;
    let trapped = try_ask(&system, "demo/room/a", "say", "/panic").await;
    assert!(trapped.is_err());
    let (dead, letter) = system.dead_letters(Some("demo/room/a"), None, 1)[0].clone();
    // Version 2 handles what trapped, and writes differently.
    system
        .upgrade("demo/room", bytes("chat-room-v2"))
        .await
        .unwrap();
    let report = system.replay(dead).await.unwrap();
    assert!(report.is_same_version && report.is_same(), "{report:#?}");
    let turn = letter.turn.clone().unwrap();
    let report = system.replay_turn(&turn, Some("2.0.0")).await.unwrap();
    assert!(!report.is_same_version && !report.is_same());
    assert_eq!(report.is, "rejected");
    let unknown = system.replay_turn(&turn, Some("7.0.0")).await;
    assert!(matches!(unknown, Err(ControlError::NoVersion { .. })));
    let said = turns(&system, "demo/room");
    let said = said
        .iter()
        .find(|turn| turn.letter.kind() == "say")
        .unwrap();
    let report = system.replay_turn(said, Some("2.0.0")).await.unwrap();
    assert!(
        report.differences.iter().any(|it| it.contains("writes")),
        "{report:#?}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_version_that_does_the_same_has_no_differences() {
    let system = system().await;
    for number in 1..=5 {
        ask(&system, "demo/counter/a", "add", number.to_string()).await;
    }
    let report = system
        .upgrade("demo/counter", marked("counter", "again"))
        .await;
    let report = report.unwrap();
    assert_eq!((report.tried, report.different.len()), (5, 0));
    assert_ne!(report.from.digest, report.to.digest);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_turn_that_read_too_much_says_that_it_cannot_be_replayed() {
    let system = system().await;
    let value = json!({"repeat": "x", "times": 600_000});
    let script = json!([
        ["storage.set", {"key": "a", "value": value}],
        ["storage.set", {"key": "b", "value": value}],
    ]);
    ask(&system, "demo/probe/a", "script", script.to_string()).await;
    let kept = turns(&system, "demo/probe").len();
    let read = json!([
        ["storage.get", {"key": "a"}],
        ["storage.get", {"key": "b"}],
    ]);
    ask(&system, "demo/probe/a", "script", read.to_string()).await;
    assert_eq!(turns(&system, "demo/probe").len(), kept, "it is not kept");
    // A dead letter has what there is.
    let mut failing = read.as_array().unwrap().clone();
    failing.push(json!(["no.such", {}]));
    let rejected = try_ask(
        &system,
        "demo/probe/a",
        "script",
        Value::from(failing).to_string(),
    );
    assert!(rejected.await.is_err());
}

/// The turns of `actor`, run again on the version with this name or digest, in words.
async fn replayed(system: &System, actor: &str, version: Option<&str>) -> String {
    let mut reports = String::new();
    for turn in turns(system, id(actor).component()) {
        let report = system.replay_turn(&turn, version).await.unwrap();
        reports += &format!("{report:?}\n");
    }
    reports
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_version_that_is_tried_gets_what_it_may_have_now_and_no_more() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("api");
    fs::write(&file, "hunter2-the-secret").unwrap();
    // The first version asks for nothing, so that nothing was denied when it was recorded.
    let system = builder()
        .component_with("demo/probe", bytes("echo"), |config| {
            all_turns(config);
            config.grants = Capabilities::default();
            config.config = [("price".to_owned(), "nine-the-value".to_owned())].into();
            let source = SecretSource {
                file: Some(file.clone()),
                env: None,
            };
            config.secrets.insert("api".into(), source);
        })
        .start()
        .await
        .unwrap();
    let actor = "demo/probe/a";
    ask(&system, actor, "services.secret", r#"{"name": "api"}"#).await;
    ask(&system, actor, "services.config", r#"{"key": "price"}"#).await;
    let tried = system.upgrade("demo/probe", bytes("probe")).await.unwrap();
    assert_eq!((tried.tried, tried.different.len()), (2, 2));
    let told = format!("{tried:?}");
    assert!(!told.contains("hunter2"), "{told}");
    assert!(!told.contains("nine-the-value"), "{told}");
    assert!(told.contains("denied"), "{told}");

    // What is granted counts from now on, also for turns of before, and until it is revoked.
    let digest = tried.to.digest.to_string();
    for (capability, name, value) in [
        (Capability::Secrets, "api", "hunter2"),
        (Capability::Config, "price", "nine-the-value"),
    ] {
        system.grant("demo/probe", capability, name).unwrap();
        let told = replayed(&system, actor, Some(&digest)).await;
        assert!(told.contains(value), "{told}");
        system.revoke("demo/probe", capability, name).unwrap();
        let told = replayed(&system, actor, Some(&digest)).await;
        assert!(!told.contains(value), "{told}");
    }
    // A policy counts as well.
    system
        .grant("demo/probe", Capability::Secrets, "*")
        .unwrap();
    let forbids = "permit (principal, action, resource);\n\
                   forbid (principal, action == Action::\"secrets\", resource);";
    system.set_policy(Some(forbids)).await.unwrap();
    let told = replayed(&system, actor, Some(&digest)).await;
    assert!(!told.contains("hunter2"), "{told}");
    system.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_not_granted_is_not_in_the_configuration_of_init_either() {
    let system = builder()
        .component_with("demo/life", &*guest("lifecycle"), |config| {
            all_turns(config);
            config.grants = Capabilities::default();
            config.config = [("init".to_owned(), "fail".to_owned())].into();
        })
        .start()
        .await
        .unwrap();
    // It is not told that it is to fail, neither then nor when the turn is run again.
    assert_eq!(ask(&system, "demo/life/a", "get", "starts").await, "1");
    let turn = &turns(&system, "demo/life")[0];
    let report = system.replay_turn(turn, None).await.unwrap();
    assert!(report.is_same(), "{report:#?}");
    system
        .grant("demo/life", Capability::Config, "init")
        .unwrap();
    let report = system.replay_turn(turn, None).await.unwrap();
    assert!(report.is.contains("init fails"), "{report:#?}");
    system.shutdown().await;
}
