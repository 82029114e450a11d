//! Too much of what is allowed: messages, timers, requests, topics.

// Layer 2: Third-party crate imports
use serde_json::{Value, json};

// Layer 3: Internal module imports
use airssys_wasm::core::limits::Limit;
use airssys_wasm::system::config::component::ComponentConfig;
use airssys_wasm::system::handle::System;

use crate::functions::{Parameter, all, at, storm};
use crate::support::{
    ACTOR, HOSTILE, alone, ask, call, failure, id, script, siege, siege_by_all, until,
};
use crate::wat::guest;

/// Who is sent to.
const VICTIM: &str = "evil/victim/a";

/// The error of a host call at a limit.
fn exceeded(word: &str, limit: Limit, allowed: u64, wanted: u64) -> String {
    format!("{word}: {limit} allows {allowed}, and {wanted} was wanted")
}

/// A probe, and somebody who takes what it sends.
fn siege_with_victim(change: impl FnOnce(&mut ComponentConfig), attack: impl AsyncFn(&System)) {
    siege(
        |it| {
            it.component_with(HOSTILE, guest("probe"), change)
                .component("evil/victim", guest("echo"))
        },
        attack,
    );
}

fn to_victim(function: &str) -> Value {
    json!([function, {
        "target": VICTIM, "kind": "", "payload": "x", "timeout-ms": 5_000, "delay-ms": 1,
        "topic": "a.b",
    }])
}

/// How many calls of a script went well, and the first error.
async fn until_refused(system: &System, call: &Value, times: usize) -> (usize, String) {
    let errors = script(system, ACTOR, &vec![call.clone(); times]).await;
    let fine = errors.iter().take_while(|error| error.is_empty()).count();
    (fine, errors.get(fine).cloned().unwrap_or_default())
}

fn handled(system: &System, component: &str) -> u64 {
    let status = system.status();
    let mut found = status.components.iter().filter(|it| it.name == component);
    found.next().expect("it is there").counts.handled
}

/// Each function of the host, called as often as there is time for in one turn.
#[test]
fn each_host_function_without_end() {
    let _alone = alone();
    let memory = r#"(memory (export "memory") 2)
        (data (i32.const 2048) "evil/hostile/other") (data (i32.const 2068) "\00\08\00\00\12\00\00\00")"#;
    let storms = all().into_iter().map(|function| {
        let storming = storm(function.interface, &function.name, memory, |it| match it {
            Parameter::Text => at(2_048, 18),
            Parameter::Texts => at(2_068, 1),
            Parameter::OptionalText => at(0, 0) + "(i32.const 0)",
            Parameter::Bytes => at(2_048, 18),
            Parameter::Number => "(i32.const 1)".into(),
            Parameter::Id => "(i64.const 1)".into(),
            Parameter::Level => "(i32.const 0)".into(),
        });
        let name: &'static str = Box::leak(function.name.into_boxed_str());
        (name, storming)
    });
    siege_by_all(
        storms.collect(),
        |it| it.limits.turn_wall_ms = 50,
        async |system, what, actor| {
            let why = failure(system, actor, "", "").await;
            let is_named = why.contains("turn_wall_ms allows") || why.contains("turn_fuel allows");
            assert!(is_named, "{what}: {why}");
        },
    );
}

#[test]
fn a_turn_sends_so_many_messages() {
    let _alone = alone();
    siege_with_victim(
        |it| it.limits.turn_sends = 100,
        async |system| {
            let before = handled(system, "evil/victim");
            let (sent, error) = until_refused(system, &to_victim("messaging.send"), 300).await;
            assert_eq!(sent, 100);
            assert_eq!(
                error,
                exceeded("quota-exceeded", Limit::TurnSends, 100, 101)
            );
            until("they arrive", || {
                handled(system, "evil/victim") == before + 100
            })
            .await;
        },
    );
}

#[test]
fn a_turn_sends_so_many_bytes() {
    let _alone = alone();
    siege_with_victim(
        |_| {},
        async |system| {
            let targets = vec![VICTIM; 1_000];
            let payload = json!({"repeat": "x", "times": 1 << 20});
            let broadcast = json!({"targets": targets, "kind": "", "payload": payload});
            let error = call(system, "messaging.broadcast", broadcast).await;
            let words = format!("quota-exceeded: {} allows 16777216", Limit::TurnSendBytes);
            assert!(error.starts_with(&words), "{error}");
        },
    );
}

#[test]
fn messages_and_kinds_are_so_large() {
    let _alone = alone();
    siege_with_victim(
        |_| {},
        async |system| {
            for function in ["send", "send-after", "request", "publish"] {
                let mut large = to_victim(&format!("messaging.{function}"))[1].clone();
                large["payload"] = json!({"repeat": "x", "times": (4 << 20) + 1});
                let told = call(system, &format!("messaging.{function}"), large).await;
                let words = exceeded("too-large", Limit::MessageBytes, 4 << 20, (4 << 20) + 1);
                assert_eq!(told, words, "{function}");

                let mut large = to_victim(&format!("messaging.{function}"))[1].clone();
                large["kind"] = json!({"repeat": "x", "times": 257});
                let told = call(system, &format!("messaging.{function}"), large).await;
                assert_eq!(
                    told,
                    exceeded("too-large", Limit::KindBytes, 256, 257),
                    "{function}"
                );
            }
            let topic = json!({"topic": {"repeat": "x", "times": 257}});
            for function in ["publish", "subscribe"] {
                let mut topic = topic.clone();
                if function == "subscribe" {
                    topic = json!({"pattern": topic["topic"]});
                }
                let told = call(system, &format!("messaging.{function}"), topic).await;
                assert_eq!(
                    told,
                    exceeded("too-large", Limit::KindBytes, 256, 257),
                    "{function}"
                );
            }
            // From outside it comes as far as the actor, and fails alone.
            let large = "x".repeat((4 << 20) + 1);
            let why = failure(system, ACTOR, "services.now-ms", large).await;
            assert!(why.contains("message_bytes allows 4194304"), "{why}");
            let why = failure(system, ACTOR, &"x".repeat(257), "{}").await;
            assert!(why.contains("kind_bytes allows 256"), "{why}");
        },
    );
}

