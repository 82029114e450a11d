//! Only what a trusted key has signed is run.

// Layer 1: Standard library imports
use std::fs;
use std::path::PathBuf;

// Layer 2: Third-party crate imports
use tempfile::TempDir;

// Layer 3: Internal module imports
use airssys_wasm::core::event::Event;
use airssys_wasm::security::signature::error::SignatureError;
use airssys_wasm::security::signature::signing_key::SigningKey;
use airssys_wasm::system::builder::{Source, SystemBuilder};
use airssys_wasm::system::config::component::ComponentConfig;
use airssys_wasm::system::config::security::KeyConfig;
use airssys_wasm::system::error::{ControlError, StartError};
use airssys_wasm::system::handle::System;
use airssys_wasm::system::signing::Binary;

use crate::support::{Watch, ask, builder, bytes, component_status, marked};

/// The key that is trusted.
const CI: u8 = 1;
/// One that was trusted until 1999.
const OLD: u8 = 2;
/// One that nobody knows.
const STRANGER: u8 = 3;

fn key(seed: u8) -> SigningKey {
    SigningKey::from_seed(&[seed; 32])
}

fn trusted(name: &str, seed: u8, not_after: Option<&str>) -> KeyConfig {
    KeyConfig {
        name: name.into(),
        public: key(seed).public().to_string(),
        not_after: not_after.map(str::to_owned),
    }
}

/// Trusts two keys, of which one has expired, and takes nothing else.
fn strict() -> SystemBuilder {
    builder().configure(|system| {
        system.security.require_signed = true;
        system.security.keys = vec![
            trusted("ci", CI, None),
            trusted("old", OLD, Some("1999-12-31T23:59:59Z")),
        ];
    })
}

fn signed(bytes: Vec<u8>, by: u8) -> Binary {
    let signature = key(by).sign(&bytes).to_string();
    Binary::from(bytes).signed(signature)
}

/// The same signature with other bytes.
fn tampered(by: u8) -> Binary {
    let Binary { signature, .. } = signed(bytes("counter"), by);
    Binary {
        bytes: marked("counter", "evil"),
        signature,
    }
}

/// What is not taken, and how it begins to say why.
fn refused() -> Vec<(Binary, &'static str)> {
    let good = signed(bytes("counter"), CI);
    let text = good.signature.clone().unwrap();
    vec![
        (bytes("counter").into(), "it is not signed"),
        (good.clone().signed(&text[..80]), "its signature is cut off"),
        (good.clone().signed(""), "its signature is cut off"),
        (good.clone().signed("x"), "its signature cannot be read"),
        (
            good.signed(vec![b'x'; 10 << 20]),
            "its signature cannot be read",
        ),
        (
            signed(bytes("counter"), STRANGER),
            "it is signed by ed25519:",
        ),
        (
            signed(bytes("counter"), OLD),
            "it is signed by the key `old`, which expired at 1999-12-31T23:59:59Z",
        ),
        (tampered(CI), "it is not what the key `ci` signed"),
    ]
}

fn refusal(error: &StartError) -> &SignatureError {
    match error {
        StartError::Signature { name, source } if name == "demo/counter" => source,
        error => panic!("{error}"),
    }
}

