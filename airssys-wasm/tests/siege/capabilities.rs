//! Each capability, by a component that was not granted it, or was granted something else.

// Layer 1: Standard library imports
use std::fs::{create_dir, metadata, read_dir, read_to_string, write};
use std::net::TcpListener;
use std::path::Path;

// Layer 2: Third-party crate imports
use serde_json::{Value, json};
use tempfile::{TempDir, tempdir};

// Layer 3: Internal module imports
use airssys_wasm::core::security::audit::{Action, Decision};
use airssys_wasm::core::security::capabilities::Capabilities;
use airssys_wasm::core::security::capability::Capability;
use airssys_wasm::security::audit::query::AuditQuery;
use airssys_wasm::system::config::component::ComponentConfig;
use airssys_wasm::system::config::secret_source::SecretSource;
use airssys_wasm::system::handle::System;

use crate::support::{ACTOR, HOSTILE, alone, ask, call, siege, try_ask};
use crate::wat::guest;

/// Who is not to be reached.
const VICTIM: &str = "demo/neighbour/a";

/// Grants of other things than those that are tried.
fn elsewhere(component: &mut ComponentConfig) {
    let mut grants = Capabilities::default();
    for (capability, pattern) in [
        (Capability::Send, "evil/*"),
        (Capability::Call, "evil/*"),
        (Capability::Timers, "self"),
        (Capability::Storage, "evil/*"),
        (Capability::Spawn, "evil/*"),
        (Capability::Publish, "evil.>"),
        (Capability::Subscribe, "evil.>"),
        (Capability::Directory, "evil/*"),
        (Capability::Config, "mine"),
        (Capability::Secrets, "mine"),
        (Capability::Env, "MINE"),
    ] {
        grants.of_mut(capability).push(pattern.into());
    }
    component.grants = grants;
}

fn nothing(component: &mut ComponentConfig) {
    component.grants = Capabilities::default();
}

/// A siege by a probe that was granted nothing, and by one that was granted other things. It
/// has configuration and secrets that it may not read.
fn siege_by_probe(attack: impl AsyncFn(&System)) {
    for grants in [nothing, elsewhere] {
        siege(
            |it| {
                it.component_with(HOSTILE, guest("probe"), |it| {
                    grants(it);
                    it.config.insert("theirs".into(), "hidden".into());
                    let source = SecretSource {
                        env: Some("PATH".into()),
                        file: None,
                    };
                    it.secrets.insert("theirs".into(), source);
                })
            },
            &attack,
        );
    }
}

/// Tries something that is denied, and says so where operators look.
async fn denied(system: &System, capability: Capability, function: &str, arguments: Value) {
    let told = call(system, function, arguments).await;
    let words = format!("denied: `{capability}`");
    assert!(told.starts_with(&words), "{function}: {told}");
    let query = AuditQuery {
        component: Some(HOSTILE.into()),
        action: Some(Action::Use(capability)),
        decision: Some(Decision::Denied),
        ..AuditQuery::default()
    };
    let found = system.audit(&query).await.expect("the log");
    // A flood of them is only counted, after the first.
    assert!(!found.records.is_empty(), "{capability}");
}

fn to_victim() -> Value {
    json!({"target": VICTIM, "kind": "add", "payload": "1000", "timeout-ms": 1_000})
}

#[test]
fn send() {
    let _alone = alone();
    siege_by_probe(async |system| {
        denied(system, Capability::Send, "messaging.send", to_victim()).await;
        let targets = json!({"targets": [ACTOR, VICTIM], "kind": "add", "payload": "1000"});
        let told = call(system, "messaging.broadcast", targets).await;
        assert!(told.starts_with("denied: `send`"), "{told}");
    });
}

#[test]
fn call_others() {
    let _alone = alone();
    siege_by_probe(async |system| {
        for function in ["messaging.request", "rpc.call"] {
            denied(system, Capability::Call, function, to_victim()).await;
        }
    });
}

#[test]
fn timers() {
    let _alone = alone();
    siege_by_probe(async |system| {
        denied(
            system,
            Capability::Timers,
            "messaging.send-after",
            to_victim(),
        )
        .await;
    });
}

