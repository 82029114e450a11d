//! Guests that were granted a peer, which is in league with them or does what no peer should.

// Layer 1: Standard library imports
use std::sync::atomic::Ordering;

// Layer 2: Third-party crate imports
use serde_json::{Value, json};
use tokio::task::JoinSet;

// Layer 3: Internal module imports
use airssys_wasm::core::security::capabilities::Capabilities;
use airssys_wasm::system::config::component::ComponentConfig;
use airssys_wasm::system::handle::System;

use crate::peer::Peer;
use crate::support::{ACTOR, HOSTILE, alone, siege, try_ask, until};
use crate::wat::guest;

/// What a guest may hold open at once, by a constant of the host.
pub(crate) const MAX_OPEN: usize = 128;

/// A siege by guests that may reach one peer, and nothing else.
fn siege_with(peer: &Peer, change: impl Fn(&mut ComponentConfig), attack: impl AsyncFn(&System)) {
    siege(
        |it| {
            it.component_with(HOSTILE, guest("outsider"), |it| {
                it.grants = Capabilities::default();
                it.grants.network.push(peer.address.to_string());
                change(it);
            })
        },
        async |system| {
            peer.stubborn(attack(system)).await;
            peer.is_left().await;
        },
    );
}

fn short(component: &mut ComponentConfig) {
    component.limits.turn_wall_ms = 150;
}

fn small(component: &mut ComponentConfig) {
    component.limits.memory_bytes = 3 << 20;
}

/// What came of something: a value, the name of an error, or why the actor failed.
pub(crate) async fn told(system: &System, actor: &str, kind: &str, arguments: &Value) -> String {
    match try_ask(system, actor, kind, arguments.to_string()).await {
        Ok(reply) => {
            let reply: Value = serde_json::from_str(&reply).expect("JSON");
            let error = reply.get("error").and_then(Value::as_str);
            let value = reply.get("ok").unwrap_or(&reply);
            error.map_or_else(|| value.to_string(), str::to_owned)
        }
        Err(error) => error.to_string(),
    }
}

