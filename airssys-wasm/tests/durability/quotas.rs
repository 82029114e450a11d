//! What all actors of a component may keep together.

// Layer 2: Third-party crate imports
use tempfile::TempDir;

// Layer 3: Internal module imports
use airssys_wasm::system::handle::System;

use crate::support::{ask, builder, guest};

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