#[test]
fn publish() {
    let _alone = alone();
    siege_by_probe(async |system| {
        let topic = json!({"topic": "demo.news"});
        denied(system, Capability::Publish, "messaging.publish", topic).await;
    });
}

/// A wildcard asks for all that it matches.
#[test]
fn subscribe() {
    let _alone = alone();
    siege_by_probe(async |system| {
        for pattern in ["demo.news", ">", "*.news", "*", "demo.>"] {
            let pattern = json!({"pattern": pattern});
            denied(
                system,
                Capability::Subscribe,
                "messaging.subscribe",
                pattern,
            )
            .await;
        }
        assert_eq!(system.status().open.subscriptions, 0);
    });
}

#[test]
fn storage() {
    let _alone = alone();
    siege_by_probe(async |system| {
        let key = json!({"actor": VICTIM, "key": "count"});
        denied(system, Capability::Storage, "storage.get-from", key).await;
    });
}

#[test]
fn spawn() {
    let _alone = alone();
    siege(
        |it| {
            it.component_with(HOSTILE, guest("probe"), |it| {
                nothing(it);
                it.grants.send.push("*".into());
                it.grants.call.push("*".into());
            })
        },
        async |system| {
            let to_nobody = json!({"target": "demo/neighbour/new", "timeout-ms": 1_000});
            for function in ["messaging.send", "messaging.request", "rpc.call"] {
                denied(system, Capability::Spawn, function, to_nobody.clone()).await;
            }
        },
    );
}

/// Who asks without a grant learns of nobody, and not that there is anybody.
#[test]
fn directory() {
    let _alone = alone();
    siege_by_probe(async |system| {
        let page = json!({"limit": 100}).to_string();
        let page = ask(system, ACTOR, "services.list-components", page).await;
        assert!(!page.contains("demo"), "{page}");
    });
}

