//! An operator's rules above grants: at the start, for every use, and replaced meanwhile.

// Layer 1: Standard library imports
use std::fs;
use std::path::PathBuf;

// Layer 2: Third-party crate imports
use serde_json::{Value, json};
use tempfile::TempDir;

// Layer 3: Internal module imports
use airssys_wasm::core::security::audit::{Action, Decision, Operation};
use airssys_wasm::security::audit::query::AuditQuery;
use airssys_wasm::security::policy::policy_error::PolicyError;
use airssys_wasm::security::signature::signing_key::SigningKey;
use airssys_wasm::system::builder::SystemBuilder;
use airssys_wasm::system::config::component::ComponentConfig;
use airssys_wasm::system::config::security::KeyConfig;
use airssys_wasm::system::error::{ControlError, StartError};
use airssys_wasm::system::handle::System;
use airssys_wasm::system::policy_file::PolicyFileError;
use airssys_wasm::system::signing::Binary;

use crate::support::{ask, ask_json, builder, bytes, component_status, marked};

const PERMITS: &str = "permit (principal, action, resource);\n";

/// A file for a policy.
struct PolicyFile {
    _folder: TempDir,
    path: PathBuf,
}

impl PolicyFile {
    fn new(text: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("policy.cedar");
        fs::write(&path, text).unwrap();
        Self {
            _folder: folder,
            path,
        }
    }

    /// A system with a probe and an echo, both trusted, that obeys this.
    fn builder(&self) -> SystemBuilder {
        let policy = Some(self.path.clone());
        builder()
            .configure(|system| system.security.policy = policy)
            .component("demo/echo", bytes("echo"))
            .component("demo/probe", bytes("probe"))
    }
}