#[test]
fn an_actor_sends_so_many_messages_in_a_second() {
    let _alone = alone();
    siege_with_victim(
        |it| it.limits.messages_per_s = 20,
        async |system| {
            let functions = ["send", "send-after", "request", "publish"];
            let functions = functions.map(|it| format!("messaging.{it}"));
            let functions = functions.iter().map(String::as_str).chain(["rpc.call"]);
            for function in functions {
                let (_, error) = until_refused(system, &to_victim(function), 300).await;
                let words = exceeded("quota-exceeded", Limit::MessagesPerS, 20, 21);
                assert_eq!(error, words, "{function}");
            }
            until("all have come", || system.status().open.requests == 0).await;
        },
    );
}

#[test]
fn an_actor_sets_so_many_timers() {
    let _alone = alone();
    siege_with_victim(
        |it| it.limits.timers = 50,
        async |system| {
            let mut timer = to_victim("messaging.send-after");
            timer[1]["delay-ms"] = 100.into();
            let (set, error) = until_refused(system, &timer, 200).await;
            assert_eq!(set, 50);
            assert_eq!(error, exceeded("quota-exceeded", Limit::Timers, 50, 51));
            until("they have come", || system.status().open.timers == 0).await;
        },
    );
}

/// Timers that are due at once, each of which sets the next.
#[test]
fn timers_that_are_always_due() {
    let _alone = alone();
    siege_with_victim(
        |_| {},
        async |system| {
            let mut timer = to_victim("messaging.send-after");
            timer[1]["delay-ms"] = 0.into();
            let mut all = 0;
            for _ in 0..5 {
                let (set, error) = until_refused(system, &timer, 1_000).await;
                let is_full = error == "mailbox-full";
                assert!(error.is_empty() || is_full, "{error}");
                all += set;
            }
            assert!(all >= 1_000, "{all}");
            until("they have come", || system.status().open.timers == 0).await;
        },
    );
}

#[test]
fn an_actor_has_so_many_requests_open() {
    let _alone = alone();
    siege_with_victim(
        |it| it.limits.requests = 50,
        async |system| {
            let (opened, error) = until_refused(system, &to_victim("messaging.request"), 200).await;
            assert_eq!(opened, 50);
            assert_eq!(error, exceeded("quota-exceeded", Limit::Requests, 50, 51));
            until("they are answered", || system.status().open.requests == 0).await;
        },
    );
}

/// Whoever is asked never answers, or not in time.
#[test]
fn requests_that_nobody_answers_end_by_themselves() {
    let _alone = alone();
    siege(
        |it| {
            it.component(HOSTILE, guest("probe")).component_with(
                "evil/victim",
                guest("endless-loop"),
                |it| {
                    it.limits.turn_wall_ms = 100;
                    it.limits.turn_fuel = u64::MAX;
                },
            )
        },
        async |system| {
            let mut request = to_victim("messaging.request");
            request[1]["timeout-ms"] = 50.into();
            let (opened, _) = until_refused(system, &request, 200).await;
            assert_eq!(opened, 200);
            until("they have ended", || system.status().open.requests == 0).await;
        },
    );
}

#[test]
fn an_actor_subscribes_to_so_much() {
    let _alone = alone();
    siege_with_victim(
        |it| it.limits.subscriptions = 50,
        async |system| {
            let both = |function: &str| -> Vec<Value> {
                let pattern = |number| json!([function, {"pattern": format!("a.{number}.>")}]);
                (0..200).map(pattern).collect()
            };
            let errors = script(system, ACTOR, &both("messaging.subscribe")).await;
            let fine = errors.iter().filter(|error| error.is_empty()).count();
            assert_eq!(fine, 50);
            let words = exceeded("quota-exceeded", Limit::Subscriptions, 50, 51);
            assert_eq!(errors[50], words);
            assert_eq!(system.status().open.subscriptions, 50);
            script(system, ACTOR, &both("messaging.unsubscribe")).await;
            until("it has left", || system.status().open.subscriptions == 0).await;
        },
    );
}

/// Each message that is published goes to many, and each of them publishes again. It is the
/// sender's rate that bounds it.
#[test]
fn a_publication_to_many_is_bounded_by_their_mailboxes() {
    let _alone = alone();
    siege(
        |it| it.component_with(HOSTILE, guest("relay"), |it| it.limits.mailbox = 20),
        async |system| {
            let actors: Vec<String> = (0..30).map(|it| format!("evil/hostile/{it}")).collect();
            for actor in &actors {
                ask(system, actor, "subscribe", "storm.>").await;
            }
            let publish = json!({"topic": "storm.a", "kind": "address", "text": "x"}).to_string();
            let message = json!({"topic": "storm.a", "kind": "publish", "text": publish});
            for actor in &actors {
                // Some are too busy to be told.
                drop(
                    system
                        .send(&id(actor), "publish", message.to_string())
                        .await,
                );
            }
            until("it is over", || {
                system.status().components.iter().all(|it| it.waiting == 0)
            })
            .await;
            for actor in &actors {
                ask(system, actor, "unsubscribe", "storm.>").await;
            }
        },
    );
}
