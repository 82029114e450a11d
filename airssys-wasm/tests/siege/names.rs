//! Addresses, topics, keys and patterns that are none, or not what they look like.

// Layer 2: Third-party crate imports
use serde_json::json;
use tempfile::tempdir;

// Layer 3: Internal module imports
use airssys_wasm::core::component::id::ComponentId;
use airssys_wasm::core::security::capability::{Capability, Form};
use airssys_wasm::core::storage::durability::Durability;
use airssys_wasm::security::audit::query::AuditQuery;
use airssys_wasm::system::component_name::ComponentName;
use airssys_wasm::system::config::secret_source::SecretSource;
use airssys_wasm::system::handle::System;

use crate::support::{ACTOR, HOSTILE, alone, ask, call, id, script, siege};
use crate::wat::guest;

/// Somebody that nothing is granted about.
const VICTIM: &str = "demo/neighbour/a";

/// What is no address, though some of it looks like that of the victim.
fn no_addresses() -> Vec<String> {
    let long = "x".repeat(129);
    let mut all: Vec<String> = [
        "",
        "/",
        "//",
        ".",
        "..",
        "../..",
        "../../..",
        "demo",
        "demo/neighbour",
        "demo//a",
        "demo/neighbour/",
        "/neighbour/a",
        "demo/neighbour/..",
        "demo/../a",
        "../neighbour/a",
        "demo/neighbour/./a",
        "demo/neighbour/a/b",
        "demo/neighbour/a/..",
        "./demo/neighbour/a",
        "/demo/neighbour/a",
        "demo\\neighbour\\a",
        "demo/neighbour/a\0",
        "demo/neighbour\0/a",
        "\0demo/neighbour/a",
        "demo/neighbour/a\n",
        "demo/neighbour/\u{1b}[2J",
        "demo/neighbour/ a",
        "demo/neighbour/a ",
        "demo/neighbour/%2e%2e",
        "demo/neighbour/*",
        "demo/*/a",
        "*",
        "self",
        "demo/neighbour/a?",
        "demo/neighbour/a#b",
        "demo/neighbour/a:b",
        "demo/neighbour/\u{430}",
        "d\u{435}mo/neighbour/a",
        "demo/neighbour/\u{ff41}",
        "demo\u{2215}neighbour\u{2215}a",
        "demo/neighbour/a\u{200b}",
        "demo/neighbour/\u{202e}a",
        "demo/neighbour/a\u{301}",
        "demo/neighbour/\u{feff}a",
        "demo/neighbour/\u{1f980}",
    ]
    .map(str::to_owned)
    .to_vec();
    all.extend([
        format!("demo/neighbour/{long}"),
        format!("demo/{long}/a"),
        "a/".repeat(100_000),
        "x".repeat(1_000_000),
    ]);
    all
}

/// Well formed, and nobody's.
const NOBODY: [&str; 4] = [
    "DEMO/neighbour/a",
    "demo/Neighbour/a",
    "airssys/host/main",
    "a/b/c",
];

fn start(attack: impl AsyncFn(&System)) {
    siege(
        |it| {
            it.component_with(HOSTILE, guest("probe"), |it| {
                it.config.insert("known".into(), "value".into());
                let source = SecretSource {
                    env: Some("PATH".into()),
                    file: None,
                };
                it.secrets.insert("known".into(), source);
            })
        },
        attack,
    );
}

