//! Input that nobody would send by accident.

// Layer 3: Internal module imports
use airssys_wasm::core::component::id::ComponentId;
use airssys_wasm::core::delivery::refusal::Refusal;
use airssys_wasm::core::runtime::errors::WasmError;
use airssys_wasm::system::config::component::ComponentConfig;
use airssys_wasm::system::error::{AskError, ControlError, StartError};

use crate::support::{ask, builder, bytes, component_status, guest, id, once, settled, try_ask};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bytes_that_are_no_component_are_refused_at_start_deploy_and_upgrade() {
    let system = builder()
        .component("demo/counter", &*guest("counter"))
        .start()
        .await
        .unwrap();
    ask(&system, "demo/counter/a", "add", "3").await;
    let truncated = bytes("counter")[..1_000].to_vec();
    let mut flipped = bytes("counter");
    let middle = flipped.len() / 2;
    flipped[middle..middle + 64].fill(0xff);
    let not_components = [
        ("empty", Vec::new()),
        ("text", b"hello".to_vec()),
        ("magic", b"\0asm".to_vec()),
        ("truncated", truncated),
        ("flipped", flipped),
        ("core module", bytes("core-module")),
        ("unknown import", bytes("unknown-import")),
        ("wrong version", bytes("wrong-version")),
    ];
    for (what, bad) in not_components {
        let config = ComponentConfig::new("demo/bad".parse().unwrap());
        let deployed = system.deploy(config, bad.clone()).await;
        assert!(
            matches!(&deployed, Err(StartError::Component { name, .. }) if name == "demo/bad"),
            "{what}: {deployed:?}"
        );
        let upgraded = system.upgrade("demo/counter", bad.clone()).await;
        assert!(
            matches!(&upgraded, Err(ControlError::Component(_))),
            "{what}: {upgraded:?}"
        );
        let started = builder().component("demo/bad", bad).start().await;
        assert!(started.is_err(), "{what}");
    }
    assert_eq!(
        system.inspect(&id("demo/bad/a")),
        Err(ControlError::NoComponent("demo/bad".into()))
    );
    assert_eq!(ask(&system, "demo/counter/a", "get", "").await, "3");
    assert_eq!(
        component_status(&system, "demo/counter")
            .kept_versions
            .len(),
        1
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_component_that_is_too_large_is_refused_before_it_is_read() {
    let started = builder()
        .component_with("demo/large", bytes("markdown"), |it| {
            it.limits.component_bytes = 10_000;
        })
        .start()
        .await;
    let Err(StartError::Component { source, .. }) = started else {
        panic!("it started");
    };
    assert!(matches!(source, WasmError::ResourceLimitExceeded(_)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn names_that_are_no_names_are_refused() {
    for name in [
        "",
        "demo",
        "demo/",
        "/echo",
        "demo/echo/a",
        "airssys/echo",
        "../echo",
        "demo/..",
        "demo/e cho",
        "demo/echo\0",
        "demo/\u{e9}cho",
    ] {
        let started = builder().component(name, &*guest("echo")).start().await;
        assert!(
            matches!(started.err(), Some(StartError::Name { .. })),
            "{name:?}"
        );
    }
    let twice = builder()
        .component("demo/echo", &*guest("echo"))
        .component("demo/echo", &*guest("echo"));
    assert!(twice.start().await.is_err());
    let missing = builder()
        .component("demo/echo", "no/such/file.wasm")
        .start()
        .await;
    assert!(matches!(missing.err(), Some(StartError::Io { .. })));

    let system = builder()
        .component("demo/echo", &*guest("echo"))
        .start()
        .await
        .unwrap();
    let again = ComponentConfig::new("demo/echo".parse().unwrap());
    assert!(matches!(
        system.deploy(again, bytes("echo")).await,
        Err(StartError::Exists(_))
    ));
}

/// Addresses that a program makes without parsing are not checked, and find nobody.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn forged_addresses_find_nobody() {
    let system = builder()
        .component("demo/echo", &*guest("echo"))
        .start()
        .await
        .unwrap();
    for (namespace, name, instance) in [
        ("airssys", "host", "main"),
        ("demo", "echo/a", "b"),
        ("", "", ""),
        ("demo/echo", "a", "b"),
    ] {
        let to = ComponentId::new(namespace, name, instance);
        let refused = system.send(&to, "", "").await.unwrap_err();
        assert_eq!(refused.reason, Refusal::UnknownTarget, "{to}");
    }
    assert!(system.list().is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_message_that_is_too_large_fails_alone_and_is_not_tried_again() {
    let system = builder()
        .component_with("demo/counter", &*guest("counter"), |it| {
            it.limits.message_bytes = 1_000;
        })
        .start()
        .await
        .unwrap();
    ask(&system, "demo/counter/a", "add", "3").await;
    let large = "1".repeat(1_001);
    for (kind, payload) in [("add", large.clone()), (&*large, "1".into())] {
        let failed = system.ask(&id("demo/counter/a"), kind, payload).await;
        assert!(matches!(failed, Err(AskError::Failed(_))), "{failed:?}");
    }
    assert_eq!(ask(&system, "demo/counter/a", "get", "").await, "3");
    let counts = settled(&system, "demo/counter").await;
    assert_eq!((counts.activated, counts.failed, counts.buried), (1, 2, 2));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn kinds_and_payloads_of_any_bytes_are_carried() {
    let system = builder()
        .component("demo/echo", &*guest("echo"))
        .component_with("demo/counter", &*guest("counter"), once)
        .start()
        .await
        .unwrap();
    for kind in ["", "\0", "a\nb", "\u{1f980}", "../..", "%00"] {
        let payload: Vec<u8> = (0..=255).collect();
        let echoed = system.ask(&id("demo/echo/a"), kind, payload.clone()).await;
        assert_eq!(echoed.unwrap().unwrap().as_bytes(), payload);
        let rejected = try_ask(&system, "demo/counter/a", kind, payload).await;
        assert!(matches!(rejected, Err(AskError::Rejected(_))), "{kind:?}");
    }
    assert_eq!(settled(&system, "demo/echo").await.handled, 6);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_component_is_added_to_a_running_system() {
    let system = builder().start().await.unwrap();
    assert!(system.send(&id("demo/echo/a"), "", "").await.is_err());
    let config = ComponentConfig::new("demo/echo".parse().unwrap());
    let report = system.deploy(config, bytes("echo")).await.unwrap();
    assert_eq!(report.version.label, "0.1.0");
    assert_eq!(ask(&system, "demo/echo/a", "", "here").await, "here");
    let mut mistaken = ComponentConfig::new("demo/more".parse().unwrap());
    mistaken.limits.mailbox = 0;
    assert!(matches!(
        system.deploy(mistaken, bytes("echo")).await,
        Err(StartError::Config(_))
    ));
}
