//! Hostile arguments to every host function.

// Layer 1: Standard library imports
use std::sync::Arc;

// Layer 2: Third-party crate imports
use serde_json::{Value, json};

// Layer 3: Internal module imports
use airssys_wasm::core::limits::Limits;
use airssys_wasm::core::security::provisions::Provisions;
use airssys_wasm::core::turn::context::TurnContext;
use airssys_wasm::core::turn::surroundings::Alone;
use airssys_wasm::runtime::settings::InstanceSettings;

use crate::support::{Actor, NOW_MS, limits, message, settings, start, start_with};

/// What the host answered: the value, or the error's text.
async fn call(actor: &mut Actor, function: &str, arguments: Value) -> Result<Value, String> {
    outcome(actor.ask_json(function, arguments).await)
}

fn outcome(answer: Value) -> Result<Value, String> {
    match answer.get("error") {
        Some(error) => Err(error.as_str().expect("text").to_owned()),
        None => Ok(answer["ok"].clone()),
    }
}

/// Carries out several calls in one turn.
async fn script(actor: &mut Actor, calls: Value) -> Vec<Result<Value, String>> {
    let answers = actor.ask_json("script", calls).await;
    let answers = answers.as_array().expect("a list");
    answers.iter().cloned().map(outcome).collect()
}

fn long(times: usize) -> Value {
    json!({"repeat": "x", "times": times})
}

#[tokio::test]
async fn each_refusal_has_a_name_and_says_why() {
    let mut probe = start("probe").await;
    for (function, arguments, expected) in [
        ("storage.get", json!({"key": ""}), "invalid: a key"),
        (
            "storage.get",
            json!({"key": long(513)}),
            "too-large: key_bytes allows 512, and 513",
        ),
        (
            "storage.get-many",
            json!({"keys": ["a", ""]}),
            "invalid: a key",
        ),
        (
            "storage.get-many",
            json!({"keys": vec!["a"; 1_025]}),
            "too-large: keys_per_call",
        ),
        (
            "storage.set",
            json!({"key": "k", "value": long((1 << 20) + 1)}),
            "too-large: value_bytes",
        ),
        (
            "storage.set",
            json!({"key": long(600), "value": "v"}),
            "too-large: key_bytes",
        ),
        ("storage.remove", json!({"key": ""}), "invalid: a key"),
        (
            "storage.list-keys",
            json!({"limit": 0}),
            "invalid: the limit",
        ),
        (
            "storage.list-keys",
            json!({"limit": u32::MAX}),
            "too-large: keys_per_call",
        ),
        (
            "messaging.send",
            json!({"target": ""}),
            "invalid: target: an address has three parts",
        ),
        (
            "messaging.send",
            json!({"target": "a/../c"}),
            "invalid: target: a part",
        ),
        (
            "messaging.send",
            json!({"target": "a/b/c", "kind": long(257)}),
            "too-large: kind_bytes",
        ),
        (
            "messaging.send",
            json!({"target": "a/b/c", "payload": long((4 << 20) + 1)}),
            "too-large: message_bytes",
        ),
        (
            "messaging.broadcast",
            json!({"targets": ["a/b/c", "nobody"]}),
            "invalid: target",
        ),
        (
            "messaging.broadcast",
            json!({"targets": vec!["a/b/c"; 1_025]}),
            "quota-exceeded: turn_sends",
        ),
        (
            "messaging.send-after",
            json!({"target": "a/b/ c"}),
            "invalid: target",
        ),
        (
            "messaging.request",
            json!({"target": "аdmin/b/c"}),
            "invalid: target",
        ),
        (
            "messaging.publish",
            json!({"topic": ""}),
            "invalid: a topic",
        ),
        ("messaging.publish", json!({"topic": "a.*"}), "invalid: `*`"),
        (
            "messaging.publish",
            json!({"topic": long(257)}),
            "too-large: kind_bytes",
        ),
        (
            "messaging.subscribe",
            json!({"pattern": "a.>.b"}),
            "invalid: `*`",
        ),
        (
            "messaging.unsubscribe",
            json!({"pattern": "a b"}),
            "invalid: a topic",
        ),
        (
            "rpc.call",
            json!({"target": "x", "timeout-ms": 5}),
            "invalid: target",
        ),
        (
            "rpc.call",
            json!({"target": "a/b/c", "kind": long(300)}),
            "too-large: kind_bytes",
        ),
        (
            "services.random-bytes",
            json!({"count": u32::MAX}),
            "too-large: random_bytes",
        ),
        (
            "services.list-components",
            json!({"limit": 0}),
            "invalid: the limit",
        ),
        (
            "services.list-components",
            json!({"limit": 2_000}),
            "too-large: keys_per_call",
        ),
    ] {
        let error = call(&mut probe, function, arguments.clone())
            .await
            .unwrap_err();
        let shown: String = arguments.to_string().chars().take(60).collect();
        assert!(error.contains(expected), "{function} {shown}: {error}");
        assert!(probe.store.is_live(), "{function} {shown}");
    }
    assert!(probe.store.keys().is_empty());
}