#[test]
fn addresses_that_are_none_in_each_host_function() {
    let _alone = alone();
    let forged = no_addresses();
    start(async |system| {
        for function in [
            "messaging.send",
            "messaging.send-after",
            "messaging.request",
            "rpc.call",
        ] {
            let to = |target: &str| json!([function, {"target": target, "timeout-ms": 1_000}]);
            let calls: Vec<_> = forged.iter().map(|it| to(it)).collect();
            for (forged, told) in forged.iter().zip(script(system, ACTOR, &calls).await) {
                let start = forged.chars().take(80).collect::<String>();
                assert!(told.starts_with("invalid"), "{function} {start:?}: {told}");
                assert!(
                    told.len() < 1_000,
                    "{function} {start:?}: {} bytes",
                    told.len()
                );
            }
            let calls = NOBODY.map(to);
            for (nobody, told) in NOBODY.iter().zip(script(system, ACTOR, &calls).await) {
                assert_eq!(told, "not-found", "{function} {nobody}");
            }
        }
        for forged in &forged {
            let told = call(
                system,
                "storage.get-from",
                json!({"actor": forged, "key": "k"}),
            )
            .await;
            assert!(told.starts_with("invalid"), "{told}");
            let targets = json!({"targets": [ACTOR, forged]});
            let told = call(system, "messaging.broadcast", targets).await;
            assert!(told.starts_with("invalid"), "{told}");
        }
    });
}

#[test]
fn topics_and_patterns_that_are_none() {
    let _alone = alone();
    let forged = [
        "",
        ".",
        "..",
        "a.",
        ".a",
        "a..b",
        "a/b",
        "a b",
        "a\0",
        "a\nb",
        "a.\u{43e}",
        "a.b\u{200b}",
        "\u{ff0a}",
        "a.*b",
        "a.>.b",
        ">.a",
        "**",
        "a.%2e",
        "a\\b",
        "a.{b}",
        "a.[b]",
        "a.?",
    ];
    start(async |system| {
        for forged in forged {
            let told = call(system, "messaging.publish", json!({"topic": forged})).await;
            assert!(told.starts_with("invalid"), "{forged:?}: {told}");
            for function in ["messaging.subscribe", "messaging.unsubscribe"] {
                let told = call(system, function, json!({"pattern": forged})).await;
                assert!(told.starts_with("invalid"), "{function} {forged:?}: {told}");
            }
        }
        for wild in ["*", ">", "a.*", "a.>"] {
            let told = call(system, "messaging.publish", json!({"topic": wild})).await;
            assert!(told.starts_with("invalid"), "{wild}: {told}");
        }
        let words = "a.".repeat(120) + "a";
        let told = call(system, "messaging.subscribe", json!({"pattern": words})).await;
        if told.is_empty() {
            call(system, "messaging.unsubscribe", json!({"pattern": words})).await;
        }
    });
}

/// A key is any text. Whatever it is, it is one of the actor's own.
#[test]
fn keys_of_any_form_stay_the_actors_own() {
    let _alone = alone();
    let data = tempdir().expect("a folder");
    let folder = data.path().join("data");
    let keys = [
        ".",
        "..",
        "../../etc/passwd",
        "/etc/passwd",
        "a\0b",
        "\0",
        "a\nb",
        "count",
        "demo/neighbour/a\0count",
        "demo/neighbour/a",
        "\u{0}demo",
        "\u{10ffff}",
        "\u{202e}",
        "\u{ff}\u{ff}\u{ff}\u{ff}",
        "%00",
        "a\u{301}",
        "\u{e1}",
        "*",
        "a/../../b",
    ];
    siege(
        |it| {
            it.configure(|system| {
                system.data = Some(folder.clone());
                system.durability = Durability::Relaxed;
            })
            .component_with(HOSTILE, guest("probe"), |it| it.grants = Default::default())
        },
        async |system| {
            let none = call(system, "storage.set", json!({"key": "", "value": "v"})).await;
            assert!(none.starts_with("invalid"), "{none}");
            for key in keys {
                let set = call(system, "storage.set", json!({"key": key, "value": key})).await;
                assert_eq!(set, "", "{key:?}");
            }
            for key in keys {
                let got = ask(
                    system,
                    ACTOR,
                    "storage.get",
                    json!({"key": key}).to_string(),
                )
                .await;
                assert_eq!(got, json!({"ok": key}).to_string());
                let remove = json!({"key": key});
                assert_eq!(call(system, "storage.remove", remove).await, "");
            }
            for actor in [VICTIM, "evil/hostile/b"] {
                let read = json!({"actor": actor, "key": "count"});
                let told = call(system, "storage.get-from", read).await;
                assert!(told.starts_with("denied: `storage`"), "{told}");
            }
        },
    );
    let outside: Vec<_> = data.path().read_dir().expect("a folder").collect();
    assert_eq!(outside.len(), 1, "{outside:?}");
}