/// Asks an actor each, all at once, and tells what came of each.
pub(crate) async fn all_told(
    system: &System,
    asked: Vec<(String, &'static str, Value)>,
) -> Vec<String> {
    let mut asking = JoinSet::new();
    for (number, (actor, kind, arguments)) in asked.into_iter().enumerate() {
        let system = system.clone();
        asking.spawn(async move {
            let actor = format!("{HOSTILE}/{actor}");
            (number, told(&system, &actor, kind, &arguments).await)
        });
    }
    let mut all = asking.join_all().await;
    all.sort_unstable();
    all.into_iter().map(|(_, told)| told).collect()
}

/// A request gives up at the moment when its turn is over, and may be the first to.
fn is_out_of_time(told: &str) -> bool {
    told.contains("turn_wall_ms allows 150") || told.contains("timeout")
}

#[test]
fn answers_that_are_none() {
    let _alone = alone();
    let peer = Peer::start();
    let (in_head, in_body) = ("http-protocol-error", "http-protocol-error");
    let redirected = r#"{"body":"","bytes":0,"status":302}"#;
    siege_with(
        &peer,
        |_| {},
        async |system| {
            for (what, word) in [
                ("garbage", in_head),
                ("zeroes", in_head),
                ("other", in_head),
                ("less", in_head),
                ("larger", in_head),
                ("twice", in_head),
                ("chunk", in_body),
                ("no-chunk", in_body),
                ("cut", in_head),
                ("cut-head", in_head),
                ("cut-body", in_body),
                ("cut-chunk", in_body),
                ("cut-huge", in_body),
                // Nothing is spoken but HTTP.
                ("switch", r#"{"body":"","bytes":0,"status":101}"#),
                // More than is read of a head, or of what is between the chunks of a body.
                ("status", in_head),
                ("head", in_head),
                ("field", in_head),
                ("extension", in_body),
                ("trailers", in_body),
                // Not even where it leads to who is granted.
                ("redirect", redirected),
                ("page", r#"{"body":"hello","bytes":5,"status":200}"#),
            ] {
                let before = peer.seen.connections.load(Ordering::SeqCst);
                let told = told(system, ACTOR, "get", &json!({"url": peer.url(what)})).await;
                assert!(told.contains(word), "{what}: {told}");
                let connections = peer.seen.connections.load(Ordering::SeqCst) - before;
                assert_eq!(connections, 1, "{what}");
            }
        },
    );
}

/// Each takes as long as its turn may, and leaves nothing.
#[test]
fn peers_that_take_their_time() {
    let _alone = alone();
    let peer = Peer::start();
    let to = peer.address.to_string();
    siege_with(&peer, short, async |system| {
        let get = |what: &str| (what.to_owned(), "get", json!({"url": peer.url(what)}));
        let mut asked: Vec<_> = ["silent", "huge", "drip-head", "drip-body", "drip-chunks"]
            .map(get)
            .into();
        // Very many of them, each of which is an answer of a kind.
        asked.push(get("hints"));
        let (piece, much) = ("deaf ".repeat(10_000), "x".repeat(2_000_000));
        asked.extend([
            (
                "posts".into(),
                "get",
                json!({"url": peer.url("deaf"), "text": much}),
            ),
            (
                "writes".into(),
                "connect",
                json!({"to": to, "text": piece, "count": 10_000}),
            ),
            (
                "reads".into(),
                "connect",
                json!({"to": to, "text": "deaf "}),
            ),
            (
                "holds".into(),
                "script",
                json!([["hold", {"to": to}], ["talk", {"text": "deaf "}]]),
            ),
            (
                "trails".into(),
                "script",
                json!([["trail", {"url": peer.url("huge"), "count": 10}], ["get", {"url": peer.url("silent")}]]),
            ),
            (
                "greets".into(),
                "get",
                json!({"url": peer.url("silent").replace("http", "https")}),
            ),
            // Nobody is there.
            ("shouts".into(), "datagram", json!({"to": to, "text": "x"})),
        ]);
        let names: Vec<_> = asked.iter().map(|it| it.0.clone()).collect();
        for (name, told) in names.iter().zip(all_told(system, asked).await) {
            assert!(is_out_of_time(&told), "{name}: {told}");
        }
    });
}

/// What comes without end is read as far as there is room for it.
#[test]
fn peers_that_send_without_end() {
    let _alone = alone();
    let peer = Peer::start();
    siege_with(&peer, small, async |system| {
        let flood = json!({"to": peer.address.to_string(), "text": "flood "});
        for (kind, arguments) in [
            ("get", json!({"url": peer.url("body")})),
            ("get", json!({"url": peer.url("chunks")})),
            ("connect", flood),
        ] {
            let told = told(system, ACTOR, kind, &arguments).await;
            assert!(told.contains("memory_bytes allows 3145728"), "{told}");
            peer.is_left().await;
        }
    });
}

#[test]
fn requests_without_end() {
    let _alone = alone();
    let peer = Peer::start();
    siege_with(
        &peer,
        |_| {},
        async |system| {
            let many = json!({"url": peer.url("page"), "count": 300});
            let answers = told(system, ACTOR, "get", &many).await;
            let answers: Vec<Value> = serde_json::from_str(&answers).expect("a list");
            let (answered, refused): (Vec<_>, Vec<_>) =
                answers.iter().partition(|it| it["status"] == 200);
            assert_eq!(answered.len(), MAX_OPEN);
            assert!(refused.iter().all(|it| **it == "connection-limit-reached"));
            assert!(peer.peak() <= MAX_OPEN, "{}", peer.peak());
        },
    );
}

/// More of them than there are handles.
#[test]
fn requests_that_are_given_up() {
    let _alone = alone();
    let peer = Peer::start();
    siege_with(
        &peer,
        |it| it.limits.resource_handles = 200,
        async |system| {
            let many = json!({"url": peer.url("silent"), "count": 500});
            let told = told(system, ACTOR, "drop-many", &many).await;
            assert_eq!(told, "[500,null]");
            assert!(peer.peak() <= MAX_OPEN, "{}", peer.peak());
        },
    );
}

/// Neither requests nor answers nor bodies are kept, but what comes after them.
#[test]
fn answers_that_are_kept_for_their_trailers() {
    let _alone = alone();
    let peer = Peer::start();
    siege_with(
        &peer,
        |_| {},
        async |system| {
            let many = json!({"url": peer.url("huge"), "count": 300});
            let told = told(system, ACTOR, "trail", &many).await;
            let expected = format!("[{MAX_OPEN},\"connection-limit-reached\"]");
            assert_eq!(told, expected);
            assert!(peer.peak() <= MAX_OPEN, "{}", peer.peak());
        },
    );
}

/// From one turn to the next, until the actor is idle: then they are gone with it.
#[test]
fn connections_that_are_held() {
    let _alone = alone();
    let peer = Peer::start();
    siege_with(
        &peer,
        |_| {},
        async |system| {
            let before = peer.seen.connections.load(Ordering::SeqCst);
            let hold = json!(["hold", {"to": peer.address.to_string()}]);
            let told = told(system, ACTOR, "script", &vec![hold; 60].into()).await;
            let outcomes: Vec<Value> = serde_json::from_str(&told).expect("a list");
            let refused = |it: &&Value| it["error"] == "new-socket-limit";
            // Each is a socket and two streams.
            let held = MAX_OPEN.div_ceil(3);
            assert_eq!(outcomes.iter().filter(refused).count(), 60 - held);
            // It may be gone before the peer has looked at all of them.
            let seen = || peer.seen.connections.load(Ordering::SeqCst);
            until("all have come", || seen() >= before + held).await;
            peer.is_left().await;
            assert!(peer.peak() <= held, "{}", peer.peak());
            let told = self::told(system, ACTOR, "talk", &json!({"text": "hello"})).await;
            assert_eq!(told, "no-connection");
        },
    );
}

/// All of it, by twenty actors at once.
#[test]
fn very_many_at_once() {
    let _alone = alone();
    let peer = Peer::start();
    let to = peer.address.to_string();
    let change = |it: &mut ComponentConfig| {
        short(it);
        small(it);
    };
    siege_with(&peer, change, async |system| {
        let hold = json!(["hold", {"to": to}]);
        let attacks = [
            ("get", json!({"url": peer.url("body")}), "memory_bytes"),
            ("get", json!({"url": peer.url("silent"), "count": 20}), ""),
            ("get", json!({"url": peer.url("hints")}), ""),
            (
                "get",
                json!({"url": peer.url("head")}),
                "http-protocol-error",
            ),
            (
                "connect",
                json!({"to": to, "text": "flood "}),
                "memory_bytes",
            ),
            (
                "connect",
                json!({"to": to, "text": "deaf ", "count": 1_000_000}),
                "",
            ),
            (
                "script",
                json!([hold, hold, ["talk", {"text": "deaf "}]]),
                "",
            ),
            (
                "trail",
                json!({"url": peer.url("drip-body"), "count": 20}),
                "[20,null]",
            ),
            (
                "get",
                json!({"url": peer.url("garbage")}),
                "http-protocol-error",
            ),
            (
                "drop-many",
                json!({"url": peer.url("silent"), "count": 20}),
                "[20,null]",
            ),
        ];
        let words = attacks.iter().map(|it| it.2).cycle();
        let attacks = attacks.iter().cycle().take(20).enumerate();
        let asked = attacks.map(|(number, it)| (number.to_string(), it.0, it.1.clone()));
        let told = all_told(system, asked.collect()).await;
        for (word, told) in words.zip(told) {
            // On a busy machine time runs out for those, too, that something else would end.
            let is_ended = !word.is_empty() && told.contains(word);
            assert!(is_ended || is_out_of_time(&told), "{word}: {told}");
        }
    });
}