#[tokio::test]
async fn a_turn_sees_its_own_writes_and_pages_through_keys() {
    let mut probe = start("probe").await;
    let keys: Vec<String> = (0..25).map(|n| format!("n/{n:02}")).collect();
    let mut calls: Vec<Value> = keys
        .iter()
        .map(|key| json!(["storage.set", {"key": key, "value": "v"}]))
        .collect();
    calls.push(json!(["storage.set", {"key": "other", "value": "w"}]));
    calls.push(json!(["storage.remove", {"key": "n/07"}]));
    calls.push(json!(["storage.get", {"key": "n/06"}]));
    calls.push(json!(["storage.get", {"key": "n/07"}]));
    calls.push(json!(["storage.get-many", {"keys": ["n/00", "none", "other"]}]));
    calls.push(json!(["storage.usage", {}]));
    calls.push(json!(["storage.list-keys", {"prefix": "n/", "cursor": "n/20", "limit": 100}]));
    let outcomes = script(&mut probe, json!(calls)).await;
    let last: Vec<_> = outcomes[27..].iter().map(|o| o.clone().unwrap()).collect();
    assert_eq!(last[0], json!("v"));
    assert_eq!(last[1], Value::Null);
    assert_eq!(last[2], json!(["v", null, "w"]));
    assert_eq!(
        last[3],
        json!({"bytes": 24 * 5 + 6, "keys": 25, "max-bytes": 64 << 20})
    );
    assert_eq!(last[4]["keys"], json!(["n/21", "n/22", "n/23", "n/24"]));
    assert_eq!(last[4]["next"], Value::Null);

    let (mut all, mut cursor) = (Vec::new(), Value::Null);
    loop {
        let page = json!({"prefix": "n/", "cursor": cursor, "limit": 10});
        let page = call(&mut probe, "storage.list-keys", page).await.unwrap();
        all.extend(page["keys"].as_array().unwrap().clone());
        cursor = page["next"].clone();
        if cursor.is_null() {
            break;
        }
    }
    let expected: Vec<&String> = keys.iter().filter(|key| *key != "n/07").collect();
    assert_eq!(json!(all), json!(expected));
}

#[tokio::test]
async fn values_read_at_once_are_bounded_together() {
    let settings = limits(Limits {
        hostcall_bytes: 100_000,
        ..Limits::default()
    });
    let mut probe = start_with("probe", settings).await;
    for key in ["a", "b"] {
        let set = json!({"key": key, "value": long(60_000)});
        call(&mut probe, "storage.set", set).await.unwrap();
    }
    let error = call(&mut probe, "storage.get-many", json!({"keys": ["a", "b"]})).await;
    assert!(
        error
            .unwrap_err()
            .contains("hostcall_bytes allows 100000, and 120000")
    );
}

#[tokio::test]
async fn what_a_turn_may_record_is_bounded() {
    let settings = limits(Limits {
        turn_writes: 2,
        turn_sends: 1,
        ..Limits::default()
    });
    let mut probe = start_with("probe", settings).await;
    let set = json!(["storage.set", {"key": "k", "value": "v"}]);
    let send = json!(["messaging.send", {"target": "a/b/c"}]);
    let outcomes = script(&mut probe, json!([set, set, set, send, send])).await;
    let errors: Vec<Option<&String>> = outcomes.iter().map(|o| o.as_ref().err()).collect();
    assert!(errors[0].is_none() && errors[1].is_none() && errors[3].is_none());
    assert!(errors[2].unwrap().contains("quota-exceeded: turn_writes"));
    assert!(errors[4].unwrap().contains("quota-exceeded: turn_sends"));
}