#[test]
fn config() {
    let _alone = alone();
    siege_by_probe(async |system| {
        let read = json!({"key": "theirs"}).to_string();
        let read = ask(system, ACTOR, "services.config", read).await;
        assert_eq!(read, r#"{"ok":null}"#);
    });
}

#[test]
fn secrets() {
    let _alone = alone();
    siege_by_probe(async |system| {
        let name = json!({"name": "theirs"});
        denied(system, Capability::Secrets, "services.secret", name).await;
    });
}

/// A guest that reaches out by WASI, with a folder and variables that it may not use.
fn siege_by_outsider(
    change: impl Fn(&mut ComponentConfig, &TempDir),
    attack: impl AsyncFn(&System, &Path),
) {
    let outside = tempdir().expect("a folder");
    let shown = outside.path().join("shown");
    create_dir(&shown).expect("a folder");
    write(shown.join("file"), "content").expect("a file");
    write(outside.path().join("secret"), "hidden").expect("a file");
    siege(
        |it| {
            it.component_with(HOSTILE, guest("outsider"), |it| {
                nothing(it);
                it.folders.insert("/shown".into(), shown.clone());
                it.env.insert("THEIRS".into(), "hidden".into());
                change(it, &outside);
            })
        },
        async |system| attack(system, outside.path()).await,
    );
    let secret = read_to_string(outside.path().join("secret"));
    assert_eq!(secret.expect("it is there"), "hidden");
}

/// What came of something that an outsider tried.
async fn outcome(system: &System, kind: &str, arguments: Value) -> Result<String, String> {
    let asked = try_ask(system, ACTOR, kind, arguments.to_string()).await;
    let reply = asked.map_err(|error| error.to_string())?;
    let reply: Value = serde_json::from_str(&reply).expect("JSON");
    match reply.get("error") {
        Some(error) => Err(error.as_str().unwrap_or_default().to_owned()),
        None => Ok(reply["ok"].to_string()),
    }
}

#[test]
fn clock() {
    let _alone = alone();
    siege_by_outsider(
        |_, _| {},
        async |system, _| {
            let clock = outcome(system, "clock", json!({})).await.expect("a time");
            let again: Value = serde_json::from_str(&clock).expect("JSON");
            let (wall, monotonic) = (&again["wall-ms"], &again["monotonic-ns"]);
            let as_ns = wall.as_u64().map(|it| it * 1_000_000);
            assert_eq!(monotonic.as_u64(), as_ns, "no clock but that of the turn");
        },
    );
}

#[test]
fn env() {
    let _alone = alone();
    siege_by_outsider(
        |_, _| {},
        async |system, _| {
            assert_eq!(
                outcome(system, "env", json!({})).await.expect("a list"),
                "{}"
            );
            assert_eq!(
                outcome(system, "arguments", json!({}))
                    .await
                    .expect("a list"),
                "[]"
            );
        },
    );
}

#[test]
fn read_files() {
    let _alone = alone();
    let paths = [
        "/shown/file",
        "/shown",
        "/",
        "/etc/passwd",
        "/proc/self/environ",
        "../secret",
        "/shown/../secret",
        "/shown/../../etc/passwd",
    ];
    siege_by_outsider(
        |_, _| {},
        async |system, _| {
            for path in paths {
                for kind in ["read", "list", "stat", "open"] {
                    let told = outcome(system, kind, json!({"path": path})).await;
                    assert!(told.is_err(), "{kind} {path}: {told:?}");
                }
            }
        },
    );
}

/// Who may read a folder writes nothing, and gets no further than the folder.
#[test]
fn write_files() {
    let _alone = alone();
    siege_by_outsider(
        |it, _| it.grants.read_files.push("/shown".into()),
        async |system, outside| {
            let read = outcome(system, "read", json!({"path": "/shown/file"})).await;
            assert_eq!(read.expect("a file"), "\"content\"");
            for path in ["/shown/../secret", "/shown/../../etc/passwd", "/etc/passwd"] {
                let told = outcome(system, "read", json!({"path": path})).await;
                assert!(told.is_err(), "{path}: {told:?}");
            }
            for (kind, arguments) in [
                ("write", json!({"path": "/shown/new", "text": "x"})),
                ("append", json!({"path": "/shown/file", "text": "x"})),
                ("make-folder", json!({"path": "/shown/folder"})),
                ("remove", json!({"path": "/shown/file"})),
                ("link", json!({"path": "/shown/file", "to": "/shown/other"})),
                (
                    "symlink",
                    json!({"path": "/shown/other", "to": "../secret"}),
                ),
                (
                    "rename",
                    json!({"path": "/shown/file", "to": "/shown/other"}),
                ),
                ("write", json!({"path": "/shown/../secret", "text": "x"})),
            ] {
                let told = outcome(system, kind, arguments).await;
                assert!(told.is_err(), "{kind}: {told:?}");
            }
            let names: Vec<_> = read_dir(outside.join("shown")).expect("it").collect();
            assert_eq!(names.len(), 1, "{names:?}");
            let file = metadata(outside.join("shown/file")).expect("it is there");
            assert_eq!(file.len(), 7);
        },
    );
}

#[test]
fn network() {
    let _alone = alone();
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    listener.set_nonblocking(true).expect("it can be");
    let here = listener.local_addr().expect("an address").to_string();
    siege_by_outsider(
        // A name that leads inside is not granted by it.
        |it, _| it.grants.network.push("*.example.com:443".into()),
        async |system, _| {
            for (kind, arguments) in [
                ("connect", json!({"to": here, "text": "x"})),
                ("hold", json!({"to": here})),
                ("listen", json!({"to": "127.0.0.1:0"})),
                ("datagram", json!({"to": here, "text": "x"})),
                ("lookup", json!({"host": "localhost"})),
                ("get", json!({"url": format!("http://{here}/")})),
                ("get", json!({"url": format!("http://user@{here}/")})),
                (
                    "get",
                    json!({"url": format!("http://a.example.com@{here}/")}),
                ),
            ] {
                let told = outcome(system, kind, arguments).await;
                assert!(told.is_err(), "{kind}: {told:?}");
            }
            assert!(listener.accept().is_err(), "somebody has connected");
        },
    );
}