/// What the probe was told when it sent to an actor.
async fn send(system: &System, target: &str) -> Result<Value, String> {
    let message = json!({"target": target, "kind": "k"});
    let answer = ask_json(system, "demo/probe/one", "messaging.send", message).await;
    match answer.get("error") {
        Some(error) => Err(error.as_str().unwrap().to_owned()),
        None => Ok(answer["ok"].clone()),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_granted_is_denied_if_a_rule_forbids_it() {
    let file = PolicyFile::new(&format!(
        "{PERMITS}@id(\"not to a\")\n\
         forbid (principal, action == Action::\"send\", resource == Actor::\"demo/echo/a\");"
    ));
    let system = file.builder().start().await.unwrap();
    assert!(send(&system, "demo/echo/b").await.is_ok());
    for _ in 0..2 {
        let denied = send(&system, "demo/echo/a").await.unwrap_err();
        assert!(denied.starts_with("denied: `send`"), "{denied}");
    }
    system.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_nothing_permits_is_denied_and_what_is_permitted_needs_its_grant() {
    let file = PolicyFile::new(
        "permit (principal, action == Action::\"start\", resource);\n\
         permit (principal, action in Action::\"messaging\", resource);\n\
         permit (principal, action == Action::\"spawn\", resource);",
    );
    let system = file
        .builder()
        .component_with("demo/other", bytes("probe"), |other| {
            other.grants.send = Vec::new();
        })
        .start()
        .await
        .unwrap();
    assert!(send(&system, "demo/echo/a").await.is_ok());
    let secret = json!({"actor": "demo/echo/a", "key": "k"});
    let denied = ask_json(&system, "demo/probe/one", "storage.get-from", secret).await;
    assert!(denied["error"].as_str().unwrap().starts_with("denied"));
    let message = json!({"target": "demo/echo/a", "kind": "k"});
    let denied = ask_json(&system, "demo/other/one", "messaging.send", message).await;
    assert!(denied["error"].as_str().unwrap().starts_with("denied"));
    system.shutdown().await;
}

/// Whoever subscribed to everything hears of what is not forbidden.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_topic_that_is_forbidden_is_not_heard_of_by_a_wider_pattern() {
    let file = PolicyFile::new(&format!(
        "{PERMITS}forbid (principal, action == Action::\"subscribe\", resource == Topic::\"pay.cards\");"
    ));
    let system = file.builder().start().await.unwrap();
    let all = json!({"pattern": ">"});
    ask_json(&system, "demo/probe/one", "messaging.subscribe", all).await;
    assert_eq!(system.publish("pay.bills", "k", "").await, Ok(1));
    assert_eq!(system.publish("pay.cards", "k", "").await, Ok(0));
    system.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_policy_counts_at_the_next_call_and_a_bad_one_not_at_all() {
    let file = PolicyFile::new(PERMITS);
    let system = file.builder().start().await.unwrap();
    assert!(send(&system, "demo/echo/a").await.is_ok());

    let forbids = format!("{PERMITS}forbid (principal, action == Action::\"send\", resource);");
    let report = system.set_policy(Some(&forbids)).await.unwrap();
    assert_eq!((report.is_set, report.rules), (true, 2));
    assert!(send(&system, "demo/echo/a").await.is_err());

    let refused = system.set_policy(Some("permit (principal);")).await;
    assert!(
        matches!(refused, Err(PolicyError::Mistakes(_))),
        "{refused:?}"
    );
    assert!(send(&system, "demo/echo/a").await.is_err());
    assert_eq!(system.policy().text, forbids);

    assert!(!system.set_policy(None).await.unwrap().is_set);
    assert!(send(&system, "demo/echo/a").await.is_ok());

    fs::write(&file.path, &forbids).unwrap();
    assert_eq!(system.reload_policy().await.unwrap().rules, 2);
    assert!(send(&system, "demo/echo/a").await.is_err());
    fs::write(&file.path, "permit").unwrap();
    let refused = system.reload_policy().await.unwrap_err();
    assert!(refused.to_string().contains("policy.cedar:1:"), "{refused}");
    assert!(send(&system, "demo/echo/a").await.is_err());

    let query = AuditQuery {
        action: Some(Action::Operate(Operation::Policy)),
        ..AuditQuery::default()
    };
    let found = system.audit(&query).await.unwrap().records;
    let decisions: Vec<Decision> = found.iter().map(|it| it.entry.decision).collect();
    let (allowed, denied) = (Decision::Allowed, Decision::Denied);
    assert_eq!(decisions, [denied, allowed, allowed, denied, allowed]);
    assert!(found[1].entry.resource.starts_with("sha256:"));
    assert_eq!(found[2].entry.resource, "none");
    system.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_a_file_there_is_nothing_to_read_again() {
    let system = builder().start().await.unwrap();
    assert!(!system.policy().is_set);
    let refused = system.reload_policy().await.unwrap_err();
    assert!(matches!(refused, PolicyFileError::NoFile));
    system.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_system_does_not_start_without_the_policy_it_is_to_obey() {
    let file = PolicyFile::new("permit (principal, action, resource);\nforbid (principal);");
    let refused = file.builder().start().await.map(drop).unwrap_err();
    let StartError::PolicyFile(PolicyFileError::Policy(PolicyError::Mistakes(mistakes))) = &refused
    else {
        panic!("{refused:?}");
    };
    assert_eq!(mistakes[0].line, 2);
    assert!(
        refused.to_string().contains("forbid (principal);"),
        "{refused}"
    );
    fs::remove_file(&file.path).unwrap();
    let refused = file.builder().start().await.map(drop).unwrap_err();
    assert!(
        matches!(
            refused,
            StartError::PolicyFile(PolicyFileError::NotFound(_))
        ),
        "{refused:?}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_component_that_may_not_start_is_neither_started_nor_deployed() {
    let forbids = format!(
        "{PERMITS}@id(\"no echo\")\n\
         forbid (principal == Component::\"demo/echo\", action == Action::\"start\", resource);"
    );
    let file = PolicyFile::new(&forbids);
    let refused = file.builder().start().await.map(drop).unwrap_err();
    let StartError::Policy { name, source } = &refused else {
        panic!("{refused:?}");
    };
    assert_eq!(
        (name.as_str(), source.rules[0].name.as_str()),
        ("demo/echo", "no echo")
    );

    let system = builder().start().await.unwrap();
    system.set_policy(Some(&forbids)).await.unwrap();
    let config = ComponentConfig::new("demo/echo".parse().unwrap());
    let refused = system
        .deploy(config.clone(), bytes("echo"))
        .await
        .unwrap_err();
    assert!(matches!(refused, StartError::Policy { .. }), "{refused:?}");
    assert!(system.status().components.is_empty());
    system.set_policy(Some(PERMITS)).await.unwrap();
    system.deploy(config, bytes("echo")).await.unwrap();
    system.shutdown().await;
}

/// Signed by the key that is trusted as `release`.
fn released(bytes: Vec<u8>) -> Binary {
    let signature = SigningKey::from_seed(&[1; 32]).sign(&bytes).to_string();
    Binary::from(bytes).signed(signature)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_version_is_upgraded_to_and_returned_to_only_if_it_may_start() {
    let system = builder()
        .configure(|system| {
            system.security.keys = vec![KeyConfig {
                name: "release".into(),
                public: SigningKey::from_seed(&[1; 32]).public().to_string(),
                not_after: None,
            }];
        })
        .component("demo/counter", bytes("counter"))
        .start()
        .await
        .unwrap();
    let before = component_status(&system, "demo/counter").version;
    let signed = "@id(\"signed\")\n\
                  permit (principal, action == Action::\"start\", resource)\n\
                  when { principal has signer && principal.signer == \"release\" };\n\
                  permit (principal, action in Action::\"use\", resource);";
    system.set_policy(Some(signed)).await.unwrap();
    // What runs goes on running.
    assert_eq!(ask(&system, "demo/counter/a", "add", "2").await, "2");

    let upgraded = system.upgrade("demo/counter", marked("counter", "b"));
    let refused = upgraded.await.unwrap_err();
    assert!(
        matches!(refused, ControlError::Policy { .. }),
        "{refused:?}"
    );
    assert_eq!(component_status(&system, "demo/counter").version, before);

    let signed = released(marked("counter", "b"));
    let report = system.upgrade("demo/counter", signed).await.unwrap();
    assert_eq!(report.signer.as_deref(), Some("release"));
    // The one before was not signed.
    let refused = system.rollback("demo/counter", None).await.unwrap_err();
    assert!(
        matches!(refused, ControlError::Policy { .. }),
        "{refused:?}"
    );
    let newer = released(marked("counter", "c"));
    system.upgrade("demo/counter", newer).await.unwrap();
    // The one before this was.
    let returned = system.rollback("demo/counter", None).await.unwrap();
    assert_eq!(returned.to, report.to);
    system.shutdown().await;
}

/// Before there is a port: rules see 0 then, and are asked again about the one that is connected to.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_name_is_looked_up_if_the_policy_permits_its_port_0() {
    let file = PolicyFile::new(PERMITS);
    let system = file
        .builder()
        .component_with("demo/outsider", bytes("outsider"), |outsider| {
            outsider.grants.network.push("localhost:443".into());
        })
        .start()
        .await
        .unwrap();
    let connects = "permit (principal, action == Action::\"network\", resource)\n\
                    when { resource.host == \"localhost\" && [PORTS].contains(resource.port) };";
    let forbids = "forbid (principal, action == Action::\"network\", resource)\n\
                   when { resource.port == 25 };";
    for (rules, is_permitted) in [
        (PERMITS.to_owned(), true),
        (connects.replace("PORTS", "443"), false),
        (connects.replace("PORTS", "0, 443"), true),
        (format!("{PERMITS}{forbids}"), true),
    ] {
        system.set_policy(Some(&rules)).await.unwrap();
        let localhost = json!({"host": "localhost"});
        let found = ask_json(&system, "demo/outsider/one", "lookup", localhost).await;
        match is_permitted {
            true => assert!(!found["ok"].as_array().unwrap().is_empty(), "{rules}"),
            false => assert_eq!(found["error"], "access-denied", "{rules}"),
        }
    }
    system.shutdown().await;
}
