//! What all actors of a component may keep together, and what may wait for one.

// Layer 1: Standard library imports
use std::time::Duration;

// Layer 2: Third-party crate imports
use tempfile::TempDir;

// Layer 3: Internal module imports
use airssys_wasm::core::delivery::refusal::Refusal;
use airssys_wasm::system::handle::System;

use crate::support::{ask, builder, guest, id};

async fn two_keys(data: &TempDir) -> System {
    let builder = builder(data.path()).component_with("demo/probe", &*guest("probe"), |it| {
        it.limits.total_storage_keys = 2;
    });
    builder.start().await.unwrap()
}

async fn set(system: &System, actor: &str, key: &str) -> String {
    let payload = format!(r#"{{"key":"{key}","value":"v"}}"#);
    ask(system, actor, "storage.set", &payload).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_quota_of_a_component_holds_over_all_its_actors_and_restarts() {
    let data = TempDir::new().unwrap();
    let system = two_keys(&data).await;
    assert!(set(&system, "demo/probe/a", "k").await.contains("ok"));
    assert!(set(&system, "demo/probe/b", "k").await.contains("ok"));
    let refused = set(&system, "demo/probe/c", "k").await;
    assert!(refused.contains("quota-exceeded"), "{refused}");
    assert!(refused.contains("total_storage_keys allows 2"), "{refused}");
    // What is there already can be written again.
    assert!(set(&system, "demo/probe/a", "k").await.contains("ok"));
    assert!(system.shutdown().await.is_clean());
    drop(system);

    let system = two_keys(&data).await;
    let refused = set(&system, "demo/probe/c", "k").await;
    assert!(refused.contains("quota-exceeded"), "{refused}");
    ask(&system, "demo/probe/b", "storage.remove", r#"{"key":"k"}"#).await;
    assert!(set(&system, "demo/probe/c", "k").await.contains("ok"));
    assert!(system.shutdown().await.is_clean());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_waits_on_disk_is_bounded_in_bytes() {
    let data = TempDir::new().unwrap();
    let builder = builder(data.path()).component_with("demo/loop", &*guest("endless-loop"), |it| {
        it.limits.mailbox = 1;
        it.limits.backlog_bytes = 100;
        it.limits.turn_wall_ms = 4_000;
        it.limits.turn_fuel = u64::MAX;
    });
    let system = builder.start().await.unwrap();
    let busy = id("demo/loop/a");
    let payload = "x".repeat(60);
    let mut accepted = 0;
    let refused = loop {
        match system.send(&busy, "", payload.as_str()).await {
            Ok(()) => accepted += 1,
            Err(refused) => break refused,
        }
    };
    assert_eq!(refused.reason, Refusal::MailboxFull);
    // One is in the mailbox, and of the others the last one found less than 100 bytes.
    assert!((2..=4).contains(&accepted), "{accepted}");
    system.shutdown_within(Duration::ZERO).await;
}