#[tokio::test]
async fn time_and_randomness_stand_still_and_come_from_the_turn() {
    let mut probe = start("probe").await;
    let now = json!(["services.now-ms", {}]);
    let random = json!(["services.random-bytes", {"count": 16}]);
    let calls = json!([now, random, now, random]);
    let first = script(&mut probe, calls.clone()).await;
    assert_eq!(first[0], Ok(json!(NOW_MS)));
    assert_eq!(first[2], Ok(json!(NOW_MS)));
    assert_ne!(first[1], first[3]);
    let second = script(&mut probe, calls.clone()).await;
    assert_eq!(second[0], first[0]);
    assert_ne!(second[1], first[1], "each turn has a stream of its own");

    let mut again = start("probe").await;
    assert_eq!(
        script(&mut again, calls).await,
        first,
        "the seed and the turn are the same"
    );
}

#[tokio::test]
async fn configuration_trace_and_directory_are_what_the_host_set() {
    let names: Vec<String> = (0..5).map(|n| format!("shop/c{n}")).collect();
    let settings = InstanceSettings {
        provisions: Arc::new(Provisions {
            config: [("colour".to_owned(), "red".to_owned())].into(),
            ..Provisions::default()
        }),
        surroundings: Arc::new(Alone {
            components: names.clone().into(),
        }),
        ..settings()
    };
    let mut probe = start_with("probe", settings).await;
    assert_eq!(
        call(&mut probe, "services.config", json!({"key": "colour"})).await,
        Ok(json!("red"))
    );
    assert_eq!(
        call(&mut probe, "services.config", json!({"key": "none"})).await,
        Ok(Value::Null)
    );
    assert_eq!(
        call(&mut probe, "services.trace-context", json!({})).await,
        Ok(Value::Null)
    );

    let page = json!({"limit": 2});
    let page = call(&mut probe, "services.list-components", page)
        .await
        .unwrap();
    assert_eq!(page, json!({"components": &names[..2], "next": "shop/c1"}));
    let page = json!({"limit": 9, "cursor": "shop/c1"});
    let page = call(&mut probe, "services.list-components", page)
        .await
        .unwrap();
    assert_eq!(page, json!({"components": &names[2..], "next": null}));

    let parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    let context = TurnContext {
        trace_parent: Some(Arc::from(parent)),
        ..TurnContext::default()
    };
    let asked = message("services.trace-context", "{}");
    let report = probe.store.handle_message(&asked, context).await.unwrap();
    assert!(format!("{:?}", report.outcome).contains(parent));
}

#[tokio::test]
async fn a_storm_of_log_lines_is_cut_and_harms_nothing() {
    let settings = limits(Limits {
        turn_log_lines: 2,
        log_line_bytes: 10,
        ..Limits::default()
    });
    let mut probe = start_with("probe", settings).await;
    let line = json!(["services.log", {"level": "error", "text": long(100_000)}]);
    let outcomes = script(&mut probe, json!(vec![line; 50])).await;
    assert!(outcomes.iter().all(Result::is_ok));
    for level in ["trace", "debug", "info", "warn"] {
        call(
            &mut probe,
            "services.log",
            json!({"level": level, "text": "a\nb"}),
        )
        .await
        .unwrap();
    }
}

#[tokio::test]
async fn a_host_call_with_too_many_bytes_is_stopped_before_they_are_copied() {
    let settings = limits(Limits {
        hostcall_bytes: 1 << 20,
        ..Limits::default()
    });
    let mut probe = start_with("probe", settings).await;
    let set = json!({"key": "k", "value": long(2 << 20)}).to_string();
    let error = probe.ask("storage.set", set).await.unwrap_err();
    assert!(
        error.to_string().contains("hostcall_bytes allows 1048576"),
        "{error}"
    );
    assert!(!probe.store.is_live());
}