#[test]
fn names_of_configuration_and_secrets_that_are_none() {
    let _alone = alone();
    let names = [
        "",
        "..",
        "../known",
        "known\0",
        "known\n",
        "KNOWN",
        "kn\u{43e}wn",
        "known ",
        " known",
        "*",
        "PATH",
        "HOME",
        "/etc/passwd",
        "known/known",
    ];
    start(async |system| {
        for name in names {
            let config = json!({"key": name}).to_string();
            let config = ask(system, ACTOR, "services.config", config).await;
            assert_eq!(config, r#"{"ok":null}"#, "{name:?}");
            let secret = json!({"name": name}).to_string();
            let secret = ask(system, ACTOR, "services.secret", secret).await;
            let is_none = secret == r#"{"ok":null}"# || secret.contains("invalid");
            assert!(is_none, "{name:?}: {secret}");
        }
        let cursor = json!({"cursor": "\u{10ffff}", "limit": 10});
        assert_eq!(call(system, "services.list-components", cursor).await, "");
    });
}

/// The same through the interface of programs: names of components, addresses, grants, and
/// what is looked for.
#[test]
fn names_that_are_none_from_outside() {
    let _alone = alone();
    let forged = no_addresses();
    start(async |system| {
        for forged in &forged {
            let start = forged.chars().take(80).collect::<String>();
            assert!(forged.parse::<ComponentId>().is_err(), "{start:?}");
            let name = forged.parse::<ComponentName>();
            assert!(name.is_err() || forged == "demo/neighbour", "{start:?}");
            // Made without parsing, they are nobody's.
            let unchecked = ComponentId::new("demo", "neighbour/a", forged);
            let sent = system.send(&unchecked, "", "").await;
            assert!(sent.is_err(), "{start:?}");
            assert!(system.inspect(&unchecked).is_err(), "{start:?}");
            assert_eq!(system.dead_letters(Some(forged), None, 10).len(), 0);
            assert!(system.grants(forged).is_err() || forged == "demo/neighbour");
            let query = AuditQuery {
                actor: Some(forged.clone()),
                ..AuditQuery::default()
            };
            let found = system.audit(&query).await.expect("the log");
            assert_eq!(found.records, []);
        }
        for capability in Capability::ALL {
            for forged in ["", "\0", "a\0b", "\u{43e}rders\u{0}", "a\nb"] {
                let granted = system.grant(HOSTILE, capability, forged);
                let is_name = matches!(capability.form(), Form::Name);
                assert!(granted.is_err() || is_name, "{capability} {forged:?}");
                if granted.is_ok() {
                    system
                        .revoke(HOSTILE, capability, forged)
                        .expect("it was granted");
                }
            }
            let long = "x".repeat(1 << 20);
            assert!(
                system.grant(HOSTILE, capability, &long).is_err(),
                "{capability}"
            );
        }
        assert!(system.rollback(HOSTILE, Some("../../..")).await.is_err());
        assert_eq!(
            system.inspect(&id(ACTOR)).map(|it| it.subscriptions),
            Ok(Vec::new())
        );
    });
}

/// What came as the trace of a message is passed on only if it is one.
#[test]
fn traces_that_are_none() {
    let _alone = alone();
    let forged = [
        "",
        "00",
        "\0",
        "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01\n",
        "00-00000000000000000000000000000000-0000000000000000-00",
        "ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        "00-\u{ff10}af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
    ];
    let long = "00-".repeat(1 << 20);
    start(async |system| {
        for trace in forged.into_iter().chain([long.as_str()]) {
            let traced = system.in_trace(trace);
            let told = ask(&traced, ACTOR, "services.trace-context", "{}").await;
            assert_eq!(
                told,
                r#"{"ok":null}"#,
                "{:?}",
                &trace[..trace.len().min(80)]
            );
        }
    });
}