async fn counting() -> System {
    strict()
        .component("demo/counter", signed(bytes("counter"), CI))
        .start()
        .await
        .unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_system_starts_with_what_is_signed_and_with_nothing_else() {
    let system = counting().await;
    assert_eq!(ask(&system, "demo/counter/a", "add", "5").await, "5");

    for (binary, expected) in refused() {
        let started = strict().component("demo/counter", binary).start().await;
        let error = started.err().unwrap();
        let words = refusal(&error).to_string();
        assert!(words.starts_with(expected), "{words}");
        let whole = format!("component `demo/counter` is not taken: {words}");
        assert_eq!(error.to_string(), whole);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_component_is_deployed_if_it_is_signed() {
    let system = strict().start().await.unwrap();
    let config = ComponentConfig::new("demo/counter".parse().unwrap());
    for (binary, expected) in refused() {
        let deployed = system.deploy(config.clone(), binary).await;
        let words = refusal(&deployed.unwrap_err()).to_string();
        assert!(words.starts_with(expected), "{words}");
        assert!(system.status().components.is_empty());
    }
    let report = system.deploy(config, signed(bytes("counter"), CI)).await;
    let report = report.unwrap();
    assert_eq!(report.signer.as_deref(), Some("ci"));
    assert_eq!(report.component, "demo/counter");
    assert_eq!(ask(&system, "demo/counter/a", "add", "5").await, "5");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_upgrade_that_is_not_trusted_leaves_the_old_version_running() {
    let system = counting().await;
    ask(&system, "demo/counter/a", "add", "5").await;
    let before = component_status(&system, "demo/counter");
    let mut watch = Watch::new(&system);
    let mut all = refused();
    all.push((
        signed(marked("counter", "two"), STRANGER),
        "it is signed by ed25519:",
    ));
    for (binary, expected) in all {
        let error = system.upgrade("demo/counter", binary).await.unwrap_err();
        let ControlError::Signature { component, source } = &error else {
            panic!("{error}");
        };
        assert_eq!(component, "demo/counter");
        assert!(source.to_string().starts_with(expected), "{error}");
        let prefix = "the new version of `demo/counter` is not taken: ";
        assert!(error.to_string().starts_with(prefix), "{error}");
    }
    let after = component_status(&system, "demo/counter");
    assert_eq!(
        (&after.version, after.kept_versions.len()),
        (&before.version, 1)
    );
    // The actor itself goes on, with what it has in memory.
    assert_eq!(ask(&system, "demo/counter/a", "add", "2").await, "7");
    let events = watch.so_far();
    assert!(
        !events
            .iter()
            .any(|it| matches!(it, Event::Activated { .. }))
    );

    let upgraded = system
        .upgrade("demo/counter", signed(marked("counter", "two"), CI))
        .await
        .unwrap();
    assert_eq!(upgraded.signer.as_deref(), Some("ci"));
    assert_ne!(upgraded.to, before.version);
    // What is kept was checked when it came.
    let back = system.rollback("demo/counter", None).await.unwrap();
    assert_eq!(back.to, before.version);
}

/// A folder with a component.
fn folder() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("counter.wasm");
    fs::write(&path, bytes("counter")).unwrap();
    (folder, path)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_signature_of_a_file_is_beside_it_or_where_the_configuration_says() {
    let (folder, path) = folder();
    let start = |signature: Option<PathBuf>| {
        strict()
            .component_with("demo/counter", &*path, |config| {
                config.signature = signature;
            })
            .start()
    };
    let unsigned = start(None).await.err().unwrap();
    assert_eq!(refusal(&unsigned), &SignatureError::Missing);

    // The one that is named counts.
    let elsewhere = folder.path().join("by-ci");
    let missing = start(Some(elsewhere.clone())).await.err().unwrap();
    assert!(matches!(missing, StartError::Io { path, .. } if path == elsewhere));
    let text = |by| key(by).sign(&bytes("counter")).to_string();
    fs::write(&elsewhere, text(CI)).unwrap();
    let beside = folder.path().join("counter.wasm.sig");
    fs::write(&beside, text(STRANGER)).unwrap();
    start(Some(elsewhere)).await.unwrap();

    let stranger = start(None).await.err().unwrap();
    let key = key(STRANGER).public();
    assert_eq!(refusal(&stranger), &SignatureError::UnknownKey { key });
    fs::write(&beside, text(CI)).unwrap();
    start(None).await.unwrap();

    // What is handed over with the bytes counts most.
    let system = strict().start().await.unwrap();
    fs::write(&beside, text(STRANGER)).unwrap();
    let mut config = ComponentConfig::new("demo/counter".parse().unwrap());
    config.signature = Some(beside.clone());
    let handed = Source::from(signed(bytes("counter"), CI));
    system.deploy(config.clone(), handed).await.unwrap();
    config.name = "demo/other".parse().unwrap();
    let deployed = system.deploy(config, bytes("counter")).await;
    assert!(matches!(deployed, Err(StartError::Signature { .. })));

    // A folder that has its name is a mistake that shows.
    fs::remove_file(&beside).unwrap();
    fs::create_dir(&beside).unwrap();
    let odd = start(None).await.err().unwrap();
    assert!(matches!(odd, StartError::Io { path, .. } if path == beside));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn where_none_is_required_one_that_is_there_is_checked_all_the_same() {
    let lenient = || strict().configure(|system| system.security.require_signed = false);
    for (binary, expected) in refused() {
        let is_signed = binary.signature.is_some();
        let started = lenient().component("demo/counter", binary).start().await;
        match started {
            Err(error) => {
                let words = refusal(&error).to_string();
                assert!(is_signed && words.starts_with(expected), "{words}");
            }
            Ok(_) => assert!(!is_signed, "{expected}"),
        }
    }
    // But where nobody is trusted it means nothing.
    for (binary, _) in refused() {
        let system = builder().component("demo/counter", binary).start().await;
        system.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_be_kept_is_said_before_anything_runs() {
    let nobody = builder().configure(|system| system.security.require_signed = true);
    let error = nobody.start().await.err().unwrap();
    assert!(matches!(&error, StartError::Config(_)));
    assert!(error.to_string().contains("no key is trusted"), "{error}");

    // Also where a component comes alone.
    let system = builder().start().await.unwrap();
    let mut config = ComponentConfig::new("demo/counter".parse().unwrap());
    config.signature = Some("../guests/bin/counter.wasm".into());
    let error = system.deploy(config, bytes("counter")).await.unwrap_err();
    assert!(
        error.to_string().contains("`signature` cannot be checked"),
        "{error}"
    );
}
